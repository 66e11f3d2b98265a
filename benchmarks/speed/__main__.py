"""Runs every measurement of this folder and prints its ratios beside their goals: `make bench ARGS="csv --json"`.

A measurement is a module here with ``measure()``: it returns one row or several, each a dictionary with ``name``,
``ratio`` (None when it could not be measured), ``goal`` (``"<= 1.5"``, ``">= 50"``, or a number, which is the most
that is allowed) and ``detail`` (the figures behind the ratio). Ends with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import benchmarks.speed


@dataclass(frozen=True)
class Row:
    """One ratio beside its goal; `met` is None when there is nothing to judge."""

    name: str
    ratio: float | None
    goal: str
    met: bool | None
    detail: str

    @classmethod
    def of(cls, measured: dict[str, Any]) -> Row:
        """Raises `ValueError` for a goal that is neither a number nor a comparison with one."""
        ratio, goal = measured["ratio"], str(measured.get("goal", "")).replace("≤", "<=").replace("≥", ">=").strip()
        sign, bound = (goal[:2], goal[2:]) if goal[:2] in ("<=", ">=") else ("<=", goal)
        met = None
        if goal and ratio is not None:
            met = ratio <= float(bound) if sign == "<=" else ratio >= float(bound)
        shown = f"{'≤' if sign == '<=' else '≥'} {float(bound):g}" if goal else ""
        return cls(measured["name"], ratio, shown, met, str(measured.get("detail", "")))

    def line(self, width: int) -> str:
        ratio = "—" if self.ratio is None else f"{self.ratio:.3g}"
        verdict = {True: "met", False: "MISSED", None: "—"}[self.met]
        return f"{self.name:<{width}}  {ratio:>7}  {self.goal:>7}  {verdict:<6}  {self.detail}"


def measurements() -> list[str]:
    """Names of the modules of this folder that measure something."""
    return sorted(module.name for module in pkgutil.iter_modules(benchmarks.speed.__path__) if module.name[0] != "_")


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these: " + ", ".join(measurements()))
    parser.add_argument("--json", action="store_true", help="rows as JSON on stdout")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if not any(known.startswith(name) for known in measurements())]
    if unknown:
        parser.error(f"no measurement is called {', '.join(unknown)}; there are: {', '.join(measurements())}")

    rows: list[Row] = []
    for name in measurements():
        if options.names and not name.startswith(tuple(options.names)):
            continue
        module = importlib.import_module(f"benchmarks.speed.{name}")
        if not hasattr(module, "measure"):
            continue
        print(f"measuring {name} …", end=" ", file=sys.stderr, flush=True)
        started = time.perf_counter()
        measured = module.measure()
        print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
        rows += [Row.of(one) for one in ([measured] if isinstance(measured, dict) else measured)]
    if options.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
    else:
        width = max((len(row.name) for row in rows), default=0)
        for row in rows:
            print(row.line(width))
    return int(any(row.met is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
