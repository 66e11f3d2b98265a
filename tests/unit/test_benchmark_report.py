"""The report of a benchmark: every figure from its rows, nothing of a model's text alive in it, in both languages."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas
import pytest
from hostile import OUTPUTS
from PIL import Image, ImageDraw, ImageFont
from runs import make_run

from arena.benchmarks_kept import Benchmark, KeptItem
from arena.cancel import Cancel
from arena.cli import main
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.errors import RunError
from arena.strings import tr
from arena.types import Cell, Memory, Run, Timeline
from benchmarks.datasets import Dataset, Item
from benchmarks.metrics.truth import Truth
from benchmarks.reports import summarise, summary_table, write_report, writing
from benchmarks.reports.change import compared, saved
from benchmarks.reports.figures import ModelFigures, Report
from benchmarks.reports.page import html
from benchmarks.reports.plots import draw
from benchmarks.reports.writing import write
from benchmarks.runs.plan import Plan
from benchmarks.runs.runner import begin, carry_on

TITLES = {"tesseract": "Tesseract 5", "rapidocr": "RapidOCR"}
LANGUAGES = ("en", "ru")


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with arena_of(load_settings({"ARENA_HOME": str(tmp_path_factory.mktemp("home"))})) as opened:
        yield opened


def kept(arena: Arena, name: str, items: Sequence[KeptItem], models: Sequence[str] = ("tesseract", "rapidocr")) -> str:
    plan = Plan(name, name, "a set", "12" * 32, tuple(models), specs={model: {} for model in models})
    told = Benchmark(name, name, "a set", "12" * 32, plan.to_dict(), "done", datetime(2026, 1, 31, 12, tzinfo=UTC))
    arena.benchmarks.begin(told, items)
    return name


def item(number: int, **tags: str) -> KeptItem:
    language = ("ru", "en")[number % 2]
    return KeptItem(f"page-{number:03d}", number, "ocr", language, "Read", {"text": "one two three"}, tags, "")


def answered(arena: Arena, benchmark: str, number: int, model: str = "tesseract", repeat: int = 1, **changes) -> Run:
    """A saved answer to the item of that number."""
    side = "AB"[model != "tesseract"]
    seconds = changes.pop("seconds", 0.5)
    told = {
        "run_id": f"{benchmark}-{model}-{number}-{repeat}",
        "model": model,
        "title": TITLES.get(model, model),
        "side": side,
        "text": "one tvo three",
        "reference": "one two three",
        "image_sha256": None,
        "scores": {"cer": 0.1 + 0.002 * number, "wer": 0.3},
        "timeline": Timeline(0.0, None, 0.01, None, seconds / 2, seconds, seconds + 0.01, False),
        "memory": Memory(peak_ram_mb=300.0),
        "cell": Cell(benchmark, f"page-{number:03d}", repeat, "desk", changes.pop("cached_from", None)),
    }
    run = make_run(number, **{**told, **changes})
    arena.store.save(run)
    return run


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


@pytest.fixture(scope="module")
def two(arena: Arena) -> str:
    """Two models, one of which has not come to the end, on pages of two kinds, clean and blurred."""
    levels = [("clean", "0"), ("blur", "1"), ("blur", "2")]
    tags = [
        {"kind": ("form", "sign")[at % 2], "degradation": kind, "level": level}
        for at in range(20)
        for kind, level in levels
    ]
    name = kept(arena, "paired", [item(number, **each) for number, each in enumerate(tags)])
    for number in range(60):
        answered(arena, name, number, scores={"cer": 0.1 + 0.01 * (number % 3)})
        if number < 50:
            answered(arena, name, number, "rapidocr", scores={"cer": 0.2 + 0.02 * (number % 7)})
    return name


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


class Page(HTMLParser):
    """What of a document would run or fetch, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.alive: list[str] = []
        self.words: list[str] = []
        self.inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside.append(tag)
        for name, value in attrs:
            fetches = name in ("src", "href", "xlink:href", "srcset", "action", "poster", "data")
            if name.startswith("on") or (fetches and not (value or "").startswith(("data:image/webp", "#"))):
                self.alive.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self.inside[-1:] != ["script"] and self.inside[-1:] != ["style"]:
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass


@pytest.fixture(scope="module")
def hostile(arena: Arena) -> str:
    """A benchmark whose every text is an attack: answers, references, items, tags, titles, its name."""
    attacks = list(OUTPUTS.values())
    name = "nasty"
    items = []
    for at, attack in enumerate(attacks):
        tags = {
            "kind": attacks[at % 5],
            "<b>tag</b>": f"=cmd|{at % 2}",
            "degradation": "<i>blur</i>",
            "level": str(at % 3),
        }
        items.append(KeptItem(f"={attack[:40]}-{at}", at, "ocr", "en", "Read", {"text": attack}, tags, ""))
    plan = Plan(
        name, attacks[0], attacks[1], "12" * 32, ("tesseract", "rapidocr"), specs={"tesseract": {}, "rapidocr": {}}
    )
    told = Benchmark(name, attacks[0], attacks[1], "12" * 32, plan.to_dict(), "done")
    arena.benchmarks.begin(told, items)
    for at, attack in enumerate(attacks):
        for model in ("tesseract", "rapidocr"):
            cell = Cell(name, items[at].item, 1, attack[:30], None)
            answered(
                arena, name, at, model, title=f"{TITLES[model]} <script>window.hit=1</script>", text=attack, cell=cell,
                reference=attack[::-1], scores={"cer": 0.5 + at / 1000}, device=attack[:50],
            )  # fmt: skip
    return name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_that_a_model_wrote_is_alive_in_the_page(arena: Arena, hostile: str, lang: str) -> None:
    report = summarise(arena, hostile)
    page = html(report, lang, draw(report, lang))
    found = Page(page)
    assert found.alive == []
    assert page.count("<script") == 1
    assert "default-src 'none'" in page and "unsafe-eval" not in page
    said = "".join(found.words)
    assert report.examples[0].reference[:20] in said or report.examples[0].reference[:20].strip() in said


