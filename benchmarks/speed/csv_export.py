"""The CSV of 100,000 stored runs, read from the database and made safe, against pandas writing the same frame."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pandas

from arena.export import columns, write_csv
from arena.store import RunQuery, Store
from benchmarks.speed.rows import Row, by_turns, paired
from benchmarks.speed.stored import LATER, multiply, run

ROWS = 100_000
DISTINCT = 1000  # runs that are made; the database multiplies them
REPEATS = 5


def measure() -> Row:
    """Whole export: filter, sort, read, make safe, write; pandas only writes what is in memory already."""
    with tempfile.TemporaryDirectory() as name:
        folder, chance = Path(name), random.Random(1)
        store = Store(f"sqlite:///{folder / 'arena.db'}")
        for number in range(DISTINCT):
            store.save(run(number, chance))
        multiply(store, ROWS // DISTINCT - 1, LATER)
        query = RunQuery(descending=False)
        frame = pandas.DataFrame((tuple(row) for row in store.rows(query)), columns=columns())

        def ours() -> None:
            with (folder / "ours.csv").open("w", encoding="utf-8", newline="") as file:
                write_csv(store.rows(query), file)

        def plain() -> None:
            frame.to_csv(folder / "pandas.csv", index=False, encoding="utf-8-sig")

        ours()
        note = f"{len(columns())} columns, {(folder / 'ours.csv').stat().st_size / 1e6:.0f} MB"
        times = by_turns(REPEATS, ours, plain)
        store.close()
    return paired(f"CSV of {ROWS:,} stored runs / pandas writing the same frame", "<= 1.5", times, note=note)
