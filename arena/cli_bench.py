"""``python -m arena bench``: its actions and what may stand after them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from arena import cli_bench_kept as kept
from arena import cli_bench_report
from arena import cli_bench_run as filling
from arena.config import Settings


def add_bench(commands: argparse._SubParsersAction[Any], params: Mapping[str, Callable[[str], Any]]) -> None:
    """The command with its actions; each action's ``run`` is what does it. params: of generation, by name."""
    bench = commands.add_parser("bench", help="models on a dataset: every answer a row, resumed where it stopped")
    actions = bench.add_subparsers(dest="action", required=True, metavar="ACTION")

    run = actions.add_parser("run", help="ask every model every item; Ctrl+C stops, resume goes on")
    run.set_defaults(run=filling.start)
    run.add_argument("--dataset", required=True, metavar="NAME_OR_PATH", help="a folder, a list, or a set by its name")
    run.add_argument("--split", default="", metavar="NAME", help="only this part of the dataset")
    run.add_argument("--limit", type=int, metavar="NUMBER", help="only so many items")
    run.add_argument("--models", nargs="+", default=[], metavar="ID", help="in the order they run, as in compare")
    run.add_argument("--task", default="ocr", metavar="ID", help="of items that have none of their own; ocr by default")
    run.add_argument("--repeat", type=int, default=1, metavar="NUMBER", help="answers to every item, 1 by default")
    run.add_argument("--warmup", type=int, default=1, metavar="NUMBER", help="answers before them that do not count")
    run.add_argument("--seed", type=int, default=0, help="of the order of the items, and of sampling")
    for name, kind in params.items():
        if name != "seed":
            run.add_argument(
                f"--{name.replace('_', '-')}", type=kind, metavar=str(getattr(kind, "__name__", "")).upper()
            )
    run.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="as in compare")
    run.add_argument("--item-seconds", type=float, metavar="SECONDS", help="the most that one answer may take")
    run.add_argument("--cached", action="store_true", help="take answers over that the same model gave before")
    run.add_argument("--name", default="", help="of the benchmark, by default the dataset's")
    run.add_argument("--lock", type=Path, metavar="FILE", help="ask exactly what this file says; see lock")
    run.add_argument("--anyway", action="store_true", help="run also what will not fit, or another dataset than locked")
    add_engine(run)

    resume = actions.add_parser("resume", help="go on with a benchmark that was stopped, by default the newest")
    resume.set_defaults(run=filling.resume)
    resume.add_argument("id", nargs="?", metavar="ID")
    add_engine(resume)

    listed = actions.add_parser("list", help="the benchmarks and how far they are")
    listed.set_defaults(run=kept.show_all)
    listed.add_argument("--json", action="store_true")

    lock = actions.add_parser("lock", help="all that a repetition elsewhere needs, as a file")
    lock.set_defaults(run=kept.lock)
    lock.add_argument("id", metavar="ID")
    lock.add_argument("--out", type=Path, required=True, metavar="FILE", help="JSON if it ends so, else YAML")

    rerun = actions.add_parser("rerun", help="a row once more, and what differed")
    rerun.set_defaults(run=kept.rerun)
    rerun.add_argument("id", metavar="RUN_ID")
    rerun.add_argument("--json", action="store_true")

    forget = actions.add_parser("forget", help="delete a benchmark and its rows")
    forget.set_defaults(run=kept.forget)
    forget.add_argument("id", metavar="ID")
    forget.add_argument("--keep-rows", action="store_true", help="leave its rows in the table of runs")
    cli_bench_report.add(actions)


def add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="this machine, or a cluster of Ray")
    parser.add_argument(
        "--address", default="", metavar="ADDRESS", help="of the cluster; by default one is started here"
    )
    parser.add_argument("--json", action="store_true", help="how it ended, as JSON on stdout")


def run(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """0 when it is done, whatever the answers; 1 when cells are left."""
    action: Callable[[argparse.Namespace, Settings, str], int] = options.run
    return action(options, settings, lang)
