"""Runs the measurements of this folder and prints their ratios beside their goals: `make bench ARGS="csv"`.

A measurement is a module here with ``measure()``, which returns a `Row` or several. A run of all of them writes
docs/benchmarks.md; a run of some does so with ``--write``, for these alone. Ends with 1 when a goal is missed or a
measurement failed.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from benchmarks.speed.alone import names, run
from benchmarks.speed.kept import Results, machine
from benchmarks.speed.page import write
from benchmarks.speed.rows import Row


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these: " + ", ".join(names()))
    parser.add_argument("--json", action="store_true", help="rows as JSON on stdout")
    parser.add_argument(
        "--write", action="store_true", help="write docs/benchmarks.md also when only some are measured"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if not any(known.startswith(name) for known in names())]
    if unknown:
        parser.error(f"no measurement is called {', '.join(unknown)}; there are: {', '.join(names())}")

    chosen = [name for name in names() if not options.names or name.startswith(tuple(options.names))]
    here, found = machine(), {}
    for name in chosen:
        print(f"measuring {name} …", end=" ", file=sys.stderr, flush=True)
        found[name] = run(name)
        print(f"{found[name].took_s:.0f} s", file=sys.stderr)
    rows = [row for one in found.values() for row in one.rows]
    if options.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
    else:
        print("\n".join(lines(rows)))
    if options.write or not options.names:
        write(Results.read().with_(here, found, names()))
    return int(any(row.failed or row.met is False for row in rows))


def lines(rows: list[Row]) -> list[str]:
    """A line a row, its cells in columns; the last, which is the longest, as long as it is."""
    cells = [row.cells for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)][:-1]
    return [
        "  ".join([f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)] + [row[-1]]) for row in cells
    ]


if __name__ == "__main__":
    sys.exit(main())