def test_nothing_that_a_model_wrote_is_alive_in_markdown(arena: Arena, hostile: str, tmp_path: Path) -> None:
    from markdown_it import MarkdownIt

    write(arena, summarise(arena, hostile), tmp_path, "en", ["md"])
    document = (tmp_path / "report.md").read_text(encoding="utf-8")
    # As GitHub reads it: with the HTML inside it.
    found = Page(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(document))
    assert [each for each in found.alive if not re.fullmatch(r"img src=plots/[\w.-]+", each)] == []
    assert "script" not in {
        tag for tag in re.findall(r"<(\w+)", MarkdownIt("commonmark").render(document)) if tag != "code"
    }


def tree(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)  # noqa: S314 - we wrote it


def cells(path: Path) -> dict[str, list[list[tuple[str, str]]]]:
    """Of every sheet the rows: of each cell its type and its value."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as book:
        shared = (
            ["".join(part.itertext()) for part in tree(book.read("xl/sharedStrings.xml"))]
            if "xl/sharedStrings.xml" in book.namelist()
            else []
        )
        names = [sheet.get("name", "") for sheet in tree(book.read("xl/workbook.xml")).iter(f"{space}sheet")]
        found: dict[str, list[list[tuple[str, str]]]] = {}
        for at, name in enumerate(names, 1):
            sheet = tree(book.read(f"xl/worksheets/sheet{at}.xml"))
            assert not list(sheet.iter(f"{space}f")) and not list(sheet.iter(f"{space}hyperlink"))
            rows = []
            for row in sheet.iter(f"{space}row"):
                line = []
                for cell in row.iter(f"{space}c"):
                    text = "".join(cell.itertext())
                    kind = cell.get("t", "n")
                    line.append((kind, shared[int(text)] if kind == "s" else text))
                rows.append(line)
            found[name] = rows
    return found


def test_a_spreadsheet_has_numbers_as_numbers_and_no_formula(arena: Arena, hostile: str, tmp_path: Path) -> None:
    write(arena, summarise(arena, hostile), tmp_path, "en", ["xlsx"])
    book = cells(tmp_path / "report.xlsx")
    assert list(book) == ["Summary", "By kind", "By degradation", "Tests", "Rows"]
    for rows in book.values():
        for row in rows:
            assert not [
                value for kind, value in row if kind in ("s", "inlineStr") and value.startswith(("=", "+", "-", "@"))
            ]
    head, first = book["Summary"][:2]
    assert {kind for kind, _ in first[3:]} == {"n", "s", "inlineStr"} or "n" in {kind for kind, _ in first}
    assert [value for _, value in head][:2] == ["model", "title"]
    assert len(book["Rows"]) == 1 + 2 * len(OUTPUTS)


def test_every_file_tells_the_same(arena: Arena, two: str, tmp_path: Path) -> None:
    page = write_report(arena, two, tmp_path, "en")
    assert page == tmp_path / "report.html"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "report.html",
        "report.md",
        "rows.csv",
        "summary.csv",
        "rows.parquet",
        "report.xlsx",
        "benchmark.lock.json",
        "plots",
    }
    table = pandas.read_csv(tmp_path / "rows.csv")
    parquet = pandas.read_parquet(tmp_path / "rows.parquet")
    assert len(table) == len(parquet) == 110
    assert parquet["cer"].mean() == pytest.approx(table["cer"].mean())
    assert str(parquet["created_at"].dtype).startswith("datetime64")
    report = summarise(arena, two)
    with (tmp_path / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        first = next(iter(csv.DictReader(file)))
    assert float(first["value"]) == report.models[0].scores["cer"].headline.value
    document = (tmp_path / "report.md").read_text(encoding="utf-8")
    for address in re.findall(r"\]\((plots/[^)]+)\)", document):
        assert (tmp_path / address).stat().st_size > 500
    assert json.loads((tmp_path / "benchmark.lock.json").read_text())["dataset"]["sha256"] == "12" * 32
    # The interval that the table shows is in the document too.
    assert summary_table(report, "en")[1][1].split(" ")[0] in document


# What stays as it is in any language: names of programs, methods, units, models and files.
NAMES = {
    *("tesseract", "rapidocr", "tesserocr", "vlm", "arena", "cer", "wer", "sha", "bca", "python", "bench", "run"),
    *("dataset", "models", "utc", "set", "page", "one", "two", "three", "tvo", "some", "cpu", "cores", "desk", "auto"),
    *("none", "nvml", "paired", "ocr", "embedded", "task"),
}  # fmt: skip


def test_a_russian_report_has_no_english_words_left_over(arena: Arena, two: str, tmp_path: Path) -> None:
    report = summarise(arena, two)
    write(arena, report, tmp_path, "ru", ["html", "md"])
    said = " ".join(Page((tmp_path / "report.html").read_text(encoding="utf-8")).words)
    document = re.sub(
        r"```text.*?```|\]\([^)]*\)", "", (tmp_path / "report.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    for text in (said, document):
        assert set(re.findall(r"[a-z]{3,}", text.lower())) - NAMES == set()
    english = Page(html(report, "en", None)).words
    assert not re.search("[а-яё]", "".join(english), re.IGNORECASE)


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
