"""How a report says its figures: metrics, intervals and what items are grouped by, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence

from arena.numbers import UNKNOWN, number, share
from arena.strings import strings, tr
from benchmarks.metrics import METRICS
from benchmarks.reports.intervals import Estimate, Share

ERROR_DIGITS = 1


def say(key: str, lang: str, **params: object) -> str:
    return tr(f"bench_report.{key}", lang, **params)


def named(key: str, lang: str, otherwise: str) -> str:
    """A text that may not be there, as the name of a tag that a user made up."""
    return strings(lang).get(f"bench_report.{key}", otherwise)


def metric_name(metric: str, lang: str) -> str:
    return strings(lang).get(f"metrics.title.{metric}", metric)


def metric_short(metric: str, lang: str) -> str:
    return strings(lang).get(f"metrics.short.{metric}", metric)


def direction(metric: str, lang: str) -> str:
    return say("lower" if is_rate(metric) else "higher", lang)


def is_rate(metric: str) -> bool:
    """Whether it counts errors: told in percent, and the less the better."""
    return metric in METRICS and METRICS[metric].better == "lower"


def group_name(group: str, lang: str) -> str:
    return named(f"group.{group}", lang, group)


def value_name(group: str, value: str, level: str, lang: str) -> str:
    """What a tag's value is called: known words in the reader's language, all others as they are."""
    if group == "degradation" and not value:
        return say("clean", lang)
    said = named(f"value.{value}", lang, value)
    return f"{said} {level}" if level else said


def score(metric: str, value: float | None, lang: str) -> str:
    """An error rate in percent with one decimal, every other metric with three.

    >>> score("cer", 0.1234, "en"), score("cer", None, "en"), score("anything", 0.5, "ru")
    ('12.3%', '—', '0,500')
    """
    if value is None:
        return UNKNOWN
    return percent(value, lang) if is_rate(metric) else number(value, lang, 3)


def percent(value: float | None, lang: str, digits: int = ERROR_DIGITS) -> str:
    if value is None:
        return UNKNOWN
    space = "\N{NO-BREAK SPACE}" if lang == "ru" else ""
    return f"{number(value * 100, lang, digits)}{space}%"


def between(metric: str, found: Estimate, lang: str) -> str:
    """The interval in brackets, "" where there is none; the sign of percent only once.

    >>> between("cer", Estimate(0.2, 0.15, 0.25, 40), "en"), between("cer", Estimate(0.2), "en")
    ('[15.0–25.0%]', '')
    """
    if found.low is None or found.high is None:
        return ""
    low = number(found.low * 100, lang, ERROR_DIGITS) if is_rate(metric) else number(found.low, lang, 3)
    return f"[{low}–{score(metric, found.high, lang)}]".replace("–-", "– −").replace("[-", "[−")


def change(metric: str, value: float | None, lang: str) -> str:
    """A difference with its sign, of rates in percentage points."""
    if value is None:
        return UNKNOWN
    size = number(abs(value) * 100, lang, ERROR_DIGITS) if is_rate(metric) else number(abs(value), lang, 3)
    sign = "" if not size.strip("0.,") else "+" if value > 0 else "−"
    return f"{sign}{size}" + (f"\N{NO-BREAK SPACE}{say('points', lang)}" if is_rate(metric) else "")


def change_between(metric: str, found: Estimate, lang: str) -> str:
    """The interval of a difference."""
    if found.low is None or found.high is None:
        return ""
    low, high = (
        change(metric, bound, lang).removesuffix(f"\N{NO-BREAK SPACE}{say('points', lang)}")
        for bound in (found.low, found.high)
    )
    return f"[{low} … {high}]"


def p_value(value: float | None, lang: str) -> str:
    """As it is written in papers: p < 0.001, else three decimals.

    >>> p_value(0.00002, "en"), p_value(0.0314, "ru"), p_value(None, "en")
    ('< 0.001', '0,031', '—')
    """
    if value is None:
        return UNKNOWN
    return f"< {number(0.001, lang, 3)}" if value < 0.001 else number(value, lang, 3)


def of_share(found: Share, lang: str) -> str:
    """3 of 200 (1.5%)."""
    if not found.of:
        return UNKNOWN
    return f"{number(found.count, lang)} ({share(found.value, lang)})"


def share_between(found: Share, lang: str) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"[{number(found.low * 100, lang, 1)}–{percent(found.high, lang)}]"


def listed(words: Sequence[str]) -> str:
    return ", ".join(words)
