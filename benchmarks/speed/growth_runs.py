"""Runs in the database, 1,000 to 1,000,000: pages of the table, the plot, a new run, a CSV, the board."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from arena import board
from arena.export import write_csv
from arena.store import RunQuery, Store
from arena.types import Cell
from arena.ui.csv_route import pieces
from benchmarks.speed.growth import grown, grown_memory
from benchmarks.speed.rows import Row
from benchmarks.speed.stored import multiply, run

SIZES = (1000, 100_000, 1_000_000)
FEW = SIZES[0]
DRAWN = 500  # runs in the plot, as many at every size
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
# A copy is three hours later; twenty are of one benchmark, and the one that is looked for is the oldest.
CHANGED = {
    "run_id": "run_id || '-' || n",
    "created_at": "strftime('%Y-%m-%d %H:%M:%f000', created_at, (n * 3) || ' hours')",
    "benchmark_id": "'bench-' || (n / 20) || substr(benchmark_id, 8)",
    "item": "item || '-' || n",
    "generate_s": "generate_s + n * 0.0001",
}


def measure() -> list[Row]:
    """The matches are counted anew each time, as when a run was added since."""
    with tempfile.TemporaryDirectory() as name:
        stores = dict(zip(SIZES, filled(Path(name)), strict=True))
        fresh = count()

        def page(store: Store, query: RunQuery) -> None:
            store._counted.clear()
            store.page(query)

        def points(store: Store) -> None:
            store._counted.clear()
            store.facets()
            store.points(RunQuery(), DRAWN)

        def saved(store: Store) -> None:
            number = next(fresh)
            store.save(replace(run(number, random.Random(number)), run_id=f"fresh-{number}"))

        def begun(store: Store) -> None:
            with_heads = pieces(store.rows(RunQuery(descending=False)), ",")
            next(with_heads)
            with_heads.close()

        def over(work: Callable[..., Any], *more: Any, most: int = SIZES[-1]) -> Mapping[int, Callable[[], Any]]:
            return {size: partial(work, store, *more) for size, store in stores.items() if size <= most}

        small = over(whole, most=SIZES[1])
        rows = [
            *(grown(f"first page, {title}", "runs", over(page, query), "flat", 15) for title, query in PAGES.items()),
            grown("the plot's points", "runs", over(points), "flat", 15),
            grown("a CSV's first piece", "runs", over(begun), "flat"),
            grown("saving a run", "runs", over(saved), "flat", 15),
            grown("what a board is made of", "runs", over(board.board), "linear", 2),
            grown("a whole CSV", "runs", small, "linear", 2),
            grown_memory("memory of a page", "runs", over(page, RunQuery()), "flat"),
            grown_memory("memory of a whole CSV", "runs", small, "flat"),
        ]
        for store in stores.values():
            store.close()
    return rows


def whole(store: Store) -> None:
    with Path("/dev/null").open("w", encoding="utf-8", newline="") as file:
        write_csv(store.rows(RunQuery(descending=False)), file)


def filled(folder: Path) -> list[Store]:
    """A store for every size, of the same runs of five models, half of them of a benchmark, and of copies of them."""
    few = folder / f"{FEW}.db"
    store, chance = Store(f"sqlite:///{few}"), random.Random(1)
    for number in range(FEW):
        usual = run(number, chance)
        cell = Cell("bench-0", f"item-{number}", 1, "here") if number % 2 else Cell()
        told: dict[str, Any] = {"model": chance.choice(MODELS), "status": chance.choice(STATUSES)}
        store.save(replace(usual, **told, text=usual.text[:60], cell=cell, boxes=()))
    store.close()
    stores = [store]
    for size in SIZES[1:]:
        shutil.copy(few, folder / f"{size}.db")
        stores.append(Store(f"sqlite:///{folder / f'{size}.db'}"))
        multiply(stores[-1], size // FEW - 1, CHANGED, "value + n * 0.00001")
    return stores
