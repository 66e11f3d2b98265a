"""The report on a benchmark of 100,000 rows: its figures against pandas on the same table, its files, its memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas
from sqlalchemy import select

from arena.benchmarks_kept import Benchmark, KeptItem
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.store import Store
from arena.tables import RUN, SCORE
from arena.types import Cell, Timeline
from benchmarks.reports.summary import summarise
from benchmarks.reports.writing import write
from benchmarks.runs.plan import Plan
from benchmarks.speed.rows import Row, by_turns, paired, spread
from benchmarks.speed.stored import multiply, run

ITEMS = 50_000
MODELS = ("tesseract", "rapidocr")
KINDS = ("document", "form", "receipt", "table")
REPEATS = 3
FILES = ("html", "md", "csv", "parquet", "xlsx")
NAME = "01JBENCHMARK0000000000000A"
FIGURES = ("generate_s", "total_s", "peak_ram_mb")


def measure() -> list[Row]:
    """The figures: means with intervals, quantiles, tests, slices, against means and quantiles alone by pandas; both
    read the database. Then every file of the report. Memory: the peak of a process that does nothing else."""
    with tempfile.TemporaryDirectory() as name:
        with arena_of(load_settings({"ARENA_HOME": name})) as arena:
            fill(arena)
            figures = by_turns(REPEATS, lambda: summarise(arena, NAME), lambda: grouped(arena.store))
            report, out = summarise(arena, NAME), Path(name) / "out"
            files = by_turns(1, *(partial(write, arena, report, out, "en", [kind]) for kind in FILES))
        peaks = [{what: _peak(name, what) for what in ("nothing", "figures", "pandas")} for _ in range(REPEATS)]
        whole = _peak(name, "files") - peaks[0]["nothing"]
    rows = f"{ITEMS * len(MODELS):,} rows"
    above = [[peak[what] - peak["nothing"] for peak in peaks] for what in ("figures", "pandas")]
    said = ", ".join(f"{kind} {spread(taken)}" for kind, taken in zip(FILES, files, strict=True))
    return [
        paired(f"figures of {rows} / pandas groupby", "<= 1", figures),
        paired(
            f"memory for the figures of {rows} / pandas",
            "<= 1",
            above,
            shown=lambda value: f"{value:.0f} MB",
            note=f"above an open arena; with all files {whole:.0f} MB",
        ),
        Row(f"files of a report on {rows}", "", tuple(map(sum, zip(*files, strict=True))), said, unit="s"),
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
    changed = {"run_id": "run_id || n", "item": "printf('page-%06d', n)"}
    changed |= dict.fromkeys(("first_token_s", "generate_s", "total_s"), "(abs(random()) % 100000) / 50000.0")
    multiply(arena.store, ITEMS - 1, changed, "(abs(random()) % 1000) / 1000.0")


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
                write(arena, report, Path(home) / "again", "en", list(FILES))
    # Not ru_maxrss, which begins with the peak of whoever started this process.
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1000


if __name__ == "__main__":
    print(json.dumps(alone(*sys.argv[1:])))
