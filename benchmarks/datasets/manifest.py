"""A list of images with what is asked and known of each: CSV, with commas, semicolons or tabs, or JSON lines.

``items``, ``manifest`` or ``metadata`` in the folder of the images, or the one list there. Its fields are in
`benchmarks.datasets.records`; in a CSV a cell may hold JSON.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.datasets.items import Dataset, DatasetError, Item
from benchmarks.datasets.reading import Within, beginning, lines, lists, text_in, text_of
from benchmarks.datasets.records import field_of, fields, from_cells, item_of, page_of

TURN = 2
TABLES = (".csv", ".tsv")
SUFFIXES = (*TABLES, ".jsonl", ".ndjson")
NAMES = ("items", "manifest", "metadata")
DELIMITERS = ",;\t"
csv.field_size_limit(1 << 28)  # the regions of a page in one cell are longer than the 128 KiB of the module


def recognises(path: Path) -> bool:
    return _list(path) is not None


def load(path: Path) -> Dataset:
    file = _list(path)
    assert file is not None  # noqa: S101 - `recognises` has found it
    within = Within(file.parent)
    rows = (
        _table(file) if file.suffix.lower() in TABLES else ((place, fields(each, place)) for place, each in lines(file))
    )
    seen: Counter[str] = Counter()
    items = tuple(_item(given, place, within, seen) for place, given in rows)
    name = file.parent.resolve().name if path.is_dir() or file.stem in NAMES else file.stem
    return Dataset(name, items)


def _list(path: Path) -> Path | None:
    """The list that the path is or holds."""
    found = [file for file in lists(path, *SUFFIXES) if _names_images(file)]
    preferred = [file for name in NAMES for file in found if file.stem.lower() == name]
    return next(iter(preferred), found[0] if len(found) == 1 else None)


def _names_images(file: Path) -> bool:
    start = beginning(file)
    if file.suffix.lower() not in TABLES:
        return any(f'"{name}"' in start for name in ("image", "file_name", "image_path"))
    return any("image" in (field_of(name.strip('" ')) or "") for name in _split(start.split("\n")[0].rstrip("\r")))


def _split(header: str) -> list[str]:
    return header.split(_delimiter(header))


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _table(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = text_of(file)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.split("\n", 1)[0]), strict=True)
    try:
        names = next(reader)
        while names and not names[-1].strip():  # spreadsheets leave empty columns behind
            names.pop()
        columns: list[str] = []
        for name in names:
            field = next(iter(fields({name: ""}, f"{file.name}:1")))
            if field in columns:
                raise DatasetError("column_twice", place=f"{file.name}:1", column=field)
            columns.append(field)
        for row in reader:
            place = f"{file.name}:{reader.line_num}"
            if any(cell.strip() for cell in row[len(columns) :]):
                raise DatasetError("cells", place=place, found=len(row), expected=len(columns))
            if any(cell.strip() for cell in row):
                yield place, from_cells(dict(zip(columns, row, strict=False)), place)
    except csv.Error as error:
        raise DatasetError("csv", place=f"{file.name}:{reader.line_num}", problem=error) from error


def _item(given: dict[str, Any], place: str, within: Within, seen: Counter[str]) -> Item:
    name = given.get("image")
    if not isinstance(name, str) or not name.strip():
        raise DatasetError("no_image", place=place)
    id = text_in(given, "id", place)
    if not id:
        page = page_of(given, place)
        id = name.strip() if page == 1 else f"{name.strip()}#{page}"
        seen[id] += 1  # several questions may be asked of one image
        id = id if seen[id] == 1 else f"{id}~{seen[id]}"
    return item_of(given, within.file(name.strip(), place), id, place)
