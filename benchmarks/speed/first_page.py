"""The first page of the table of runs at 1,000,000 rows against 1,000: unfiltered, filtered, and sorted."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.schema import CreateIndex

from arena.columns import FIELDS
from arena.database import writing
from arena.store import RunQuery, Store
from arena.tables import RUN, SCORE
from arena.types import Cell
from benchmarks.speed.csv_export import run

FEW, MANY = 1000, 1_000_000
ROUNDS = 15
GOAL = "<= 3"
MODELS = ("tesseract", "rapidocr", "qwen2_vl_2b", "got_ocr_hf", "smolvlm_2b")
STATUSES = ("ok", "ok", "ok", "ok", "ok", "ok", "ok", "empty", "loop", "timeout")
PAGES = {
    "newest first": RunQuery(),
    "one model": RunQuery(models=("rapidocr",)),
    "one model, failures": RunQuery(models=("got_ocr_hf",), statuses=("timeout", "loop")),
    "one benchmark": RunQuery(benchmark_id="bench-0"),
    "by CER": RunQuery(sort="cer", descending=False),
    "slowest answers of one model": RunQuery(models=("rapidocr",), sort="generate_s"),
    "one benchmark by CER": RunQuery(benchmark_id="bench-0", sort="cer"),
}


def measure() -> list[dict[str, Any]]:
    """A row a page. The matches are counted anew each time, as when a run was added since."""
    with tempfile.TemporaryDirectory(prefix="arena-bench-") as name:
        stores = {}
        for rows in (FEW, MANY):
            stores[rows] = Store(f"sqlite:///{Path(name) / f'{rows}.db'}")
            fill(stores[rows], rows)
        found = [compared(page, query, stores) for page, query in PAGES.items()]
        for store in stores.values():
            store.close()
    return found


def compared(page: str, query: RunQuery, stores: dict[int, Store]) -> dict[str, Any]:
    """The least of several times of each, by turns: a busy machine only adds to them."""
    least = dict.fromkeys(stores, float("inf"))
    for _ in range(ROUNDS):
        for rows, store in stores.items():
            store._counted.clear()
            started = time.perf_counter()
            store.page(query)
            least[rows] = min(least[rows], time.perf_counter() - started)
    return {
        "name": f"first page, {page}: {MANY:,} rows / {FEW:,}",
        "ratio": least[MANY] / least[FEW],
        "goal": GOAL,
        "detail": f"{1000 * least[MANY]:.1f} ms against {1000 * least[FEW]:.1f} ms",
    }


def fill(store: Store, rows: int) -> None:
    """`FEW` runs of five models, half of them of a benchmark, and as many copies of them as are missing, each a while
    later and twenty to a benchmark: the one that is looked for is the oldest. Without a journal, and with the indexes
    made afterwards, which takes a fraction of the time."""
    chance = random.Random(1)
    with writing(store._engine).begin() as connection:
        connection.execute(text("DROP TRIGGER run_search_insert"))
    for number in range(FEW):
        usual = run(number, chance)
        cell = Cell("bench-0", f"item-{number}", 1, "here") if number % 2 else Cell()
        altered: dict[str, Any] = {
            "model": chance.choice(MODELS),
            "status": chance.choice(STATUSES),
            "text": usual.text[:60],
        }
        store.save(replace(usual, **altered, cell=cell, boxes=()))
    if rows == FEW:
        return
    indexes = [str(CreateIndex(index).compile(store._engine)) for index in (*RUN.indexes, *SCORE.indexes)]
    changed = {
        "run_id": "run_id || '-' || n",
        "created_at": "strftime('%Y-%m-%d %H:%M:%f000', created_at, (n * 3) || ' hours')",
        "benchmark_id": "'bench-' || (n / 20) || substr(benchmark_id, 8)",
        "item": "item || '-' || n",
        "generate_s": "generate_s + n * 0.0001",
    }
    names = [field.name for field in FIELDS]
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    copies = f"WITH RECURSIVE copy(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM copy WHERE n < {rows // FEW - 1})"  # noqa: S608
    store.close()  # it opens again by itself
    with closing(sqlite3.connect(store._engine.url.database or "")) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        for index in (*RUN.indexes, *SCORE.indexes):
            connection.execute(f"DROP INDEX {index.name}")
        for table, into, out in (
            ("run", f"(seq, box_count, {quoted})", f"seq + n * {FEW}, box_count, {values}"),
            ("score", "", f"run_seq + n * {FEW}, metric, value + n * 0.00001"),
        ):
            connection.execute(f"INSERT INTO {table} {into} {copies} SELECT {out} FROM copy, {table}")  # noqa: S608
        for made in indexes:
            connection.execute(made)
        connection.commit()
        connection.execute("PRAGMA journal_mode = WAL")


if __name__ == "__main__":
    for row in measure():
        print(row["name"], round(row["ratio"], 2), row["detail"])
