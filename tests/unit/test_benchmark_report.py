"""The report of a benchmark: every figure from its rows, and what became worse since an earlier one."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from benchmark_rows import TITLES, answered, item, kept
from PIL import Image, ImageDraw, ImageFont

from arena.benchmarks_kept import KeptItem
from arena.cancel import Cancel
from arena.cli import main
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.errors import RunError
from arena.strings import tr
from arena.types import Timeline
from benchmarks.datasets import Dataset, Item
from benchmarks.metrics.truth import Truth
from benchmarks.reports import summarise, write_report, writing
from benchmarks.reports.change import compared, saved
from benchmarks.reports.figures import ModelFigures, Report
from benchmarks.reports.writing import write
from benchmarks.runs.runner import begin, carry_on

pytest_plugins = ("benchmark_arena",)
LANGUAGES = ("en", "ru")


def only(report: Report) -> ModelFigures:
    (model,) = report.models
    return model


def test_a_failed_answer_counts_as_the_worst_and_never_pays(arena: Arena) -> None:
    name = kept(arena, "failing", [item(number) for number in range(8)], ["tesseract"])
    for number in range(5):
        answered(arena, name, number, scores={"cer": 0.2, "wer": 3.0})
    answered(arena, name, 5, status="timeout", scores={}, text="")
    answered(arena, name, 6, status="empty", scores={"cer": 1.0, "wer": 1.0}, text="")
    answered(arena, name, 7, status="cancelled", scores={}, text="")
    found = only(summarise(arena, name))
    assert found.scores["cer"].headline.value == pytest.approx((5 * 0.2 + 1 + 1) / 7)
    assert found.scores["cer"].answered.value == pytest.approx((5 * 0.2 + 1) / 6)
    # An answer that is all wrong is worse than none in no headline, and as bad as it is over answers.
    assert found.scores["wer"].headline.value == pytest.approx(1.0)
    assert found.scores["wer"].answered.value == pytest.approx((5 * 3.0 + 1) / 6)
    assert (found.failed.count, found.failed.of, found.flawed.count) == (1, 7, 1)
    assert found.statuses["cancelled"] == 1


def test_what_better_is_higher_counts_zero_where_there_is_no_answer(arena: Arena) -> None:
    name = kept(arena, "similar", [item(number) for number in range(2)], ["tesseract"])
    answered(arena, name, 0, scores={"anls": 0.8})
    answered(arena, name, 1, status="error", scores={})
    report = summarise(arena, name)
    # The second item was answered by nobody, but its task asks for error rates and its truth has a text.
    assert only(report).scores["anls"].headline.n == 1
    assert only(report).scores["cer"].headline.value == 1.0


def test_times_are_of_answers_given_then_cold_and_warm_apart(arena: Arena) -> None:
    name = kept(arena, "timed", [item(number) for number in range(120)], ["tesseract"])
    cold = Timeline(0.0, None, 0.02, 1.5, 2.0, 4.0, 5.5, True)
    answered(arena, name, 0, repeat=0, timeline=cold)
    answered(arena, name, 1, repeat=0, seconds=9.0)
    for number in range(110):
        answered(arena, name, number, seconds=(number + 1) / 100)
    answered(arena, name, 110, seconds=50.0, cached_from="another")
    answered(arena, name, 111, seconds=60.0, status="timeout", scores={})
    found = only(summarise(arena, name))
    assert (found.cold.generate.n, found.cold.load.p50, found.cold.generate.p99) == (1, 1.5, None)
    assert found.warm.generate.n == 110
    assert found.warm.generate.p50 == pytest.approx(0.555)
    assert found.warm.generate.p99 == pytest.approx(np.quantile(np.arange(1, 111) / 100, 0.99))
    assert found.answers_per_min == pytest.approx(60 / 0.555)
    assert (found.rows, found.cached) == (112, 1)


def test_repeats_of_an_item_are_one_value(arena: Arena) -> None:
    name = kept(arena, "repeated", [item(number) for number in range(6)], ["tesseract"])
    for number in range(6):
        for repeat in (1, 2, 3):
            answered(arena, name, number, repeat=repeat, scores={"cer": 0.1 * number + 0.01 * repeat})
    found = only(summarise(arena, name)).scores["cer"].headline
    assert found.n == 6
    assert found.value == pytest.approx(0.25 + 0.02)


def test_models_are_tested_on_the_items_that_both_were_asked(arena: Arena, two: str) -> None:
    report = summarise(arena, two)
    (pair,) = report.pairs
    assert (pair.difference.n, pair.wins, pair.losses) == (50, 50, 0)
    assert pair.adjusted is not None and pair.adjusted < 0.001
    assert pair.difference.value is not None and pair.difference.value < 0
    assert {each.group for each in report.slices} == {"language", "kind", "degradation"}
    blurred = [each for each in report.slice_pairs if (each.value, each.level) == ("blur", "2")]
    assert [each.pair.difference.n for each in blurred] == [16]
    clean = [each for each in report.slices if each.group == "degradation" and not each.value]
    assert {each.score.n for each in clean} == {20, 17}


def test_an_item_that_could_not_be_read_counts_nowhere(arena: Arena) -> None:
    broken = KeptItem("page-001", 1, "ocr", "ru", "Read", {"text": "x"}, {}, "", "no picture")
    name = kept(arena, "unreadable", [item(0), broken], ["tesseract"])
    answered(arena, name, 0, scores={"cer": 0.5})
    answered(arena, name, 1, status="error", scores={})
    report = summarise(arena, name)
    assert (report.items, report.unreadable) == (1, 1)
    assert only(report).scores["cer"].headline.value == 0.5
    assert only(report).failed.count == 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_benchmark_without_answers_says_so(arena: Arena, tmp_path: Path, lang: str) -> None:
    name = kept(arena, f"empty-{lang}", [item(0)])
    page = write_report(arena, name, tmp_path, lang).read_text(encoding="utf-8")
    assert tr("bench_report.empty", lang) in page
    assert (tmp_path / "rows.csv").read_text(encoding="utf-8").count("\n") == 1


def test_a_benchmark_where_every_answer_failed_is_a_report(arena: Arena, tmp_path: Path) -> None:
    name = kept(arena, "all-failed", [item(number) for number in range(6)])
    for number in range(6):
        for model in TITLES:
            answered(arena, name, number, model, status="oom", scores={}, text="")
    report = summarise(arena, name)
    assert [model.scores["cer"].headline.value for model in report.models] == [1.0, 1.0]
    assert [model.scores["cer"].answered.value for model in report.models] == [None, None]
    assert report.pairs[0].p == 1.0
    write(arena, report, tmp_path, "en")


def test_answers_without_a_right_one_are_a_report_of_times(arena: Arena, tmp_path: Path) -> None:
    name = kept(arena, "unscored", [KeptItem("page-000", 0, "description", "en", "?", {}, {}, "")], ["tesseract"])
    answered(arena, name, 0, scores={})
    report = summarise(arena, name)
    assert report.metrics == () and report.examples == ()
    write(arena, report, tmp_path, "ru")
    assert tr("bench_report.unscored", "ru") in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_benchmark_there_is_not_and_a_missing_package_are_said(
    arena: Arena, two: str, tmp_path: Path, monkeypatch
) -> None:
    with pytest.raises(RunError, match="nowhere"):
        summarise(arena, "nowhere")
    report = summarise(arena, two)
    monkeypatch.setattr(writing, "missing", lambda module: True)
    written = write(arena, report, tmp_path, "en")
    assert written.left_out == {"parquet": "pyarrow", "xlsx": "xlsxwriter", "plots": "matplotlib"}
    assert "pip install -r requirements/bench.txt" in (tmp_path / "report.html").read_text(encoding="utf-8")
    monkeypatch.setattr("benchmarks.reports.needs.missing", lambda module: True)
    with pytest.raises(RunError, match=r"XlsxWriter.*pip install -r requirements/bench.txt"):
        write(arena, report, tmp_path, "en", ["xlsx"])
    with pytest.raises(RunError, match="docx"):
        write(arena, report, tmp_path, "en", ["docx"])


def twice(arena: Arena, name: str, worse: float, seconds: float) -> str:
    kept(arena, name, [item(number) for number in range(30)])
    for number in range(30):
        answered(
            arena, name, number, scores={"cer": 0.1 + worse + 0.01 * (number % 5)}, seconds=seconds * (1 + number % 3)
        )
        answered(arena, name, number, "rapidocr", scores={"cer": 0.2 + 0.01 * (number % 5)}, app_version=name)
    return name


def test_a_benchmark_is_held_against_an_earlier_one_or_its_files(arena: Arena, tmp_path: Path) -> None:
    before, after = twice(arena, "before", 0.0, 0.5), twice(arena, "after", 0.05, 1.0)
    write(arena, summarise(arena, before), tmp_path / "parquet", "en", ["parquet", "lock"])
    write(arena, summarise(arena, before), tmp_path / "csv", "en", ["csv"])
    for earlier in (before, str(tmp_path / "parquet"), str(tmp_path / "csv")):
        found = compared(saved(arena, earlier), saved(arena, after))
        verdicts = {(each.model, each.metric): each.verdict for each in found.changes}
        assert verdicts["tesseract", "cer"] == verdicts["tesseract", "generate_s"] == "worse"
        assert (
            verdicts["rapidocr", "cer"]
            == verdicts["rapidocr", "failed"]
            == verdicts["rapidocr", "generate_s"]
            == "same"
        )
        cer = next(each for each in found.changes if (each.model, each.metric) == ("tesseract", "cer"))
        assert cer.difference.value == pytest.approx(0.05)
        slower = next(each for each in found.changes if each.metric == "generate_s")
        assert slower.difference.value == pytest.approx(2.0)
        assert ("rapidocr app_version", "before", "after") in found.others
    better = compared(saved(arena, after), saved(arena, before))
    assert better.regressions == []
    with pytest.raises(RunError, match="rows"):
        saved(arena, str(tmp_path))


def test_the_command_line_reports_and_names_what_became_worse(tmp_path: Path, monkeypatch, capsys) -> None:
    home = tmp_path / "home"
    with arena_of(load_settings({"ARENA_HOME": str(home)})) as opened:
        twice(opened, "first", 0.0, 0.5)
        twice(opened, "second", 0.04, 0.5)
    monkeypatch.setenv("ARENA_HOME", str(home))
    assert (
        main(["bench", "report", "first", "--out", str(tmp_path / "out"), "--format", "html", "csv", "--lang", "ru"])
        == 0
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report.html", "rows.csv", "summary.csv"]
    assert "Tesseract 5" in capsys.readouterr().out
    assert main(["bench", "diff", "first", "second"]) == 0
    assert "WORSE" in capsys.readouterr().out
    assert main(["bench", "diff", "first", "second", "--fail-on-regression", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [each["metric"] for each in told["changes"] if each["verdict"] == "worse"] == ["cer"]
    assert main(["bench", "diff", "second", "first", "--fail-on-regression"]) == 0


def written_page(text: str) -> bytes:
    image = Image.new("RGB", (420, 90), "white")
    ImageDraw.Draw(image).text((16, 22), text, fill="black", font=ImageFont.load_default(size=36))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_a_report_of_real_engines_on_real_pictures(arena: Arena, tmp_path: Path) -> None:
    texts = ["Invoice 2024", "Total 149.90", "Paid in cash", "Room 17 left", "Green tea 250", "No smoking here"]
    items = [
        Item(f"{at}", written_page(text), Truth(text=text), language="en", tags={"kind": ("line", "sign")[at % 2]})
        for at, text in enumerate(texts)
    ]
    plan = begin(arena, Dataset("lines", items), ["tesseract", "rapidocr"])
    for _ in carry_on(arena, plan.id, Cancel()):
        pass
    report = summarise(arena, plan.id)
    assert [model.model for model in report.models] == ["tesseract", "rapidocr"]
    for model in report.models:
        headline = model.scores["cer"].headline
        assert headline.n == 6 and headline.value is not None and headline.value < 0.2
        assert model.warm.generate.n == 6 and model.cold.load.p50 is not None and model.cold.load.p50 > 0
        assert model.peak_ram_mb is not None and model.peak_ram_mb > 20
        assert model.failed.count == 0
    assert all(example.image is not None for example in report.examples)
    page = write_report(arena, plan.id, tmp_path, "en").read_text(encoding="utf-8")
    assert page.count("data:image/webp") == len(report.examples) == 6
    assert page.count("<svg") >= 4
