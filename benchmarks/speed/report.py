"""The report on a benchmark of 100,000 rows: its figures against pandas on the same table, its files, its memory."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas
from sqlalchemy import select

from arena.benchmarks_kept import Benchmark, KeptItem
from arena.columns import FIELDS
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.store import Store
from arena.tables import RUN, SCORE
from arena.types import Cell, Timeline
from benchmarks.reports.summary import summarise
from benchmarks.reports.writing import write
from benchmarks.runs.plan import Plan
from benchmarks.speed.csv_export import in_turn, run

ITEMS = 50_000
MODELS = ("tesseract", "rapidocr")
KINDS = ("document", "form", "receipt", "table")
GOAL = "<= 1"
NAME = "01JBENCHMARK0000000000000A"
FIGURES = ("generate_s", "total_s", "peak_ram_mb")


def measure() -> list[dict[str, Any]]:
    """The figures: means with intervals, quantiles, tests, slices, against means and quantiles alone by pandas; both
    read the database. Then every file of the report. Memory: the peak of a process that does nothing else."""
    with tempfile.TemporaryDirectory(prefix="arena-bench-") as name:
        home = Path(name)
        with arena_of(load_settings({"ARENA_HOME": name})) as arena:
            fill(arena)

            def ours() -> None:
                summarise(arena, NAME)

            def theirs() -> None:
                grouped(arena.store)

            ours_s, pandas_s = in_turn(ours, theirs)
            report, seconds = summarise(arena, NAME), dict[str, float]()
            for kind in ("html", "md", "csv", "parquet", "xlsx"):
                started = time.perf_counter()
                write(arena, report, home / "out", "en", [kind])
                seconds[kind] = time.perf_counter() - started
        peaks = {what: _peak(name, what) for what in ("nothing", "figures", "files", "pandas")}
    rows = f"{ITEMS * len(MODELS):,} rows"
    figures = f"{ours_s:.2f} s, pandas {pandas_s:.2f} s"
    files = ", ".join(f"{kind} {taken:.1f} s" for kind, taken in seconds.items())
    base = peaks["nothing"]
    return [
        {"name": f"figures of {rows} / pandas groupby", "ratio": ours_s / pandas_s, "goal": GOAL, "detail": figures},
        {
            "name": f"memory for the figures of {rows} / pandas",
            "ratio": (peaks["figures"] - base) / (peaks["pandas"] - base),
            "goal": "<= 1",
            "detail": f"{peaks['figures'] - base:.0f} MB above an open arena, pandas {peaks['pandas'] - base:.0f} MB; "
            f"with all files {peaks['files'] - base:.0f} MB",
        },
        {"name": f"files of a report on {rows}, s", "ratio": sum(seconds.values()), "goal": "", "detail": files},
    ]


def grouped(store: Store) -> pandas.DataFrame:
    """Means and quantiles by model and metric, as one would take them by hand."""
    columns = (RUN.c.seq, RUN.c.side, RUN.c.item, *(RUN.c[name] for name in FIGURES))
    chosen = select(*columns).where(RUN.c.benchmark_id == NAME, RUN.c.repeat > 0, RUN.c.status == "ok")
    scores = select(SCORE).join(RUN, RUN.c.seq == SCORE.c.run_seq).where(RUN.c.benchmark_id == NAME)
    with store.reading() as connection:
        frame = pandas.DataFrame(connection.execute(chosen).all())
        values = pandas.DataFrame(connection.execute(scores).all())
    wide = values.pivot_table(index="run_seq", columns="metric", values="value")
    frame = frame.join(wide, on="seq")
    names = [*FIGURES, *wide.columns]
    means = frame.groupby("side")[names].agg(["mean", "median", "count"])
    quantiles = frame.groupby("side")[names].quantile([0.5, 0.9, 0.99])
    return means.join(quantiles.unstack())


def fill(arena: Arena) -> None:
    """Every item answered once by every model."""
    items = [
        KeptItem(
            f"page-{at:06d}",
            at,
            "ocr",
            ("ru", "en")[at % 2],
            "Read",
            {"text": "x"},
            {"kind": KINDS[at % 4], "degradation": ("clean", "blur", "noise")[at % 3], "level": str(at % 3 and at % 5)},
            "",
        )
        for at in range(ITEMS)
    ]
    plan = Plan(NAME, "speed", "made up", "0" * 64, MODELS, specs={model: {} for model in MODELS})
    arena.benchmarks.begin(Benchmark(NAME, "speed", "made up", "0" * 64, plan.to_dict(), "done"), items)
    for order, model in enumerate(MODELS):
        first = Cell(NAME, items[0].item, 1, "desk")
        warm = Timeline(0.0, None, None, None, 0.1, 0.3, 0.31, False)
        told: dict[str, Any] = {
            "side": "AB"[order],
            "order": order,
            "model": model,
            "title": model.title(),
            "boxes": (),
        }
        made = run(order, random.Random(order))
        arena.store.save(replace(made, run_id=model, text="Итого", cell=first, timeline=warm, **told))
    # The database multiplies them, without the index for searching, which a report does not read.
    changed = {"run_id": "run_id || n", "item": "printf('page-%06d', n)"}
    changed |= dict.fromkeys(("first_token_s", "generate_s", "total_s"), "(abs(random()) % 100000) / 50000.0")
    names = [field.name for field in FIELDS]
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    count = f"WITH RECURSIVE copy(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM copy WHERE n < {ITEMS - 1})"  # noqa: S608
    with arena.store.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER run_search_insert")
        connection.exec_driver_sql(
            f"INSERT INTO run (seq, box_count, {quoted}) {count} SELECT seq + 2 * n, box_count, {values} FROM copy, run"  # noqa: S608
        )
        value = "(abs(random()) % 1000) / 1000.0"
        connection.exec_driver_sql(
            f"INSERT INTO score {count} SELECT run_seq + 2 * n, metric, {value} FROM copy, score"  # noqa: S608
        )


def _peak(home: str, what: str) -> float:
    """MB that a fresh process had in memory at the most."""
    command = [sys.executable, "-m", "benchmarks.speed.report", home, what]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(told.stdout))


def alone(home: str, what: str) -> float:
    with arena_of(load_settings({"ARENA_HOME": home})) as arena:
        if what == "pandas":
            grouped(arena.store)
        elif what != "nothing":
            report = summarise(arena, NAME)
            if what == "files":
                write(arena, report, Path(home) / "again", "en", ["html", "md", "csv", "parquet", "xlsx"])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    print(json.dumps(alone(*sys.argv[1:])))
