"""The tables of a report as words: heads and rows once, for HTML, Markdown and the page alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from arena.numbers import UNKNOWN, number
from arena.strings import tr
from arena.units import sized, timed
from benchmarks.metrics import METRICS
from benchmarks.reports import wording
from benchmarks.reports.answers import STATUSES
from benchmarks.reports.figures import ModelFigures, Report, SlicePair
from benchmarks.reports.intervals import Estimate, Spread
from benchmarks.reports.paired import Paired
from benchmarks.reports.wording import say, score


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: the words, smaller ones below them, and what a column is sorted by, None for the words.

    best: the best of its column; worse: a fault to be seen.
    """

    said: str
    small: str = ""
    order: float | None = None
    best: bool = False
    worse: bool = False


@dataclass(frozen=True)
class Table:
    """name: of the caption and in Markdown. heads: the first `words` columns hold words, the others figures."""

    name: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1


def heads(lang: str, *names: str) -> tuple[str, ...]:
    return tuple(say(f"column.{name}", lang) for name in names)


def models(report: Report, lang: str) -> Table:
    """The summary: one row a model, the first metrics, what it cost. What nobody measured has no column."""
    metrics = report.metrics[:3]
    best = {name: best_of(report, name) for name in metrics}
    titles = ["model"]
    costs = [name for name in COSTS if any(COSTS[name](model) is not None for model in report.models)]
    rows = []
    for model in report.models:
        row = [Cell(model.title)]
        for name in metrics:
            found = model.scores[name].headline
            row.append(estimated(name, found, lang, best=found.value is not None and found.value == best[name]))
        unsound = model.failed.count + model.flawed.count
        row.append(Cell(number(unsound, lang), order=unsound, worse=bool(unsound)))
        row += [Cell(SAID[name](COSTS[name](model), lang), order=COSTS[name](model)) for name in costs]
        rows.append(tuple(row))
    named = tuple(wording.metric_short(name, lang) for name in metrics)
    failed = f"{say('column.failed', lang)} / {say('column.flawed', lang).lower()}"
    return Table(say("part.models", lang), (*heads(lang, *titles), *named, failed, *heads(lang, *costs)), tuple(rows))


def best_of(report: Report, metric: str) -> float | None:
    """The best headline value, None where there is no other to be better than."""
    known = [model.scores[metric].headline.value for model in report.models]
    values = [value for value in known if value is not None]
    if len(values) < 2:
        return None
    return min(values) if METRICS[metric].better == "lower" else max(values)


def estimated(metric: str, found: Estimate, lang: str, *, best: bool = False) -> Cell:
    return Cell(score(metric, found.value, lang), wording.between(metric, found, lang), found.value, best)


def scores(report: Report, lang: str) -> Table:
    rows = []
    for metric in report.metrics:
        best = best_of(report, metric)
        for model in report.models:
            found = model.scores[metric]
            rows.append(
                (
                    Cell(wording.metric_name(metric, lang), wording.direction(metric, lang)),
                    Cell(model.title),
                    estimated(metric, found.headline, lang, best=best is not None and found.headline.value == best),
                    estimated(metric, found.median, lang),
                    estimated(metric, found.answered, lang),
                    Cell(number(found.headline.n, lang), order=found.headline.n),
                )
            )
    names = heads(lang, "metric", "model", "score", "median", "answered", "items")
    return Table(say("part.scores", lang), names, tuple(rows), 2)


def times(report: Report, lang: str) -> Table:
    """Two rows a model, cold and warm: half of the answers were below the figure, and the small ones below these."""
    rows = []
    for model in report.models:
        for kind, pace in (("cold", model.cold), ("warm", model.warm)):
            if pace.generate.n:
                found = (getattr(pace, name) for name in STEPS)
                count = Cell(number(pace.generate.n, lang), order=pace.generate.n)
                cells = (timing(each, lang) for each in found)
                rows.append((Cell(model.title), Cell(say(f"time.{kind}", lang)), *cells, count))
    steps = (say(f"time.{name}", lang) for name in STEPS)
    return Table(
        say("part.times", lang), (*heads(lang, "model", "what"), *steps, *heads(lang, "count")), tuple(rows), 2
    )


def timing(found: Spread, lang: str) -> Cell:
    """The median; below it the other quantiles that are known, and the mean."""
    further = [(wording.percent(share, lang, 0), getattr(found, name)) for name, share in (("p90", 0.9), ("p99", 0.99))]
    told = [f"{name} {timed(value, lang)}" for name, value in further if value is not None]
    if found.n > 1:
        told.append(f"{say('time.mean', lang)} {timed(found.mean, lang)}")
    return Cell(timed(found.p50, lang), "\n".join(told), found.p50)


