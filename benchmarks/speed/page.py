"""docs/benchmarks.md from what was measured last: its tables, and a plot for every measurement of growth."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator

from benchmarks.speed.kept import FILE, Results
from benchmarks.speed.plots import draw

DOCS = FILE.parent
HEAD = ("What is measured", "Ratio", "Least to most", "Goal", "", "The figures behind it")


def write(results: Results) -> None:
    """Keep them, and make the page anew."""
    results.write()
    folder = DOCS / "benchmarks"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, measured in results.measured.items():
        if any(row.points for row in measured.rows):
            (folder / f"{name}.svg").write_text(draw(measured.rows), encoding="utf-8")
    command = [sys.executable, "-m", "cogapp", "-I", str(DOCS), "-r", str(DOCS / "benchmarks.md")]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(DOCS.parent)}, check=True)


def tables() -> str:
    """The generated part of the page."""
    return "\n".join(_lines(Results.read()))


def _lines(results: Results) -> Iterator[str]:
    if not results.measured:
        yield "Nothing was measured yet."
        return
    rows = [row for measured in results.measured.values() for row in measured.rows]
    judged = [row for row in rows if row.met is not None]
    failed = sum(row.failed for row in rows)
    dates = sorted(measured.date for measured in results.measured.values())
    took = sum(measured.took_s for measured in results.measured.values())
    yield f"Measured {' to '.join(dict.fromkeys((dates[0], dates[-1])))} in {took / 60:.0f} min: {len(rows)} rows, of"
    yield f"{len(judged)} goals {sum(row.met is True for row in judged)} met, {len(rows) - len(judged) - failed} rows"
    yield f"without a goal or not measured here, {failed} failed."
    yield ""
    yield from _table(("Machine", ""), results.machine.items())
    for name, measured in results.measured.items():
        yield f"\n## `{name}`\n"
        yield measured.title
        yield f"\n*{measured.date}, commit {measured.commit}, {measured.took_s:.0f} s with its preparation*\n"
        yield from _table(HEAD, (_marked(row.cells) for row in measured.rows))
        if any(row.points for row in measured.rows):
            yield f"\n![How it grows](benchmarks/{name}.svg)"


def _marked(cells: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"**{cell}**" if cell in ("MISSED", "failed") else cell for cell in cells)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for cells in (head, ("---",) * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
