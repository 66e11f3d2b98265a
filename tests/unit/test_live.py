"""A comparison as the page sees it: events become stages, texts and figures; a visitor has one at a time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from arena.compare import Request, Side
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.strings import LANGUAGES, tr
from arena.types import Delta, Progress
from arena.ui import answer, figures, timeline
from arena.ui.live import Live, View
from arena.visitors import Visitors


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    settings = load_settings({"ARENA_HOME": str(tmp_path_factory.mktemp("home")), "ARENA_DEV": "1"})
    with arena_of(settings) as arena:
        yield arena


def live_of(arena: Arena, tmp_path: Path, prompt: str, reference: str | None = None) -> Live:
    path = tmp_path / "picture.png"
    Image.new("RGB", (120, 80), "white").save(path)
    side = Side(arena.catalog.find("fake"))
    image = arena.images.add(path)
    request = Request((side, side), image, arena.catalog.task("ocr"), prompt, reference=reference)
    return Live(arena, request, "en", dict.fromkeys(LANGUAGES, "picture"))


def until(said: object, what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not said():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.01)


def test_events_fold_into_stages_with_their_seconds() -> None:
    view = View("A", "Model")
    view.take(Progress("A", "queued", 0.0, position=2), 100.0)
    assert (view.stage, view.position, view.seconds("queued", 103.0)) == ("queued", 2, 3.0)
    view.take(Progress("A", "loading", 0.5), 105.0)
    assert view.passed == {"queued": 5.0}
    assert view.seconds("loading", 106.0) == pytest.approx(1.5)
    view.take(Progress("A", "generating", 0.0), 107.0)
    view.take(Delta("A", "one "), 109.0)
    view.take(Delta("A", "two"), 110.0)
    assert view.text == "one two"
    found = {stretch.name: stretch.seconds for stretch in timeline.stretches(view, 112.0)}
    assert found == {"queue": 5.0, "unload": None, "start": None, "load": 2.5, "first": 2.0, "generate": 5.0}
    assert timeline.total(view, 112.0) == pytest.approx(12.5), "the first text is a part of the answer"


def test_a_comparison_ends_with_two_runs_and_all_its_views(arena: Arena, tmp_path: Path) -> None:
    live = live_of(arena, tmp_path, "tokens=5 say=<b>bold&</b> boxes=3", reference="right")
    live.start()
    until(lambda: live.done, "the end of the comparison")
    assert [run.status if run else None for run in live.runs] == ["ok", "ok"]
    assert not live.failed
    rows = (*figures.FIGURES, *figures.scored(live.runs))
    for lang in LANGUAGES:
        html = answer.finished(live.views[0], lang)
        assert "<b>bold" not in html.replace('<div class="rendered', "").split("view-rendered")[0]
        assert "view-text" in html and "view-rendered" in html
        assert tr("ui.answer.boxes_left_out", lang, count=2) in html
        assert figures.table(live.runs, ["one", "two"], lang).count("<tr>") == len(rows) + 1


def test_stop_ends_both_sides_at_once(arena: Arena, tmp_path: Path) -> None:
    live = live_of(arena, tmp_path, "tokens=1000 delay=0.05")
    live.start()
    until(lambda: live.views[0].pieces, "the first piece")
    began = time.monotonic()
    live.stop()
    until(lambda: live.done, "the end", 5.0)
    assert time.monotonic() - began < 10
    assert [run.status if run else None for run in live.runs] == ["cancelled", "cancelled"]
    html = answer.finished(live.views[0], "en")
    assert 'class="trouble cancelled"' in html


def test_a_visitor_has_one_comparison_at_a_time_and_others_have_theirs(arena: Arena, tmp_path: Path) -> None:
    visitors: Visitors[Live] = Visitors()
    mine, again, yours = (live_of(arena, tmp_path, "tokens=1000 delay=0.05") for _ in range(3))
    assert visitors.begin("me", mine)
    assert not visitors.begin("me", again)
    assert visitors.begin("you", yours)
    assert visitors.running("me") is mine
    assert visitors.running("me", "compare") is mine
    assert visitors.running("me", "chat") is None, "what runs in one tab is not another's to stop"
    assert visitors.running("nobody") is None
    for live in (mine, yours):
        live.stop()
    until(lambda: mine.done and yours.done, "both ends")
    assert visitors.running("me") is None
    after = live_of(arena, tmp_path, "tokens=1")
    assert visitors.begin("me", after)
    until(lambda: after.done, "the next comparison")


def test_the_better_figure_is_marked_and_the_unknown_is_a_dash(arena: Arena, tmp_path: Path) -> None:
    live = live_of(arena, tmp_path, "tokens=3")
    live.start()
    until(lambda: live.done, "the end")
    load = next(figure for figure in figures.FIGURES if figure.name == "load")
    assert figures.better(load, live.runs, "en") is None, "the second did not load: nothing to compare"
    html = figures.table(live.runs, ["one", "two"], "ru")
    assert re.search(r"Пик видеопамяти, модель</span></th><td>—</td><td>—</td>", html)


@pytest.mark.parametrize(
    ("prompt", "status"), [("oom=1", "oom"), ("exit=3", "error"), ("empty=1", "empty"), ("raise=x", "error")]
)
def test_every_failure_says_what_was_wrong_and_what_to_do(
    arena: Arena, tmp_path: Path, prompt: str, status: str
) -> None:
    live = live_of(arena, tmp_path, prompt)
    live.start()
    until(lambda: live.done, "the end")
    run = live.runs[0]
    assert run and run.status == status
    for lang in LANGUAGES:
        html = answer.trouble(run, lang)
        said = re.sub(r"<[^>]+>", " ", html)
        assert len(said.split()) > 5
        assert bool(re.search("[а-я]{4}", said)) == (lang == "ru")


def test_a_server_that_is_being_started_is_seen_at_work() -> None:
    view = View("A", "Model")
    view.take(Progress("A", "loading", 1.0, phase="compiling", log="INFO <b>torch.compile</b>\nINFO graph"), 100.0)
    assert "compiling" in answer.chips(view, "en") and "loading" not in answer.chips(view, "en")
    assert "&lt;b&gt;torch.compile" in answer.streaming(view, "en")
    view.take(Delta("A", "text"), 101.0)
    assert "torch.compile" not in answer.streaming(view, "en")
