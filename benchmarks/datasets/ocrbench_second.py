"""OCRBench v2: 10,000 questions in English and Chinese, as its makers publish it (``OCRBench_v2.json`` with ``EN_part``
and ``CN_part``) or in the Parquet of its dataset page.

What its own evaluation holds against something that a truth here cannot say (fields of a form, data of a chart, boxes
in thousandths of an image) has no truth and is asked, but not scored; see docs/datasets.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.datasets.huggingface import packed
from benchmarks.datasets.items import Dataset, Item
from benchmarks.datasets.ocrbench import has_columns, listed, question_list
from benchmarks.datasets.reading import text_in
from benchmarks.datasets.records import truth_of
from benchmarks.datasets.rows import shards
from benchmarks.metrics.truth import Truth

TURN = 1
NAME = "OCRBench v2"
SOURCE = "github.com/Yuliang-Liu/MultimodalOCR, arXiv 2501.00321"
LICENCE = "research only, not for commercial use"
COLUMNS = frozenset(("dataset_name", "question", "type", "answers", "eval"))
LANGUAGES = {"en": "en", "cn": "zh"}
READ = ("full-page OCR", "fine-grained text recognition")  # the answer is the text
FORMATTED = ("document parsing",)  # the answer is the page in Markdown
TABLES = ("table parsing",)
FORMULAS = ("formula recognition",)
UNSAID = (
    "key information extraction",
    "key information mapping",
    "chart parsing",
    "VQA with position",
    "text grounding",
    "text spotting",
)


def recognises(path: Path) -> bool:
    return question_list(path, second=True) is not None or has_columns(path, set(COLUMNS) - {"eval"})


def load(path: Path) -> Dataset:
    file = question_list(path, second=True)
    if file is not None:
        return Dataset(NAME, listed(file, _item), SOURCE, LICENCE)
    rows = packed(shards(path), lambda row, id, place: _item(row, b"", id, place), COLUMNS.__contains__)
    return Dataset(NAME, rows, SOURCE, LICENCE)


def _item(entry: dict[str, Any], image: Path | bytes, id: str, place: str) -> Item:
    kind, _, language = text_in(entry, "type", place).rpartition(" ")
    tags = {"kind": kind or language, "set": text_in(entry, "dataset_name", place)}
    scoring = text_in(entry, "eval", place)
    return Item(
        id=id,
        image=image,
        truth=Truth() if kind in UNSAID else _truth(kind, truth_of({"answers": entry.get("answers")}, place).answers),
        task="ocr" if kind in READ else "formatted_ocr" if kind in (*FORMATTED, *TABLES, *FORMULAS) else "question",
        language=LANGUAGES.get(language, ""),
        prompt=text_in(entry, "question", place),
        tags=tags | ({"scoring": scoring} if scoring else {}),
    )


def _truth(kind: str, answers: tuple[str, ...]) -> Truth:
    first = answers[0] if answers else None
    if kind in (*READ, *FORMATTED):
        return Truth(text=first)
    if kind in TABLES:
        return Truth(table=first)
    return Truth(answers=answers, formula=first if kind in FORMULAS else None)
