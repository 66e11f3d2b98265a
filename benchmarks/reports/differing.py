"""What is said of a benchmark against an earlier one: a table of the changes, and what else is not as it was."""

from __future__ import annotations

from arena.numbers import UNKNOWN, number
from arena.units import timed
from benchmarks.reports import wording
from benchmarks.reports.change import FAILING, TIME, Change, Comparison
from benchmarks.reports.wording import say

HEADS = ("model", "metric", "before", "after", "change", "interval", "items", "verdict")


def table(found: Comparison, lang: str) -> list[list[str]]:
    """Heads and rows."""
    return [[say(f"column.{name}", lang) for name in HEADS], *(_row(each, lang) for each in found.changes)]


def others(found: Comparison, lang: str) -> list[str]:
    """What else changed, a line each, or that nothing did."""
    if not found.others:
        return [say("diff.nothing", lang)]
    return [say("diff.changed", lang), *(f"  {what}: {was} → {now}" for what, was, now in found.others)]


def verdict(found: Comparison, lang: str) -> str:
    if not found.changes:
        return say("diff.no_common", lang)
    worse = [f"{each.title}: {name(each.metric, lang)}" for each in found.regressions]
    return say("diff.regressions", lang, what="; ".join(worse)) if worse else say("diff.no_regressions", lang)


def name(metric: str, lang: str) -> str:
    if metric in (FAILING, TIME):
        return say("column.failed" if metric == FAILING else "time.generate", lang)
    return wording.metric_short(metric, lang)


def _row(each: Change, lang: str) -> list[str]:
    off = each.difference
    if each.metric == TIME:
        ends = [timed(each.before, lang), timed(each.after, lang)]
        change, between = _ratio(off.value, lang), f"[{_ratio(off.low, lang)} … {_ratio(off.high, lang)}]"
    else:
        # The share of failed answers is told as an error rate is.
        metric = "cer" if each.metric == FAILING else each.metric
        ends = [wording.score(metric, value, lang) for value in (each.before, each.after)]
        change, between = wording.change(metric, off.value, lang), wording.change_between(metric, off, lang)
    said = say(f"diff.{each.verdict}", lang)
    between = UNKNOWN if off.low is None else between
    return [each.title, name(each.metric, lang), *ends, change, between, number(off.n, lang), said]


def _ratio(value: float | None, lang: str) -> str:
    return UNKNOWN if value is None else f"×{number(value, lang, 2)}"
