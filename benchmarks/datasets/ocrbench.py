"""OCRBench: 1,000 questions about text in images, as its makers publish it (a JSON list and a folder of images) or in
the Parquet of its dataset page.

Each right wording is an answer; the kind of question and the set it was taken from are tags.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.datasets.huggingface import packed
from benchmarks.datasets.items import Dataset, DatasetError, Item
from benchmarks.datasets.reading import Within, beginning, beside, entries, folders, lists, text_in
from benchmarks.datasets.records import truth_of
from benchmarks.datasets.rows import columns, has_rows, shards
from benchmarks.metrics.truth import Truth

TURN = 1
NAME = "OCRBench"
SOURCE = "github.com/Yuliang-Liu/MultimodalOCR, arXiv 2305.07895"
COLUMNS = {"dataset": "dataset_name", "question_type": "type", "answer": "answers", "question": "question"}
FORMULAS = "Handwritten Mathematical Expression Recognition"


def recognises(path: Path) -> bool:
    return question_list(path, second=False) is not None or has_columns(path, set(COLUMNS))


def load(path: Path) -> Dataset:
    file = question_list(path, second=False)
    if file is None:
        rows = packed(shards(path), lambda row, id, place: _item(_named(row), b"", id, place), COLUMNS.get)
        return Dataset(NAME, rows, SOURCE)
    return Dataset(NAME if file.stem == NAME else f"{NAME} {file.stem}", listed(file, _item), SOURCE)


def question_list(path: Path, *, second: bool) -> Path | None:
    """The JSON list of questions of OCRBench or its second version: the path, or in it or its folder of that name."""
    within = [path, *(folder for folder in folders(path) if folder.name.startswith(NAME))]
    found = [file for each in within for file in lists(each, ".json") if _asks(beginning(file), second)]
    return next((file for file in found if file.stem.startswith(NAME)), next(iter(found), None))


def has_columns(path: Path, names: set[str]) -> bool:
    """Whether the rows at the path have all these columns."""
    try:
        return has_rows(path) and any(names <= set(columns(shard)) for shard in shards(path)[:1])
    except DatasetError:
        return False


def listed(file: Path, made: Any) -> tuple[Item, ...]:
    """The questions of a JSON list as items, by `made`, their images found beside it."""
    whole = list(entries(file))
    within = Within(file.parent)
    prefix = beside(file.parent, (text_in(entry, "image_path", place) for place, entry in whole))
    items = []
    for number, (place, entry) in enumerate(whole):
        name = text_in(entry, "image_path", place)
        if not name:
            raise DatasetError("no_image", place=place)
        items.append(made(entry, within.file(prefix + name, place), str(number), place))
    return tuple(items)


def _asks(start: str, second: bool) -> bool:
    of_second = any(f' {language}"' in start for language in ("en", "cn"))
    asks = all(f'"{key}"' in start for key in ("dataset_name", "image_path", "question", "answers", "type"))
    return asks and second == of_second


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {COLUMNS.get(name, name): value for name, value in row.items()}


def _item(entry: dict[str, Any], image: Path | bytes, id: str, place: str) -> Item:
    kind = text_in(entry, "type", place)
    answers = truth_of({"answers": entry.get("answers")}, place).answers
    formula = answers[0].strip() if kind == FORMULAS and answers else None
    return Item(
        id=id,
        image=image,
        truth=Truth(answers=answers, formula=formula),
        task="formatted_ocr" if formula else "question",
        language="en",
        prompt=text_in(entry, "question", place),
        tags={"kind": kind, "set": text_in(entry, "dataset_name", place)},
    )
