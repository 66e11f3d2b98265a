"""A comparison run again: the same request from its rows, and what is said of answers, times and versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from runs import make_run

from arena.cli import main
from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.errors import RunError
from arena.images import StoredImage
from arena.report.verdict import lines, verdict
from arena.rerun import MOST_EDITS, Outcome, again, reproduces
from arena.strings import LANGUAGES, tr
from arena.types import Run, Timeline


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    settings = load_settings({"ARENA_HOME": str(tmp_path_factory.mktemp("home")), "ARENA_DEV": "1"})
    with arena_of(settings) as arena:
        yield arena


@pytest.fixture
def image(arena: Arena, tmp_path: Path) -> StoredImage:
    path = tmp_path / "picture.png"
    Image.new("RGB", (120, 80), "white").save(path)
    return arena.images.add(path)


def ran(arena: Arena, request: Request) -> list[Run]:
    return [event for event in compare(arena, request) if isinstance(event, Run)]


def saved(arena: Arena, image: StoredImage, number: int, **changes: object) -> Run:
    told = {
        "comparison_id": f"c-{number}",
        "image_sha256": image.sha256,
        "model": "fake",
        "title": "Fake",
        "params": {},
    }
    run = make_run(number, **{**told, "run_id": f"c-{number}-run", **changes})
    arena.store.save(run)
    return run


def outcome(before: Run, after: Run) -> Outcome:
    (found,) = reproduces([before], [after])
    return found


def test_a_comparison_run_again_asks_the_same_and_comes_out_the_same(arena: Arena, image: StoredImage) -> None:
    side = Side(arena.catalog.find("fake"), {"seed": 7, "max_new_tokens": 5})
    image = replace(image, original_width=1200, original_height=800)
    first = Request((side, side), image, arena.catalog.task("ocr"), "tokens=4", language="ru", reference="1 2 3 4")
    before = ran(arena, first)
    second = again(arena, first.comparison_id)
    assert second.comparison_id != first.comparison_id
    assert replace(second, comparison_id=first.comparison_id) == replace(
        first, sides=tuple(replace(each, params={**each.spec.params, **each.params}) for each in first.sides)
    )
    found = reproduces(before, ran(arena, second))
    assert [each.same for each in found] == [True, True]
    assert [each.changes for each in found] == [(), ()]
    assert {name for name, _, _ in found[0].times} >= {"generate_s", "total_s"}
    alone = again(arena, before[1].run_id)
    assert len(alone.sides) == 1 and alone.prompt == "tokens=4"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"image_sha256": "0" * 64}, "report.again.image_gone"),
        ({"params": {"pages": ["../00/none.png"]}}, "report.again.image_gone"),
        ({"model": "gone", "title": "Gone VL"}, "report.again.model_gone"),
        ({"quantization": "4bit"}, "report.again.variant_gone"),
        ({"mode": "vllm"}, "report.again.variant_gone"),
        ({"task": "singing"}, "report.again.task_gone"),
    ],
)
def test_what_is_no_longer_there_is_named(
    arena: Arena, image: StoredImage, changes: dict[str, object], key: str
) -> None:
    run = saved(arena, image, 100 + abs(hash(str(changes))) % 10_000, **changes)
    with pytest.raises(RunError) as refused:
        again(arena, run.comparison_id)
    assert refused.value.key == key and refused.value.kind == "bad_input"
    assert all("{" not in refused.value.text(lang) for lang in LANGUAGES)


def test_an_unknown_id_is_said(arena: Arena) -> None:
    with pytest.raises(RunError, match="no comparison or run"):
        again(arena, "../../etc")


def test_differences_are_counted_and_shown_where_they_are() -> None:
    before = make_run(text="Итого: 1 234,50\nСпасибо за покупку, приходите ещё")
    after = replace(before, text="Итого: 1 284,50\nСпасибо за покупки, приходите ещё")
    found = outcome(before, after)
    assert not found.same and found.edits == 2
    assert [(place.at, place.before, place.after) for place in found.places] == [(10, "3", "8"), (33, "у", "и")]
    assert found.places[0].left == "Итого: 1 2" and found.places[0].right == "4,50\nСпасибо"


@given(st.text("abc \n", max_size=60), st.text("abc \n", max_size=60))
def test_every_place_is_where_it_says(one: str, other: str) -> None:
    before = make_run(text=one)
    found = outcome(before, replace(before, text=other))
    assert found.same == (one == other) == (not found.places)
    for place in found.places:
        assert one[place.at :].startswith(place.before + place.right)
        assert one[: place.at].endswith(place.left)
        assert place.after in other and place.before != place.after


def test_texts_that_have_nothing_in_common_are_not_counted_to_the_end() -> None:
    before = make_run(text="a" * 60_000)
    found = outcome(before, replace(before, text="b" * 60_000))
    assert found.edits == MOST_EDITS + 1
    assert lines(found, "en")[0] == tr("report.again.many", "en", count="10\u202f000")


def test_what_has_changed_since_is_listed() -> None:
    before = make_run(driver="550.1", library_versions={"torch": "2.14.0", "numpy": "2.0"}, params={"seed": 1})
    after = replace(
        before,
        driver="560.2",
        revision="5.6",
        app_version="0.2.0",
        library_versions={"torch": "2.14.1", "pillow": "12.0", "numpy": "2.0"},
        params={"seed": 1, "top_p": 0.9},
    )
    changes = {change.fact: (change.before, change.after) for change in outcome(before, after).changes}
    assert changes == {
        "revision": ("5.5", "5.6"),
        "driver": ("550.1", "560.2"),
        "program": ("0.1.0 0123456789ab Python 3.11.2", "0.2.0 0123456789ab Python 3.11.2"),
        "pillow": ("", "12.0"),
        "torch": ("2.14.0", "2.14.1"),
        "params.top_p": ("", "0.9"),
    }


@pytest.mark.parametrize(
    ("params", "seed", "drawn"),
    [({"temperature": 0.7}, None, True), ({"temperature": 0.7}, 1, False), ({}, None, False)],
)
def test_a_draw_without_a_seed_is_no_wonder(params: dict[str, object], seed: int | None, drawn: bool) -> None:
    before = make_run(params=params, seed=seed, text="one")
    found = outcome(before, replace(before, text="two"))
    assert found.drawn is drawn
    assert (tr("report.again.drawn", "en") in lines(found, "en")) is drawn


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_verdict_is_a_sentence_and_escaped(lang: str) -> None:
    before = make_run(text="<b>one</b>", timeline=Timeline(generate_s=1.0))
    same, failed = replace(before), replace(before, text="", status="error")
    other = replace(before, text="<b>two</b>", library_versions={"<i>": "1"}, timeline=Timeline(generate_s=2.0))
    html = verdict(reproduces([before, before], [same, other]), ["<u>A</u>", "B"], lang)
    assert tr("report.again.same", lang) in html
    assert tr("report.again.differs", lang, count="3", total="10") in html
    assert "<b>" not in html and "<u>" not in html and "<i>" not in html
    ends = {"before": tr("statuses.ok", lang), "after": tr("statuses.error", lang)}
    assert lines(outcome(replace(before, text=""), failed), lang)[0] == tr("report.again.nothing", lang, **ends)
    assert lines(outcome(before, replace(before, status="error")), lang)[0] == tr(
        "report.again.same_status", lang, **ends
    )


def test_the_command_line_says_whether_it_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ARENA_DEV", "1")
    monkeypatch.setenv("LC_ALL", "ru_RU.UTF-8")
    path = tmp_path / "picture.png"
    Image.new("RGB", (120, 80), "white").save(path)
    assert main(["compare", "--image", str(path), "--models", "fake", "fake", "--prompt", "tokens=3", "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert main(["rerun", compared["comparison_id"], "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["same"] and [side["edits"] for side in said["sides"]] == [0, 0]
    with arena_of(load_settings()) as arena:
        run = arena.store.get(compared["runs"][0]["run_id"])
        assert run
        arena.store.save(replace(run, run_id="other", comparison_id="other", text=f"{run.text[:-1]}?"))
    assert main(["rerun", "other"]) == 1
    out = capsys.readouterr().out
    assert f"Отличается 1 символ из {len(run.text)}" in out
    assert f"было: '?' · стало: {run.text[-1]!r}" in out
    assert main(["rerun", "nothing"]) == 2