def failures(report: Report, lang: str) -> Table:
    """A column for every outcome that occurs, and the two shares."""
    there = [name for name in STATUSES if any(model.statuses[name] for model in report.models)]
    rows = []
    for model in report.models:
        counts = [
            Cell(
                number(model.statuses[name], lang),
                order=model.statuses[name],
                worse=name != "ok" and bool(model.statuses[name]),
            )
            for name in there
        ]
        shares = [
            Cell(wording.of_share(each, lang), wording.share_between(each, lang), each.value)
            for each in (model.failed, model.flawed)
        ]
        rows.append((Cell(model.title), *shares, *counts))
    names = (*heads(lang, "model", "failed", "flawed"), *(tr(f"statuses.{name}", lang) for name in there))
    return Table(say("part.failures", lang), names, tuple(rows))


def pairs(report: Report, lang: str) -> Table:
    rows = [(Cell(wording.metric_short(pair.metric, lang)), *_pair(report, pair, lang)) for pair in report.pairs]
    names = heads(lang, "metric", "first", "second", "difference", "adjusted", "effect", "record", "items")
    return Table(say("part.pairs", lang), names, tuple(rows), 3)


def _pair(report: Report, pair: Paired, lang: str) -> tuple[Cell, ...]:
    off = pair.difference
    return (
        Cell(report.title(pair.first)),
        Cell(report.title(pair.second)),
        Cell(wording.change(pair.metric, off.value, lang), wording.change_between(pair.metric, off, lang), off.value),
        Cell(wording.p_value(pair.adjusted, lang), order=pair.adjusted, best=(pair.adjusted or 1) < 0.05),
        Cell(UNKNOWN if pair.effect is None else number(pair.effect, lang, 2).replace("-", "−"), order=pair.effect),
        Cell(" · ".join(number(count, lang) for count in (pair.wins, pair.ties, pair.losses)), order=pair.wins),
        Cell(number(off.n, lang), order=off.n),
    )


def slices(report: Report, lang: str, groups: Sequence[str]) -> Iterator[Table]:
    """For every group a table with a row a kind: the first metric of every model, and how many items there are."""
    metric = report.metrics[0] if report.metrics else ""
    for group in groups:
        mine = [each for each in report.slices if each.group == group and each.metric == metric]
        rows = []
        for value, level in dict.fromkeys((each.value, each.level) for each in mine):
            found = {each.model: each.score for each in mine if (each.value, each.level) == (value, level)}
            cells = [estimated(metric, found.get(model.model, Estimate()), lang) for model in report.models]
            count = max(each.n for each in found.values())
            name = Cell(wording.value_name(group, value, level, lang))
            rows.append((name, *cells, Cell(number(count, lang), order=count)))
        names = (wording.group_name(group, lang), *(model.title for model in report.models), *heads(lang, "items"))
        yield Table(wording.group_name(group, lang), names, tuple(rows))


def slice_pairs(report: Report, lang: str, groups: Sequence[str]) -> Table:
    tests = [each for each in report.slice_pairs if each.group in groups]
    rows = [(Cell(_kind(each, lang)), *_pair(report, each.pair, lang)) for each in tests]
    names = heads(lang, "value", "first", "second", "difference", "adjusted", "effect", "record", "items")
    return Table(say("part.pairs", lang), names, tuple(rows), 3)


def _kind(each: SlicePair, lang: str) -> str:
    value = wording.value_name(each.group, each.value, each.level, lang)
    return f"{wording.group_name(each.group, lang)}: {value}"


def summary_table(report: Report, lang: str = "en") -> list[list[str]]:
    """The summary as plain words, its heads first: for a terminal or a page."""
    table = models(report, lang)
    return [list(table.heads), *([f"{cell.said} {cell.small}".strip() for cell in row] for row in table.rows)]


STEPS = ("load", "first_token", "generate", "total")


def _generate(model: ModelFigures) -> Spread:
    """Of warm answers; where there are none, of cold ones."""
    return (model.warm if model.warm.generate.n else model.cold).generate


def _joule(value: float | None, lang: str) -> str:
    return UNKNOWN if value is None else f"{number(value, lang)}\N{NO-BREAK SPACE}{say('joule', lang)}"


def _whole(value: float | None, lang: str) -> str:
    return number(value, lang, 1 if value is not None and value < 10 else 0)


COSTS: dict[str, Callable[[ModelFigures], float | None]] = {
    "p50": lambda model: _generate(model).p50,
    "p90": lambda model: _generate(model).p90,
    "per_min": lambda model: model.answers_per_min,
    "tokens": lambda model: model.tokens_per_s,
    "vram": lambda model: model.peak_vram_mb,
    "ram": lambda model: model.peak_ram_mb,
    "energy": lambda model: model.energy_j,
}
SAID: dict[str, Callable[[float | None, str], str]] = {
    "p50": timed,
    "p90": timed,
    "per_min": _whole,
    "tokens": _whole,
    "vram": sized,
    "ram": sized,
    "energy": _joule,
}
