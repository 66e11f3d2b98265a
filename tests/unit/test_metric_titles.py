"""Every metric has its words in both languages, tasks name those there are, and the page shows what was scored."""

from pathlib import Path

import pytest

from arena import board
from arena.catalog import load_catalog
from arena.cli import show
from arena.config import load_settings
from arena.store import RunPage, RunQuery, Store
from arena.strings import LANGUAGES, strings, tr
from arena.ui import figures
from arena.ui.objective_table import objective_table
from arena.ui.run_detail import facts
from arena.ui.run_table import Reader, table
from benchmarks.metrics import METRICS
from tests.runs import make_run

ONE = {"anls": 0.9, "formula_edit": 0.25, "teds": None}
TWO = {"anls": 0.6, "formula_edit": 0.5}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_a_title_a_short_name_and_a_hint(name: str, lang: str) -> None:
    words = [strings(lang)[f"metrics.{part}.{name}"] for part in ("title", "short", "hint")]
    assert all(words) and len(words[1]) <= 12
    better = {"en": {"lower": "less", "higher": "more"}, "ru": {"lower": "меньше", "higher": "больше"}}[lang]
    assert better[METRICS[name].better] in words[2], "the hint says which way is better"


def test_tasks_name_metrics_that_there_are(tmp_path: Path) -> None:
    tasks = load_catalog(load_settings({"ARENA_HOME": str(tmp_path)})).tasks.values()
    assert {name for task in tasks for name in task.metrics} == set(METRICS)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_cards_have_a_row_for_what_was_scored_and_mark_the_better_by_its_direction(lang: str) -> None:
    runs = [make_run(1, scores=ONE), make_run(2, scores=TWO)]
    html = figures.table(runs, ["one", "two"], lang)
    rows = figures.scored(runs)
    assert [row.name for row in rows] == ["anls", "formula_edit", "teds"]
    assert all(tr(f"metrics.title.{row.name}", lang) in html for row in rows)
    assert [figures.better(row, runs, lang) for row in rows] == [0, 0, None]
    assert figures.scored([make_run(3), None]) == ()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_table_and_the_details_name_the_scores(lang: str) -> None:
    reader = Reader(lang, {})
    with_scores = table(RunPage([make_run(1, scores=ONE), make_run(2, scores={})], 2), RunQuery(), reader)
    assert tr("benchmark.column.scores", lang) in with_scores and with_scores.count("of-scores") == 3
    assert tr("metrics.short.anls", lang) in with_scores
    assert "of-scores" not in table(RunPage([make_run(1)], 1), RunQuery(), reader)
    told = dict(facts(make_run(1, scores=ONE), lang)["quality"])
    assert told["anls"].startswith("90") and told["teds"] == "—" and "boxes_left_out" not in told
    assert dict(facts(make_run(1, boxes_left_out=0), lang)["quality"])["boxes_left_out"] == "0"


def test_the_command_line_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    show([make_run(1, scores=ONE), make_run(2, scores=TWO)], "en")
    assert tr("metrics.title.anls", "en") in capsys.readouterr().out


def test_the_objective_board_has_their_medians(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    try:
        for number, scores in enumerate((ONE, TWO, {"cer": 0.1})):
            store.save(make_run(number, scores=scores))
        store.save(make_run(7, scores={"anls": 0.0}, status="error"))
        store.save(make_run(8, model="other", title="Other", scores={"formula_edit": 0.1}))
        lines = board.board(store)
        assert [line.model for line in lines] == ["other", "tesseract"]
        assert lines[1].others == {"anls": 0.75, "formula_edit": 0.375}
        assert board.board(store, task="chat") == []
    finally:
        store.close()
    html = objective_table(lines, "en")
    heads = html[: html.index("</thead>")]
    assert "ANLS" in heads and "Formula" in heads and "TEDS" not in heads
    assert (
        html.count('class="best" data-label="Formula"') == 1
        and "10%" in html[html.index('class="best" data-label="Fo') :]
    )
