"""What a report says in sentences and lists: what came out, how it was counted, what ran."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from arena.numbers import UNKNOWN, number, share
from arena.units import timed
from benchmarks.metrics import METRICS
from benchmarks.reports import wording
from benchmarks.reports.figures import ModelFigures, Report
from benchmarks.reports.intervals import Estimate
from benchmarks.reports.wording import say

CLEAR = 0.05  # corrected p below which a difference is called one
METHODS = ("headline", "interval", "tests", "times", "energy")
NAMED = ("task", "repeat", "warmup", "seed", "item_seconds", "cached")


def findings(report: Report, lang: str) -> Iterator[str]:
    """One sentence for each thing to know first."""
    if not report.rows:
        yield say("empty", lang)
        return
    if not report.metrics:
        yield say("unscored", lang)
    yield from _best(report, lang)
    quick = [(model.warm.generate.p50, model.title) for model in report.models if model.warm.generate.p50 is not None]
    if len(quick) > 1:
        seconds, title = min(quick)
        yield say("fastest", lang, model=title, seconds=timed(seconds, lang))
    for model in report.models:
        if model.failed.count:
            yield say("failing", lang, model=model.title, share=share(model.failed.value, lang))


def _best(report: Report, lang: str) -> Iterator[str]:
    if not report.metrics:
        return
    metric = report.metrics[0]
    sign = 1 if METRICS[metric].better == "lower" else -1

    def rank(model: ModelFigures) -> float:
        value = model.scores[metric].headline.value
        return float("inf") if value is None else sign * value

    first, *others = sorted(report.models, key=rank)
    found = first.scores[metric].headline
    if found.value is None:
        return
    said = {"score": wording.score(metric, found.value, lang), "interval": wording.between(metric, found, lang)}
    key = "best" if others else "one"
    yield say(key, lang, model=first.title, metric=wording.metric_short(metric, lang), **said)
    for second in others[:1]:
        yield from _lead(report, first, second, lang)


def _lead(report: Report, first: ModelFigures, second: ModelFigures, lang: str) -> Iterator[str]:
    """How far the second is behind, and whether that is chance."""
    metric = report.metrics[0]
    sign = 1 if METRICS[metric].better == "lower" else -1
    for pair in report.pairs:
        if pair.metric == metric and {pair.first, pair.second} == {first.model, second.model}:
            lead = pair.difference if (sign > 0) == (pair.first == second.model) else _turned(pair.difference)
            p = wording.p_value(pair.adjusted, lang)
            told = {
                "gap": wording.change(metric, lead.value, lang).lstrip("+"),
                "interval": wording.change_between(metric, lead, lang).replace("+", ""),
                "other": second.title,
                "p": p if p[0] == "<" else f"= {p}",
            }
            clear = pair.adjusted is not None and pair.adjusted < CLEAR
            yield say("ahead" if clear else "unclear", lang, **told)


def _turned(found: Estimate) -> Estimate:
    """The difference seen from the other side."""
    value, low, high = (None if bound is None else -bound for bound in (found.value, found.high, found.low))
    return Estimate(value, low, high, found.n)


def facts(report: Report, lang: str) -> Iterator[tuple[str, str]]:
    """What the report is about."""
    benchmark = report.benchmark
    yield say("fact.dataset", lang), benchmark.dataset or UNKNOWN
    yield say("fact.items", lang), number(report.items, lang)
    if report.unreadable:
        yield say("fact.unreadable", lang), number(report.unreadable, lang)
    cached = sum(model.cached for model in report.models)
    yield say("fact.answers", lang), number(report.rows, lang)
    if cached:
        yield say("fact.cached", lang), number(cached, lang)
    yield say("fact.began", lang), f"{benchmark.created_at:%Y-%m-%d %H:%M} UTC"
    yield say("fact.state", lang), say(f"state.{benchmark.state}", lang)


def methods(lang: str) -> list[str]:
    return [say(f"method.{name}", lang) for name in METHODS]


def setups(report: Report, lang: str) -> Iterator[tuple[str, list[list[str]]]]:
    """What ran on what: what is the same for all models once, then what each one has of its own, the heads first."""
    benchmark, plan = report.benchmark, report.benchmark.plan
    common = [[say("fact.id", lang), benchmark.id], [say("fact.sha256", lang), benchmark.dataset_sha256]]
    common.append([say("again", lang), again(report)])
    common += [
        [say(f"asked.{name}", lang), str(plan[name])] for name in NAMED if plan.get(name) not in (None, "", False)
    ]
    common += [[str(name), json.dumps(value, ensure_ascii=False)] for name, value in plan.get("params", {}).items()]
    known: dict[str, dict[str, dict[str, None]]] = {}  # by fact, then by model, all values there are
    for each in report.setups:
        for name, value in each.facts.items():
            known.setdefault(name, {}).setdefault(each.model, {})[value] = None
    models = [model.model for model in report.models]
    own: list[list[str]] = []
    for name, values in known.items():
        said = [", ".join(values.get(model, {UNKNOWN: None})) for model in models]
        alike = len(set(said)) == 1
        row = [wording.named(f"made.{name}", lang, name)]
        (common if alike else own).append([*row, *(said[:1] if alike else said)])
    yield say("setup_same", lang), common
    if own and len(models) > 1:
        yield say("setup_own", lang), own


def again(report: Report) -> str:
    """The command that makes such a benchmark."""
    plan = report.benchmark.plan
    models = [shlex.quote(str(model)) for model in plan.get("models", ())]
    words = ["python -m arena bench run --dataset", shlex.quote(report.benchmark.dataset), "--models", *models]
    usual = {"task": "ocr", "repeat": 1, "warmup": 1, "seed": 0}
    words += [f"--{name} {plan[name]}" for name, value in usual.items() if plan.get(name, value) != value]
    return " ".join(words)
