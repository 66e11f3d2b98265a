"""The report of a comparison: everything in it, nothing alive in it, nothing fetched by it; and the same as JSON."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import any_runs, make_run

from adapters.base import Box
from arena.catalog import load_catalog
from arena.cli import main
from arena.columns import FIELDS
from arena.config import load_settings
from arena.core import arena_of
from arena.numbers import number
from arena.report import html_report, json_report
from arena.report.data import data_url
from arena.report.style import policy, script, style
from arena.strings import LANGUAGES, tr
from arena.types import Run
from benchmarks.metrics import METRICS

TASKS = load_catalog(load_settings({})).tasks
ID = "01J9ZZZZZZZZZZZZZZZZZZZZZZ"
EVIL = "\"'><script>evil()</script><img src=x onerror=evil()>`${evil}`</pre></style><!--]]>\u202e\x00"
PIXEL = data_url(b"RIFF", "image/webp")


def pair(**changes: object) -> list[Run]:
    return [make_run(number, comparison_id=ID, **changes) for number in (0, 1)]


class Elements(HTMLParser):
    """The elements of a document with their attributes, and the text outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.within = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        self.within = tag

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within not in ("script", "style"):
            self.text += data


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_of_a_comparison_is_in_its_report(lang: str) -> None:
    one, two = pair(reference="Кассовый чек № 0", mode="transformers", quantization="8bit", boxes_left_out=7)
    two = replace(two, title="Qwen2-VL 2B", status="oom", error_kind="out_of_memory", error_detail="CUDA: 2 GiB")
    said = Elements(html_report([one, two], lang, TASKS, picture=PIXEL)).text
    for expected in (
        *(one.title, two.title, one.text, two.text, one.prompt, "Кассовый чек № 0"),
        *(TASKS["ocr"].title_for(lang), tr("ui.language.ru", lang), "max_new_tokens = 256"),
        *(tr("statuses.ok", lang), tr("statuses.oom", lang), tr("errors.out_of_memory", lang), "CUDA: 2 GiB"),
        *("transformers · 8bit", "tesserocr 2.13.1", "Some CPU (2 cores)", "0123456789ab", "f" * 64, ID, "run-00001"),
        *("2026-01-31 12:00 UTC", "1600 × 1200", "800 × 600", number(3.25, lang, 1)),
        *(tr("ui.answer.boxes_left_out", lang, count=7), tr("benchmark.fact.boxes_left_out", lang)),
    ):
        assert expected in said, expected
    assert f'<html lang="{lang}">' in html_report([one, two], lang, TASKS)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_whatever_an_answer_was_scored_by_has_its_name_in_the_report(lang: str) -> None:
    html = html_report(pair(scores=dict.fromkeys(METRICS, 0.5)), lang, {}, picture=PIXEL)
    assert all(tr(f"metrics.title.{name}", lang) in html for name in METRICS if name not in ("cer", "wer"))


def test_a_hostile_text_in_every_field_stays_text() -> None:
    texts = {name: EVIL for name, value in vars(make_run()).items() if isinstance(value, str)}
    evil = {**texts, "driver": EVIL, "reference": EVIL, "error_kind": EVIL, "error_detail": EVIL}
    bags = {"params": {EVIL: EVIL}, "library_versions": {EVIL: EVIL}, "boxes": (Box(0, 0, 9, 9, EVIL, EVIL),)}
    html = html_report([make_run(0, **evil, **bags), make_run(1, **evil, **bags)], "en", {}, picture=PIXEL)
    plain = html_report(pair(), "en", {}, picture=PIXEL)
    known = {tag for tag, _ in Elements(plain).found} | {"b", "small", "details", "summary"}
    for tag, attributes in Elements(html).found:
        assert tag in known, tag
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "img" or attributes["src"] == PIXEL
    assert html.count("<script") == 1 and "evil()</script>" not in html
    assert "\u202e" not in html and "\x00" not in html


@given(run=any_runs())
def test_any_run_can_be_told_as_json(run: Run) -> None:
    assert json.loads(json_report([run]))["runs"][0]["characters"] == run.characters


@pytest.mark.parametrize("sides", [1, 2, 3])
def test_a_comparison_may_have_any_number_of_sides(sides: int) -> None:
    runs = [make_run(number, comparison_id=ID, text=f"answer number {number}") for number in range(sides)]
    html = html_report(runs, "en", TASKS, picture=PIXEL)
    assert all(f"answer number {number}" in html for number in range(sides))
    assert html.count('<svg class="boxes ') == html.count('class="show-') == sides
    assert [attributes["id"] for tag, attributes in Elements(html).found if tag == "pre" and "id" in attributes] == [
        f"answer-{letter}" for letter in "abc"[:sides]
    ]


