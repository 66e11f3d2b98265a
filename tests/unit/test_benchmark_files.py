"""What is written of a benchmark, as HTML, Markdown and tables: the same figures in all, and nothing alive in them."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas
import pytest
from benchmark_rows import TITLES, answered
from hostile import OUTPUTS

from arena.benchmarks_kept import Benchmark, KeptItem
from arena.core import Arena
from arena.types import Cell
from benchmarks.reports import summarise, summary_table, write_report
from benchmarks.reports.page import html
from benchmarks.reports.plots import draw
from benchmarks.reports.writing import write
from benchmarks.runs.plan import Plan

pytest_plugins = ("benchmark_arena",)
LANGUAGES = ("en", "ru")


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
