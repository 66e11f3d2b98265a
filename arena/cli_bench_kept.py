"""``python -m arena bench list``, ``lock``, ``rerun`` and ``forget``: what is kept of benchmarks."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from arena.config import Settings
from arena.core import arena_of
from arena.numbers import number
from arena.strings import tr
from arena.terminal import interruptible, print_table, say

if TYPE_CHECKING:
    from benchmarks.runs.repetition import Repetition


def show_all(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    from benchmarks.runs.plan import Plan

    found: list[dict[str, Any]] = []
    with arena_of(settings) as arena:
        every = arena.benchmarks.newest(1000)
        sizes = arena.benchmarks.sizes([each.id for each in every])
    for each in every:
        plan, (items, filled) = Plan.from_dict(each.plan), sizes[each.id]
        found.append(
            {"id": each.id, "name": each.name, "dataset": each.dataset, "models": list(plan.models)}
            | {
                "state": each.state,
                "done": filled,
                "total": plan.size(items),
                "created_at": each.created_at.isoformat(),
            }
        )
    if options.json:
        print(json.dumps({"benchmarks": found}))
    elif not found:
        print(tr("bench.cli.none", lang))
    else:
        rows = [[tr(f"bench.cli.column.{name}", lang) for name in ("id", "name", "dataset", "done", "state", "models")]]
        for one in found:
            far, state = f"{one['done']}/{one['total']}", tr(f"bench.cli.state.{one['state']}", lang)
            rows.append([one["id"], one["name"], one["dataset"], far, state, " ".join(one["models"])])
        print_table(rows)
    return 0


def lock(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    from benchmarks.runs.lock import locked, write

    with arena_of(settings) as arena:
        write(locked(arena, options.id), options.out)
    say(tr("report.cli.written", lang, path=options.out))
    return 0


def rerun(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """0 only when the row came out the same."""
    from arena.cancel import Cancel
    from arena.cli import tell
    from benchmarks.runs.repetition import Repetition, repeat

    cancel, found = Cancel(), None
    with arena_of(settings) as arena, interruptible(cancel.set):
        for event in repeat(arena, options.id, cancel):
            if isinstance(event, Repetition):
                found = event
            else:
                tell(event, {"A": "", "B": ""}, lang)
    if found is None:
        return 1
    if options.json:
        print(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        print(*compared(found, lang), sep="\n")
    return 0 if found.same else 1


def compared(found: Repetition, lang: str) -> list[str]:
    """What differed, as lines."""
    from arena.report.verdict import STAGES, lines

    said = lines(found.outcome, lang)
    said += [
        f"{name}: " + tr("report.again.instead", lang, before=number(one, lang, 3), after=number(other, lang, 3))
        for name, (one, other) in found.scores.items()
    ]
    ratios = ", ".join(f"{tr(STAGES[name], lang)} × {number(ratio, lang, 2)}" for name, ratio in found.ratios.items())
    return [*said, tr("bench.cli.ratios", lang, ratios=ratios)] if ratios else said


def forget(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    from arena.query import RunQuery
    from benchmarks.runs.runner import plan_of

    with arena_of(settings) as arena:
        plan = plan_of(arena, options.id)
        count = 0 if options.keep_rows else arena.store.delete(RunQuery(benchmark_id=plan.id))
        arena.benchmarks.forget(plan.id)
    say(tr("bench.cli.forgotten", lang, name=plan.name, count=count))
    return 0
