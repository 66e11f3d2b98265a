"""Runs of any content as CSV: what csv and pandas read back is what was written, and none of it is a formula."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime

import pandas
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.columns import FIELDS, to_row
from arena.export import BOM, columns, plain, write_csv
from arena.types import Run
from tests.fuzz.conftest import FEW
from tests.runs import any_runs

OPENS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
risky = st.text(st.sampled_from("=+-@＝'\"\t\r\n,; \xa0\ufeff\0\ud800я1"), max_size=12)
runs = st.lists(st.builds(replace, any_runs(), text=risky, prompt=risky, model=risky), min_size=1, max_size=3)


def cell(kind: type, value: object, delimiter: str) -> str:
    """What a program reads in a cell, once the apostrophes are away."""
    if value is None:
        return ""
    if kind is datetime:
        return str(value.isoformat()).replace("+00:00", "Z")  # type: ignore[attr-defined]
    if kind is float:
        return repr(value).replace(".", ",") if delimiter == ";" else repr(value)
    return ("true" if value else "false") if kind is bool else str(value)


@given(runs, st.sampled_from([",", ";"]))
@settings(max_examples=FEW)
def test_a_csv(made: list[Run], delimiter: str) -> None:
    file = io.StringIO(newline="")
    assert write_csv(made, file, delimiter) == len(made)
    said = file.getvalue()
    kinds = [*(field.kind for field in FIELDS), *(float for _ in range(len(columns()) - len(FIELDS)))]
    wanted = [[cell(*each, delimiter) for each in zip(kinds, to_row(run), strict=True)] for run in made]

    head, *rows = csv.reader(io.StringIO(said.removeprefix(BOM), newline=""), delimiter=delimiter)
    frame = pandas.read_csv(
        io.BytesIO(said.encode()), sep=delimiter, dtype=str, keep_default_na=False, na_values={}, encoding="utf-8-sig"
    )
    assert head == columns() == list(frame.columns)
    for found in (rows, frame.to_numpy().tolist()):
        assert [[plain(text) for text in row] for row in found] == wanted
    for row in rows:
        for kind, text in zip(kinds, row, strict=True):
            assert kind in (int, float) or not text.lstrip(' "\xa0\ufeff').startswith(OPENS)
            assert not text.startswith(("\t", "\r", "\n"))
            if kind is dict and text:
                json.loads(plain(text))
