"""What the Ratings tab is made of: votes and runs read from every database, and the HTML of both boards."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import make_run

from arena import board
from arena.cli import main
from arena.config import load_settings
from arena.rating import Cell, Tally, rate, stored
from arena.store import Store
from arena.strings import LANGUAGES
from arena.types import Memory, Run, Timeline
from arena.ui.rating_page import objective, plots, preferred
from arena.ui.tab_ratings import Kept
from arena.votes import Vote, Votes

pytest_plugins = ("postgres",)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store(url)
    yield store
    store.close()


def vote(number: int = 0, **more: object) -> Vote:
    said = {"comparison_id": f"c{number}", "run_a": "r1", "run_b": "r2", "model_a": "m1", "model_b": "m2"}
    return Vote(**{**said, "task": "ocr", "outcome": "a", **more})  # type: ignore[arg-type]


def test_the_database_adds_up_the_votes_that_count(store: Store) -> None:
    votes = Votes(store)
    for number, language in enumerate(("ru", "ru", "en")):
        votes.cast(vote(number, language=language))
    votes.cast(vote(3, task="question", outcome="tie", automatic=True))
    votes.cast(vote(5, outcome="b", source="compare"))  # the names were known
    gone = votes.cast(vote(4, outcome="both_bad"))
    before = stored.stamp(store)
    votes.take_back(gone.id)
    assert stored.stamp(store) != before
    assert sorted(stored.cells(store)) == [("m1", "m2", "a", 3), ("m1", "m2", "tie", 1)]
    assert stored.cells(store, task="ocr", language="ru") == [("m1", "m2", "a", 2)]
    assert (stored.automatic(store), stored.automatic(store, task="ocr")) == (1, 0)
    blind = [(each.model_a, each.model_b, each.outcome, 1) for each in votes.iterate() if each.source == "battle"]
    assert rate(Tally.of_cells(stored.cells(store))).ratings == rate(Tally.of_cells(blind)).ratings


def run(number: int, cold: bool = False, generate_s: float | None = 2.0, **more: object) -> Run:
    more = {"timeline": Timeline(load_s=5.0 if cold else None, generate_s=generate_s, cold=cold), **more}
    return make_run(number, **more)


def test_the_objective_board_has_medians_with_cold_apart_from_warm(store: Store) -> None:
    for number, (cold, seconds, cer) in enumerate(((True, 9.0, 0.1), (False, 1.0, 0.2), (False, 2.0, 0.6))):
        store.save(run(number, cold, seconds, scores={"cer": cer}))
    store.save(run(3, status="error", generate_s=None, scores={}, memory=Memory(peak_vram_process_mb=900.0)))
    store.save(run(4, status="loop", generate_s=3.0, scores={"cer": 7.0}, task="question"))
    store.save(run(5, status="cancelled", generate_s=99.0))
    (line,) = board.board(store)
    assert (line.model, line.label, line.runs) == ("tesseract", "Tesseract", 5)
    assert (line.failed, line.flawed, line.scored) == (0.2, 0.2, 4)
    assert (line.cer, line.wer) == (pytest.approx(0.4), None)
    assert (line.warm.runs, line.warm.generate_s, line.cold.runs, line.cold.generate_s) == (3, 2.0, 1, 9.0)
    assert (line.generate_s, line.load_s, line.peak_vram_mb, line.peak_ram_mb) == (2.0, 5.0, 900.0, 120.5)
    (asked,) = board.board(store, task="question")
    assert (asked.runs, asked.flawed, asked.cer) == (1, 1.0, 7.0)
    assert board.board(store, language="en") == []


def test_the_ways_a_model_ran_are_lines_of_their_own(store: Store) -> None:
    for number, quantization in enumerate(("none", "8bit", "8bit")):
        store.save(run(number, mode="transformers", quantization=quantization, dtype="float16"))
    before = board.stamp(store)
    assert sorted(line.runs for line in board.board(store)) == [1, 2]
    store.save(run(3))
    assert board.stamp(store) != before


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_who_is_not_outdone_is_whom_nobody_is_better_than_in_both(places: list[tuple[int, int]]) -> None:
    points = [(index, float(x), float(y)) for index, (x, y) in enumerate(places)]
    best = board.undominated(points)
    outdone = {index for index, x, y in points if any((u, v) != (x, y) and u <= x and v <= y for _, u, v in points)}
    assert sorted(best) == sorted({index for index, _, _ in points} - outdone)


CELLS: list[Cell] = [
    ("top", HOSTILE, "a", 40),
    ("top", "low", "a", 30),
    (HOSTILE, "low", "tie", 9),
    ("low", HOSTILE, "both_bad", 3),
    ("far", "away", "a", 1),
    ("bad", "top", "both_bad", 1),
]


@pytest.mark.battery("S13")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_standings_show_every_model_with_its_interval_and_trust(lang: str) -> None:
    html = preferred(rate(Tally.of_cells(CELLS)), 4, {"top": "Top model"}.get, lang)  # type: ignore[arg-type]
    assert "<script" not in html
    standings = html[html.index('<table class="standings"') : html.index("</table>")]
    assert standings.count('<tr class="group">') == 3, "two groups, and who has no rating"
    assert standings.count('class="span"') == 5 and standings.count('scope="row"') == 6
    assert 'class="notice"' in html and "davidson-1" in html
    for svg in re.findall(r"<svg.*?</svg>", html):
        ElementTree.fromstring(svg)  # noqa: S314 - our own
    places = [float(each) for each in re.findall(r'cx="([\d.]+)%"', standings)]
    assert len(places) == 5 and all(0 <= place <= 100 for place in places)
    matrix = html[html.index('class="matrix"') :]
    assert matrix.count('class="self"') == 6 and 'class="more8"' in matrix and 'class="less8"' in matrix


@pytest.mark.battery("S13")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_votes_or_runs_it_says_how_to_begin(lang: str) -> None:
    none = rate(Tally.of_cells([]))
    for chosen in (False, True):
        for html in (preferred(none, 0, str, lang, chosen), objective([], lang, chosen)):
            assert 'class="empty"' in html and "<table" not in html
            assert ('data-event="clear_filter"' in html) is chosen, "a filter can be taken off"
    assert plots([], lang) == ""


PACE = board.Pace(3, 0.2, 1.5, 12.0, 40.0)
LINE = board.Line("m", "M", 9, 0.1, 0.0, 3, 0.05, 0.1, PACE, replace(PACE, generate_s=None), 4.0, 900.0, 300.0)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_objective_board_marks_the_best_and_leaves_out_what_nobody_measured(lang: str) -> None:
    slow = replace(LINE, model="s", label=HOSTILE, cer=0.5, warm=replace(PACE, generate_s=9.0), load_s=None)
    lines = [replace(each, wer=None) for each in (LINE, slow)]
    html = objective(lines, lang)
    assert "<script" not in html and "WER" not in html and "—" in html
    assert html.count('class="best"') == 2, "error rate and warm time"
    drawn = plots(lines, lang)
    assert drawn.count("<polyline") == 2 and drawn.count('class="middle') == 4
    assert drawn.count("★") == 2, "the one model that is better in everything, in both drawings"
    for svg in re.findall(r"<svg role.*?</svg>(?=</div>)", drawn):
        ElementTree.fromstring(svg)  # noqa: S314 - our own
    better = [replace(each, others={"teds": 0.9 if each is lines[1] else 0.5}) for each in lines]
    chosen = plots(better, lang, "teds")
    assert chosen.count("★") == 3, "one is quicker, the other better; both take the same memory"
    assert chosen.count('<option value="teds" selected>') == chosen.count("↖") == 2
    without = plots([replace(each, peak_vram_mb=None, cer=None) for each in lines], lang)
    assert without.count('class="empty"') == 2


def test_an_answer_is_kept_while_what_it_stands_on_is_unchanged() -> None:
    state, made = [1], []
    kept = Kept(lambda: state[0], lambda task, language: made.append(task) or len(made))
    assert [kept.of("ocr", ""), kept.of("ocr", ""), kept.of("", "")] == [(1, 1), (1, 1), (1, 2)]
    state[0] = 2
    assert kept.of("ocr", "") == (2, 3)
    assert made == ["ocr", "", "ocr"]


def test_the_terminal_shows_the_same_standings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert main(["ratings"]) == 0
    assert capsys.readouterr().out == ""
    store = Store(load_settings().database_url)
    for number in range(3):
        Votes(store).cast(vote(number, language="ru"))
    store.close()
    assert main(["ratings", "--json", "--language", "ru"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["votes"], told["method"], [each["model"] for each in told["ratings"]]) == (
        3,
        "davidson-1",
        ["m1", "m2"],
    )
    assert main(["ratings"]) == 0
    _, first, _ = capsys.readouterr().out.splitlines()
    assert "m1" in first and "preliminary" in first
    assert main(["ratings", "--task", "nothing"]) == 0
    assert "m1" not in capsys.readouterr().out