def test_the_file_fetches_nothing_and_runs_no_script_but_its_own() -> None:
    html = html_report(pair(), "ru", TASKS, picture=PIXEL)
    found = Elements(html).found
    addresses = [value for _, attributes in found for name, value in attributes.items() if name in ("src", "href")]
    assert addresses and all(address.startswith("data:") for address in addresses)
    assert not re.search(r"url\(|@import", style())
    rules = next(attributes["content"] for tag, attributes in found if attributes.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    assert f"<script>{script()}</script>" in html
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in rules
    assert "form-action 'none'" in rules and "'self'" not in rules
    assert "img-src data: 'self'" in policy(True)


def test_the_colours_of_the_dark_theme_are_those_of_the_page() -> None:
    dark = re.search(r"prefers-color-scheme: dark\) \{ :root:not\(\[data-theme=light\]\) \{(.*?)\}", style(), re.DOTALL)
    assert dark and "--paper: #12151c" in dark[1] and "--ink:" in dark[1]


@pytest.mark.parametrize(("sha256", "said"), [(None, "no_image"), ("f" * 64, "image_gone")])
def test_a_missing_image_is_named(sha256: str | None, said: str) -> None:
    html = html_report(pair(image_sha256=sha256), "en", TASKS)
    assert tr(f"report.{said}", "en") in html and "<img" not in html


def test_of_an_endless_answer_the_rest_is_counted() -> None:
    html = html_report(pair(text="x" * 200_321), "en", TASKS)
    assert tr("report.more", "en", count="321") in html and len(html) < 600_000


def test_the_json_has_every_column_and_the_image() -> None:
    one, two = pair(scores={"cer": 0.5, "wer": None})
    report = json.loads(json_report([one, two], b"\x89PNG"))
    assert report["schema"] == 1 and report["comparison_id"] == ID
    assert {field.name for field in FIELDS} | {"scores"} == set(report["runs"][0])
    assert report["runs"][0]["boxes_left_out"] is None
    assert report["runs"][0]["boxes"][0]["text"] == "Кассовый" and report["runs"][1]["scores"] == {
        "cer": 0.5,
        "wer": None,
    }
    assert report["runs"][0]["created_at"] == "2026-01-31T12:00:00Z"
    asked = report["request"]
    assert (asked["prompt"], asked["task"], asked["language"]) == (one.prompt, "ocr", "ru")
    assert asked["image"]["sha256"] == "f" * 64
    assert base64.b64decode(asked["image"]["data_url"].partition(",")[2]) == b"\x89PNG"
    assert json.loads(json_report([one]))["request"]["image"]["data_url"] is None


@given(value=st.floats(), text=st.text())
def test_the_json_is_json_whatever_was_recorded(value: float, text: str) -> None:
    said = json_report([make_run(tokens_per_s=value, params={text: [text, {"deep": value}]}, text=text)])
    said.encode()
    json.loads(said, parse_constant=lambda constant: pytest.fail(constant))


def test_the_command_line_writes_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))
    with arena_of(load_settings()) as arena:
        for run in pair():
            arena.store.save(run)
    out = tmp_path / "report.html"
    assert main(["report", ID, "--lang", "ru", "--out", str(out)]) == 0
    assert '<html lang="ru">' in out.read_text(encoding="utf-8")
    assert main(["report", "run-00001", "--format", "json"]) == 0
    assert [run["run_id"] for run in json.loads(capsys.readouterr().out)["runs"]] == ["run-00001"]
    assert main(["report", "nothing"]) == 2
    assert main(["report", ID, "--out", str(tmp_path / "no" / "report.html")]) == 1


def test_the_command_does_without_the_page(tmp_path: Path) -> None:
    with arena_of(load_settings({"ARENA_HOME": str(tmp_path)})) as arena:
        arena.store.save(make_run(1, comparison_id=ID))
    code = (
        "import sys; from arena.cli import main; code = main(sys.argv[1:]); "
        "print(code, sorted({'gradio', 'fastapi', 'pandas', 'numpy', 'torch'} & set(sys.modules)))"
    )
    environ = os.environ | {"ARENA_HOME": str(tmp_path)}
    command = [sys.executable, "-c", code, "report", ID, "--out", str(tmp_path / "report.html")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1:] == ["0 []"], done.stderr
    assert "<h1>" in (tmp_path / "report.html").read_text(encoding="utf-8")
