"""The columns of a run, made from the fields of `arena.types.Run`: the one list that the table and the CSV follow.

`Timeline` and `Memory` are flattened into columns of their own; scores have a table; `error_text` is not kept.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from adapters.base import Box
from arena.types import Run
from benchmarks.metrics import METRICS

APART = ("scores", "error_text")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
hints = cache(get_type_hints)


@dataclass(frozen=True)
class Field:
    """One stored field of a run. kind: str, int, float, bool, datetime, dict or, for the boxes, tuple."""

    name: str
    kind: type
    nullable: bool


def _stored(cls: type) -> Iterator[Field]:
    for field in fields(cls):
        hint = hints(cls)[field.name]
        if is_dataclass(hint):
            yield from _stored(hint)  # type: ignore[arg-type]
        elif field.name not in APART:
            options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
            kind = next(option for option in options if option is not type(None))
            kind = get_origin(kind) or kind
            yield Field(field.name, kind if isinstance(kind, type) else str, type(None) in options)


FIELDS: tuple[Field, ...] = tuple(_stored(Run))
BOXES = next(index for index, field in enumerate(FIELDS) if field.name == "boxes")
# A run as flat values: those of `FIELDS`, bags as JSON text and boxes as their number, then one for every metric.
Row = tuple[Any, ...]


def clean(text: str) -> str:
    """`text` with NUL and lone surrogates, which neither PostgreSQL nor UTF-8 can hold, replaced by U+FFFD."""
    return UNSTORABLE.sub("\ufffd", text)


def to_json(value: Any) -> str:
    """A bag as JSON text; what JSON does not know is written as its text."""
    return json.dumps(
        value, ensure_ascii=False, default=lambda thing: vars(thing) if is_dataclass(thing) else str(thing)
    )


def flatten(thing: Any) -> list[Any]:
    """The stored values of a run in the order of `FIELDS`."""
    flat: list[Any] = []
    for field in fields(thing):
        value = getattr(thing, field.name)
        if is_dataclass(value):
            flat += flatten(value)
        elif field.name not in APART:
            flat.append(value)
    return flat


def to_row(run: Run) -> Row:
    """The run as the row that the store gives for it."""
    values = [to_json(value) if isinstance(value, dict) else value for value in flatten(run)]
    values[BOXES] = len(run.boxes)
    kept = (clean(value) if isinstance(value, str) else value for value in values)
    return *kept, *(run.scores.get(metric) for metric in METRICS)


def to_run(values: Sequence[Any], scores: Mapping[str, float | None]) -> Run:
    """The run with these values, in the order of `FIELDS`; boxes as dictionaries."""
    rest = iter(values)

    def build(cls: Any) -> Any:
        given: dict[str, Any] = {}
        for name, hint in hints(cls).items():
            if is_dataclass(hint):
                given[name] = build(hint)
            elif name not in APART:
                given[name] = next(rest)
        if cls is Run:
            given |= {"boxes": tuple(Box(**box) for box in given["boxes"]), "scores": dict(scores)}
        return cls(**given)

    return build(Run)  # type: ignore[no-any-return]
