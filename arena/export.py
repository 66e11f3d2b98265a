"""Runs as CSV that spreadsheets and pandas read alike.

- UTF-8 with a byte order mark, lines end with CR LF, cells are quoted where they must be (RFC 4180).
- Columns: the fields of `Run` in their order, timeline and memory flattened; then one for every registered metric.
  Parameters and library versions are JSON text, boxes only counted; `error_text` is left out.
- Unknown is an empty cell. Times are ISO 8601 in UTC (``2026-01-31T12:00:00.123456Z``). Yes and no are ``true`` and
  ``false``. NUL and lone surrogates, that UTF-8 files should not or cannot hold, become U+FFFD.
- With a semicolon, the file is for a spreadsheet whose decimal sign is a comma, as in Russia: numbers are written
  ``1,5``, for such a program takes ``1.5`` for the first of May. pandas: ``read_csv(file, sep=";", decimal=",")``.
- A text that a spreadsheet would take for a formula gets an apostrophe before it: at its beginning, and, because a
  program that splits cells at another sign sees cells where we see none, after every line break, tab, comma and
  semicolon inside it, white space and quotes passed over. Formulas begin with ``=``, ``+``, ``-``, ``@`` or their
  full-width forms; a text that begins with a tab or a line break is treated the same. Numbers are left alone.
  `plain` takes the apostrophes away again, exactly.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

from arena.columns import FIELDS, UNSTORABLE, Row, to_row
from arena.types import Run
from benchmarks.metrics import METRICS

BOM = "\ufeff"
_SKIPPED = r"""(?:[^\S\t\r\n]|["\u200b\ufeff])*"""
_FORMULA = rf"'*{_SKIPPED}[=+\-@＝＋－＠]"
_PLACE = rf"\A(?=(?:{_FORMULA})|'*[\t\r\n])|(?<=[\t\r\n,;])(?={_FORMULA})"
DANGER = re.compile(_PLACE)
DEFUSED = re.compile(_PLACE.replace(r"\A(?=", r"\A'(?=").replace(r"])(?=", r"])'(?="))


class TextFile(Protocol):
    """Anything that text can be written to; a file is to be opened with ``encoding="utf-8", newline=""``."""

    def write(self, text: str, /) -> Any: ...


def columns() -> list[str]:
    """The heads of the CSV."""
    return [*(field.name for field in FIELDS), *METRICS]


def defuse(text: str) -> str:
    """`text` with an apostrophe wherever a spreadsheet would begin a formula.

    >>> defuse("=1+1")
    "'=1+1"
    """
    return DANGER.sub("'", text)


def plain(text: str) -> str:
    """What `defuse` was given."""
    return DEFUSED.sub("", text)


def write_csv(runs: Iterable[Run] | Iterable[Row], file: TextFile, delimiter: str = ",") -> int:
    """Write the runs as they come, holding none of them. Returns how many there were.

    runs: ``store.rows(query)``, the fast way, or `Run` objects. delimiter: a comma or a semicolon.
    """
    if delimiter not in (",", ";"):
        raise ValueError(f"neither a comma nor a semicolon: {delimiter!r}")
    file.write(BOM)
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(columns())
    cells: list[tuple[int, Callable[[Any], Any]]]
    cells = [(index, _CELLS[field.kind]) for index, field in enumerate(FIELDS) if field.kind in _CELLS]
    if delimiter == ";":
        cells += [(index, _comma) for index, field in enumerate(FIELDS) if field.kind is float]
    count = 0
    for run in runs:
        values, scores = to_row(run) if isinstance(run, Run) else run
        row = list(values)
        for index, cell in cells:
            if row[index] is not None:
                row[index] = cell(row[index])
        row += [scores.get(name) if delimiter == "," else _comma(scores.get(name)) for name in METRICS]
        writer.writerow(row)
        count += 1
    return count


def _text(value: str) -> str:
    return defuse(UNSTORABLE.sub("\ufffd", value))


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _comma(value: float | None) -> str | None:
    return None if value is None else repr(value).replace(".", ",")


_CELLS: dict[type, Callable[[Any], str]] = {
    str: _text,
    dict: _text,
    datetime: _moment,
    bool: lambda value: "true" if value else "false",
}
