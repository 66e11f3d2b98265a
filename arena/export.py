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

import math
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Protocol

from arena.columns import FIELDS, Row, to_row
from arena.types import Run
from benchmarks.metrics import METRICS

BOM = "\ufeff"
# White space that does not end a cell, and quotes: one set, for alternatives in a repetition take several times longer.
_SKIPPED = r'[ "\x0b\x0c\x1c-\x1f\x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]*'
_FORMULA = rf"'*{_SKIPPED}[=+\-@＝＋－＠]"
_BEGIN = rf"(?={_FORMULA}|'*[\t\r\n])"
_INSIDE = rf"(?={_FORMULA})"
DANGER = re.compile(_BEGIN), re.compile(rf"[\t\r\n,;]{_INSIDE}")
DEFUSED = re.compile(rf"'{_BEGIN}"), re.compile(rf"([\t\r\n,;])'{_INSIDE}")
QUOTED = re.compile('[",;\t\r\n]')
TOGETHER = 200  # rows that are held and written at once


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
    begin, inside = DANGER
    return ("'" if begin.match(text) else "") + inside.sub(_apostrophe, text)


def _apostrophe(found: re.Match[str]) -> str:
    return found[0] + "'"  # a template would take ten times as long


def plain(text: str) -> str:
    """What `defuse` was given."""
    begin, inside = DEFUSED
    return inside.sub(r"\1", text[1:] if begin.match(text) else text)


def write_csv(runs: Iterable[Run] | Iterable[Row], file: TextFile, delimiter: str = ",") -> int:
    """Write the runs as they come, holding 200 of them at most. Returns how many there were.

    runs: ``store.rows(query)``, the fast way, or `Run` objects. delimiter: a comma or a semicolon.
    """
    if delimiter not in (",", ";"):
        raise ValueError(f"neither a comma nor a semicolon: {delimiter!r}")
    number = _point if delimiter == "," else _comma
    kinds = [*(field.kind for field in FIELDS), *(float for _ in METRICS)]
    cells = [number if kind is float else CELLS[kind] for kind in kinds]
    file.write(BOM + delimiter.join(columns()) + "\r\n")
    rows = (to_row(run) if isinstance(run, Run) else run for run in runs)
    count = 0
    while some := list(islice(rows, TOGETHER)):
        file.write("".join(_lines(some, cells, delimiter)))
        count += len(some)
    return count


def _lines(rows: list[Row], cells: list[Callable[[Any], str]], delimiter: str) -> Iterator[str]:
    """By columns: most of them hold few values, and each value has to be turned into text but once."""
    texts = []
    for cell, column in zip(cells, zip(*rows, strict=True), strict=True):
        known = {value: "" if value is None else cell(value) for value in set(column)}
        texts.append([known[value] for value in column])
    return (delimiter.join(line) + "\r\n" for line in zip(*texts, strict=True))


def _text(value: str) -> str:
    if value.isalnum():  # ids, hashes, names: nothing to look for
        return value
    safe = defuse(value)
    return '"' + safe.replace('"', '""') + '"' if QUOTED.search(safe) else safe


def _moment(value: datetime) -> str:
    utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    return utc.isoformat().removesuffix("+00:00") + "Z"


def _point(value: float) -> str:
    return "" if math.isnan(value) else repr(value)


def _comma(value: float) -> str:
    """Quoted nowhere: with this decimal sign the delimiter is another."""
    return _point(value).replace(".", ",")


CELLS: dict[type, Callable[[Any], str]] = {
    str: _text,
    int: str,
    bool: lambda value: "true" if value else "false",
    datetime: _moment,
    dict: _text,
    tuple: str,
}
