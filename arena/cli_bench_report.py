"""``python -m arena bench report`` and ``bench diff``: a benchmark as files, and against an earlier one."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.config import Settings
from arena.core import arena_of
from arena.strings import LANGUAGES, tr
from arena.terminal import print_table, say

if TYPE_CHECKING:
    from benchmarks.reports.change import Comparison

FORMATS = ("html", "md", "csv", "parquet", "xlsx", "lock")


def add(actions: argparse._SubParsersAction[Any]) -> None:
    """The two actions with their options."""
    made = actions.add_parser("report", help="figures, plots and tests of a benchmark as HTML, Markdown and tables")
    made.set_defaults(run=report)
    made.add_argument("id", metavar="ID")
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write to")
    made.add_argument("--lang", choices=LANGUAGES, help="by default the terminal's")
    made.add_argument("--format", nargs="+", choices=FORMATS, default=[], help="by default all that can be made here")

    diff = actions.add_parser("diff", help="a benchmark against an earlier one, on the items they share")
    diff.set_defaults(run=compare)
    diff.add_argument("before", metavar="BEFORE", help="the earlier: an id, or the folder of its report")
    diff.add_argument("after", metavar="AFTER", help="the later: an id, or a folder")
    diff.add_argument("--fail-on-regression", action="store_true", help="end with 1 when something became worse")
    diff.add_argument("--json", action="store_true")


def report(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    from benchmarks.reports import summarise, summary_table
    from benchmarks.reports.needs import COMMAND, PACKAGES
    from benchmarks.reports.writing import write

    wanted = options.lang or lang
    with arena_of(settings) as arena:
        found = summarise(arena, options.id)
        written = write(arena, found, options.out, wanted, options.format)
    if found.models:
        print_table(summary_table(found, wanted))
    for path in written.paths:
        say(tr("bench_report.written", lang, path=path))
    for what, module in written.left_out.items():
        say(tr("bench_report.left_out", lang, what=what, package=PACKAGES[module], command=COMMAND))
    return 0


def compare(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """1 when something became worse and that was asked about."""
    from benchmarks.reports.change import compared, saved

    with arena_of(settings) as arena:
        found = compared(saved(arena, options.before), saved(arena, options.after))
    if options.json:
        changes = [{**asdict(each), "verdict": each.verdict} for each in found.changes]
        others = [{"what": what, "before": was, "after": now} for what, was, now in found.others]
        print(json.dumps({"before": found.before, "after": found.after, "changes": changes, "others": others}))
    else:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        tell(found, lang)
    return int(options.fail_on_regression and bool(found.regressions))


def tell(found: Comparison, lang: str) -> None:
    from benchmarks.reports.differing import others, table, verdict

    print(tr("bench_report.diff.title", lang, before=found.before, after=found.after), end="\n\n")
    if found.changes:
        print_table(table(found, lang))
    print("", *others(found, lang), "", verdict(found, lang), sep="\n")
