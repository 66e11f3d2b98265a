"""olmOCR-bench: facts about pages of PDFs, as its makers publish it: ``bench_data`` with a file of JSON lines for every
source of documents, and the folder ``pdfs``.

All facts of a page are one item. Its tests of headings, of footnotes and of a page's being empty have no fact here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.datasets.items import Dataset, DatasetError, Item
from benchmarks.datasets.reading import Within, beginning, files, lines, text_in
from benchmarks.datasets.records import page_of, truth_of
from benchmarks.metrics.truth import Fact, Truth

TURN = 1
NAME = "olmOCR-bench"
SOURCE = "github.com/allenai/olmocr, arXiv 2502.18443"
LICENCE = "ODC-By"
NEIGHBOURS = ("up", "down", "left", "right", "top_heading", "left_heading")
KINDS = {"present": "text", "absent": "text", "order": "before", "table": "cell", "math": "math"}  # and what each wants
OURS = {"table": "cell", "math": "formula"}


def recognises(path: Path) -> bool:
    return _folder(path) is not None


def load(path: Path) -> Dataset:
    folder = _folder(path)
    assert folder is not None  # noqa: S101 - `recognises` has found it
    within = Within(folder)
    images: dict[str, tuple[Path, str, int]] = {}
    facts: dict[str, list[Fact]] = {}
    for file in files(path if path.is_file() else folder, ".jsonl"):
        for place, test in lines(file):
            name, page = text_in(test, "pdf", place), page_of(test, place)
            if not name:
                raise DatasetError("no_image", place=place)
            id = f"{name}#{page}"
            if id not in images:
                images[id] = within.file(f"pdfs/{name}", place), file.stem, page
            if (fact := _fact(test, place)) is not None:
                facts.setdefault(id, []).append(fact)
    items = (_item(id, *images[id], tuple(facts.get(id, ()))) for id in images)
    return Dataset(NAME, tuple(items), SOURCE, LICENCE)


def _folder(path: Path) -> Path | None:
    """The folder with the tests and ``pdfs``: the path, ``bench_data`` in it, or that of a file of tests."""
    for folder in (path.parent,) if path.is_file() else (path, path / "bench_data"):
        tests = files(path if path.is_file() else folder, ".jsonl")
        if (folder / "pdfs").is_dir() and any('"pdf"' in beginning(file) for file in tests[:1]):
            return folder
    return None


def _item(id: str, image: Path, split: str, page: int, facts: tuple[Fact, ...]) -> Item:
    # Its facts ask for Markdown with tables and formulas.
    return Item(id, image, Truth(facts=facts), page, "formatted_ocr", "en", tags={"split": split})


def _fact(test: dict[str, Any], place: str) -> Fact | None:
    """A test as a fact, None for a kind of test that no fact of ours can say."""
    kind = text_in(test, "type", place)
    wanted = text_in(test, KINDS[kind], place) if kind in KINDS else ""
    if not wanted.strip():
        return None
    fact: dict[str, Any] = {"kind": OURS.get(kind, kind), "text": wanted}
    fact |= {
        key: test[key] for key in ("max_diffs", "case_sensitive", "first_n", "last_n") if test.get(key) is not None
    }
    if kind == "order":
        fact["after"] = text_in(test, "after", place)
    if kind == "table":
        fact["neighbours"] = {key: value for key in NEIGHBOURS if (value := text_in(test, key, place))}
    return truth_of({"facts": [fact]}, place).facts[0]
