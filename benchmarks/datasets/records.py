"""What people write of an item, in a line of a list, in a file beside the image or in columns, becomes an `Item`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from benchmarks.datasets.items import DatasetError, Item
from benchmarks.datasets.languages import language_of
from benchmarks.datasets.reading import parsed, text_in
from benchmarks.metrics.truth import Fact, FactKind, Region, Truth

FIELDS = (
    *("id", "image", "page", "task", "language", "prompt", "split", "tags"),
    *("reference", "answers", "table", "formula", "regions", "facts"),
)
# Other names under which the same thing is found, in the metadata of image folders and in public sets.
ALSO = {
    **dict.fromkeys(("file_name", "image_path", "file", "path"), "image"),
    **dict.fromkeys(("text", "transcription", "ground_truth"), "reference"),
    **dict.fromkeys(("question", "query"), "prompt"),
    "answer": "answers",
    "html": "table",
    "latex": "formula",
    "lang": "language",
}


def field_of(name: str) -> str | None:
    """The field that a column or key of this name means, ``tags.x`` for a tag, None where it is none of ours.

    >>> field_of("File_Name"), field_of("tags.Kind"), field_of("width")
    ('image', 'tags.Kind', None)
    """
    plain = name.strip()
    if plain.lower().startswith("tags.") and len(plain) > 5:
        return f"tags.{plain[5:]}"
    field = ALSO.get(plain.lower(), plain.lower())
    return field if field in FIELDS else None


def fields(record: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The record by our names for its keys. Raises `DatasetError` for keys that mean nothing, and two that mean one."""
    given: dict[str, Any] = {}
    for name, value in record.items():
        field = field_of(name)
        if field is None:
            close = difflib.get_close_matches(name.lower(), [*FIELDS, *ALSO], n=1)
            raise DatasetError("column", place=place, column=name[:80], hint=", ".join(close or FIELDS))
        if field in given:
            raise DatasetError("column_twice", place=place, column=field)
        given[field] = value
    return given


def from_cells(cells: Mapping[str, str], place: str) -> dict[str, Any]:
    """The fields in cells of a table, in which lists are JSON, and answers may stand with a ``|`` between them."""
    given: dict[str, Any] = {}
    for field, cell in cells.items():
        if not cell.strip():
            continue
        value: Any = cell
        if field in ("answers", "regions", "facts", "tags"):
            if cell.lstrip().startswith(("[", "{")):
                value = parsed(cell, place)
            elif field == "answers":
                value = [answer.strip() for answer in cell.split("|")]
        given[field] = value
    return given


def item_of(given: Mapping[str, Any], image: Path | bytes, id: str, place: str) -> Item:
    """The item that fields describe. id: where none is given. Raises `DatasetError` for a value that does not fit."""
    record = dict(given)
    language = language_of(text_in(record, "language", place))
    if language is None:
        raise DatasetError("language", place=place, value=record["language"])
    return Item(
        id=text_in(record, "id", place) or id,
        image=image,
        truth=truth_of(record, place),
        page=page_of(record, place),
        task=text_in(record, "task", place).strip(),
        language=language,
        prompt=text_in(record, "prompt", place),
        tags=tags_of(record, place),
    )


def truth_of(record: dict[str, Any], place: str) -> Truth:
    """The parts of the truth that are given; an empty one is one that is not known."""
    return Truth(
        text=text_in(record, "reference", place) or None,
        answers=_answers(record["answers"], place) if "answers" in record else (),
        table=text_in(record, "table", place) or None,
        formula=text_in(record, "formula", place) or None,
        regions=tuple(_region(each, place) for each in _listed(record, "regions", place)),
        facts=tuple(_fact(each, place) for each in _listed(record, "facts", place)),
    )


def page_of(record: dict[str, Any], place: str) -> int:
    """The page of a PDF, 1 where none is given."""
    if record.get("page") in (None, "", 1):
        return 1
    text = text_in(record, "page", place).strip()
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 6 and int(text)):
        raise DatasetError("page", place=place, value=text[:80])
    return int(text)


def tags_of(record: dict[str, Any], place: str) -> dict[str, str]:
    """Tags from ``tags``, ``tags.x`` and ``split``; those without a value are left out."""
    together = record.get("tags") or {}
    if not isinstance(together, Mapping):
        raise _unfit(place, "tags", together)
    apart = {name[5:]: value for name, value in record.items() if name.startswith("tags.")}
    found = {**together, **apart, **({"split": record["split"]} if "split" in record else {})}
    return {str(name): text for name, value in found.items() if (text := _tag(value, str(name), place))}


def _tag(value: Any, name: str, place: str) -> str:
    return str(value).lower() if isinstance(value, bool) else text_in({f"tags.{name}": value}, f"tags.{name}", place)


def _answers(given: Any, place: str) -> tuple[str, ...]:
    listed = given if isinstance(given, list | tuple) else [given]
    known = [text_in({"answers": answer}, "answers", place) for answer in listed]
    return tuple(answer for answer in known if answer.strip())


def _listed(record: dict[str, Any], field: str, place: str) -> list[Any]:
    value = record.get(field)
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise _unfit(place, field, value)
    return list(value)


def _region(given: Any, place: str) -> Region:
    try:
        region = Region(*given) if isinstance(given, list | tuple) else Region(**given)
        x0, y0, x1, y1 = (float(side) for side in (region.x0, region.y0, region.x1, region.y1))
        score = None if region.score is None else float(region.score)
        if not (-1e9 < x0 <= x1 < 1e9 and -1e9 < y0 <= y1 < 1e9):
            raise ValueError
        return Region(x0, y0, x1, y1, _word(region.kind), _word(region.text), score)
    except (TypeError, ValueError) as error:
        raise _unfit(place, "regions", given) from error


def _fact(given: Any, place: str) -> Fact:
    try:
        fact = Fact(**given)
        counts = [fact.max_diffs, *(count for count in (fact.first_n, fact.last_n) if count is not None)]
        whole = all(type(count) is int and count >= 0 for count in counts) and type(fact.case_sensitive) is bool
        words = [fact.text, fact.after, *fact.neighbours, *fact.neighbours.values()]
        if fact.kind not in get_args(FactKind) or not whole or not _word(fact.text):
            raise ValueError
        for word in words:
            _word(word)
        return fact
    except (TypeError, ValueError, AttributeError) as error:
        raise _unfit(place, "facts", given) from error


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _unfit(place: str, field: str, value: Any) -> DatasetError:
    return DatasetError(
        "field", place=place, field=field, value=json.dumps(value, ensure_ascii=False, default=str)[:80]
    )
