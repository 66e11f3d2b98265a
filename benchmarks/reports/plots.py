"""The plots of a report as SVG, by matplotlib: text stays text, and every colour is one of the page's own.

A colour is drawn in its value by daylight, so a file looks right by itself; `themed` puts the page's variables in.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.markup import plain
from benchmarks.reports.figures import ModelFigures, Report, Slice
from benchmarks.reports.intervals import Numbers
from benchmarks.reports.needs import needed
from benchmarks.reports.wording import group_name, is_rate, metric_short, say, value_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THEME = Path(__file__).parent.parent.parent / "assets" / "theme.css"
# Told apart by the colour-blind too (after Okabe and Ito), dark enough on paper; marker and dash tell them once more.
SERIES = ("#2f5bd0", "#b3530b", "#00795c", "#a63d87", "#7a6a00", "#1f7fa8", "#5f6470", "#7d4a2b")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.3)), (0, (6, 2, 1, 2)), "-", (0, (5, 2)), (0, (1, 1.3)), "-")
SIZE = (4.6, 3.3)  # inches at 72 points; two side by side on a screen, one on a phone
STEPS = 240  # points of a curve at the most
DRAWING = threading.Lock()  # matplotlib's settings are the process's
LARGE_RANGE = 8  # from which on an axis of times is logarithmic


@dataclass(frozen=True)
class Plot:
    """name: of a file, and which group it is of by what it begins with. svg: coloured for daylight."""

    name: str
    caption: str
    svg: str


def draw(report: Report, lang: str) -> list[Plot]:
    """Every plot that the report has figures for, in their order. Raises `RunError` without matplotlib."""
    needed("matplotlib")
    if not report.metrics:
        return []
    drawn = (Plot(name, caption, _svg(make, name, lang)) for name, caption, make in _plots(report, lang))
    return [plot for plot in drawn if plot.svg]


def themed(svg: str) -> str:
    """For a page that has the variables: they follow its theme."""
    return re.sub(r"#[0-9a-f]{6}", lambda found: _variables().get(found[0], found[0]), svg)


def _plots(report: Report, lang: str) -> Iterator[tuple[str, str, Callable[[Axes], bool]]]:
    metric = report.metrics[0]
    graphics = sum(model.peak_vram_mb is not None for model in report.models) >= min(2, len(report.models))
    memory, title = (_vram, "axis.vram") if graphics else (_ram, "axis.ram")
    whole: dict[str, Callable[[Axes], bool]] = {
        "quality_latency": lambda axes: _trade(axes, report, lang, _latency, say("axis.latency", lang)),
        "quality_memory": lambda axes: _trade(axes, report, lang, memory, say(title, lang)),
        "scores": lambda axes: _scores(axes, report, lang),
        "latency": lambda axes: _latencies(axes, report, lang),
    }
    for name, make in whole.items():
        yield name, say(f"plot.{name}", lang), make
    mine = [each for each in report.slices if each.metric == metric]
    for group in dict.fromkeys(each.group for each in mine):
        within = [each for each in mine if each.group == group]
        if group == "degradation":
            for value in dict.fromkeys(each.value for each in within if each.value):
                kept = [each for each in within if each.value in ("", value)]
                caption = say("plot.degradation", lang, value=value_name(group, value, "", lang))
                if len({each.level for each in kept}) > 1:
                    yield f"degradation_{_plain(value)}", caption, _curves(report, kept, value, lang)
        else:
            caption = say("plot.by", lang, group=group_name(group, lang))
            yield f"by_{_plain(group)}", caption, _bars(report, within, group, lang)


def _curves(report: Report, slices: Sequence[Slice], value: str, lang: str) -> Callable[[Axes], bool]:
    return lambda axes: _degradation(axes, report, slices, value, lang)


def _bars(report: Report, slices: Sequence[Slice], group: str, lang: str) -> Callable[[Axes], bool]:
    return lambda axes: _by_group(axes, report, slices, group, lang)


def _latency(model: ModelFigures) -> float | None:
    return (model.warm if model.warm.generate.n else model.cold).generate.p50


def _vram(model: ModelFigures) -> float | None:
    return None if model.peak_vram_mb is None else model.peak_vram_mb / 1024


def _ram(model: ModelFigures) -> float | None:
    return None if model.peak_ram_mb is None else model.peak_ram_mb / 1024


def scaled(metric: str) -> float:
    return 100.0 if is_rate(metric) else 1.0


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Which points no other beats or equals in both, the less the better; by the first.

    >>> pareto([(1, 5), (2, 3), (3, 4), (4, 1)])
    [0, 1, 3]
    """
    kept: list[int] = []
    for at in sorted(range(len(points)), key=lambda at: points[at]):
        if not kept or points[at][1] < points[kept[-1]][1]:
            kept.append(at)
    return kept


def _trade(axes: Axes, report: Report, lang: str, cost: Callable[[ModelFigures], float | None], title: str) -> bool:
    """Quality against a cost: the models with their intervals, the front of those that nobody beats in both."""
    metric = report.metrics[0]
    factor, sign = scaled(metric), 1 if is_rate(metric) else -1
    places: list[tuple[int, float, float]] = []
    for at, model in enumerate(report.models):
        x, found = cost(model), model.scores[metric].headline
        if x is None or found.value is None:
            continue
        y = found.value * factor
        reach = [[0.0], [0.0]]
        if found.low is not None and found.high is not None:
            reach = [[max(0.0, y - found.low * factor)], [max(0.0, found.high * factor - y)]]
        axes.errorbar(x, y, yerr=reach, color=_series(at), marker=_of(MARKERS, at), ms=7, capsize=3, lw=1.2, ls="none")
        places.append((at, x, y))
    if len(places) < 2:  # nothing to weigh
        return False
    front = pareto([(x, sign * y) for _, x, y in places])
    line = [(x, y) for _, x, y in (places[at] for at in front)]
    axes.plot(*zip(*line, strict=True), color=_ink("ink-faint"), lw=1, ls=(0, (2, 2)), zorder=0)
    _scale(axes, np.array([x for _, x, _ in places]), lang)
    axes.margins(x=0.25, y=0.2)
    middle = sum(axes.transAxes.inverted().transform(axes.transData.transform((x, 0)))[0] for _, x, _ in places)
    for place, (at, x, y) in enumerate(places):
        star = "★ " if place in front else ""
        right = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))[0] > max(
            0.5, middle / len(places)
        )
        label = axes.annotate(
            star + _short(report.models[at].title),
            (x, y),
            xytext=(-7 if right else 7, 6),
            textcoords="offset points",
            color=_ink("ink"),
            ha="right" if right else "left",
        )
        label.set_in_layout(False)
    axes.set_xlabel(title)
    axes.set_ylabel(_axis(metric, lang))
    _from_zero(axes, metric)
    return True


def _scores(axes: Axes, report: Report, lang: str) -> bool:
    """How many items have at most such a score: the whole distribution, nothing binned or smoothed."""
    metric = report.metrics[0]
    for at, model in enumerate(report.models):
        _steps(axes, model.scores_drawn * scaled(metric), at, model.title)
    axes.set_xlabel(_axis(metric, lang))
    return _shares(axes, report, lang, "axis.items")


def _latencies(axes: Axes, report: Report, lang: str) -> bool:
    for at, model in enumerate(report.models):
        _steps(axes, model.seconds_drawn, at, model.title)
    everything = np.concatenate([model.seconds_drawn for model in report.models])
    _scale(axes, everything, lang)
    axes.set_xlabel(say("axis.seconds", lang))
    return _shares(axes, report, lang, "axis.answers")


def _shares(axes: Axes, report: Report, lang: str, title: str) -> bool:
    if not axes.lines:
        return False
    axes.set_ylabel(say(title, lang))
    axes.set_ylim(0, 103)
    _legend(axes, report)
    return True


def _steps(axes: Axes, values: Numbers, at: int, title: str) -> None:
    if not len(values):
        return
    ordered = np.sort(values)
    places = np.unique(np.linspace(0, len(ordered) - 1, min(len(ordered), STEPS)).round().astype(int))
    shares = 100 * (places + 1) / len(ordered)
    x, y = np.concatenate([ordered[:1], ordered[places]]), np.concatenate([[0.0], shares])
    axes.step(x, y, where="post", color=_series(at), ls=_of(DASHES, at), lw=1.6, label=_short(title))


def _degradation(axes: Axes, report: Report, slices: Sequence[Slice], value: str, lang: str) -> bool:
    metric = report.metrics[0]
    factor = scaled(metric)
    levels = sorted({each.level for each in slices}, key=_size)
    for at, model in enumerate(report.models):
        found = {each.level: each.score for each in slices if each.model == model.model}
        known = [place for place, level in enumerate(levels) if level in found]
        if not known:
            continue
        scores = [found[levels[place]] for place in known]
        values = [factor * (each.value or 0.0) for each in scores]
        look: dict[str, Any] = {"color": _series(at), "ls": _of(DASHES, at), "marker": _of(MARKERS, at)}
        axes.plot(known, values, lw=1.6, ms=5, label=_short(model.title), **look)
        if all(each.low is not None for each in scores):
            low, high = (
                [factor * (each or 0.0) for each in bound]
                for bound in zip(*((s.low, s.high) for s in scores), strict=True)
            )
            axes.fill_between(known, low, high, color=_series(at), alpha=0.14, lw=0)
    axes.set_xticks(range(len(levels)), [_short(level) or say("clean_short", lang) for level in levels])
    axes.set_xlabel(f"{_short(value_name('degradation', value, '', lang))}: {say('axis.level', lang)}")
    axes.set_ylabel(_axis(metric, lang))
    _from_zero(axes, metric)
    _legend(axes, report)
    return bool(axes.lines)


def _by_group(axes: Axes, report: Report, slices: Sequence[Slice], group: str, lang: str) -> bool:
    metric = report.metrics[0]
    factor, values = scaled(metric), list(dict.fromkeys(each.value for each in slices))
    width = 0.8 / max(1, len(report.models))
    for at, model in enumerate(report.models):
        mine = {each.value: each.score for each in slices if each.model == model.model}
        there = [place for place, value in enumerate(values) if value in mine]
        if not there:
            continue
        scores = [mine[values[place]] for place in there]
        heights = [factor * (each.value or 0.0) for each in scores]
        reach = [
            [
                height - factor * each.low if each.low is not None else 0.0
                for height, each in zip(heights, scores, strict=True)
            ],
            [
                factor * each.high - height if each.high is not None else 0.0
                for height, each in zip(heights, scores, strict=True)
            ],
        ]
        axes.barh(
            [place - 0.4 + width * (at + 0.5) for place in there],
            heights,
            width * 0.92,
            xerr=np.maximum(reach, 0),
            color=_series(at),
            label=_short(model.title),
            error_kw={"ecolor": _ink("ink"), "lw": 1, "capsize": 2},
        )
    axes.set_yticks(range(len(values)), [_short(value_name(group, value, "", lang)) for value in values])
    axes.set_ylim(len(values) - 0.45, -0.55)
    axes.set_xlabel(_axis(metric, lang))
    axes.grid(visible=False, axis="y")
    _legend(axes, report)
    return bool(axes.patches)


def _scale(axes: Axes, values: Numbers, lang: str) -> None:
    """Logarithmic where the values are far apart."""
    from matplotlib.ticker import LogLocator, NullFormatter

    if len(values) and values.min() > 0 and values.max() / values.min() > LARGE_RANGE:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        _numbers(axes, lang)


def _numbers(axes: Axes, lang: str) -> None:
    """Plain numbers at the ticks, with the decimal sign of the language."""
    from matplotlib.ticker import FuncFormatter

    def said(value: float, _: object) -> str:
        return f"{value:g}".replace("-", "−").replace(".", "," if lang == "ru" else ".")

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(said))


def _axis(metric: str, lang: str) -> str:
    arrow = "↓" if is_rate(metric) else "↑"
    return f"{metric_short(metric, lang)}{', %' if is_rate(metric) else ''} {arrow}"


def _from_zero(axes: Axes, metric: str) -> None:
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(0.0, bottom) if is_rate(metric) else bottom, top)


def _legend(axes: Axes, report: Report) -> None:
    if len(report.models) > 1 and (axes.lines or axes.patches):
        columns = 2 if len(report.models) > 3 else len(report.models)
        axes.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=columns, frameon=False, handlelength=2.2)


def _short(title: str) -> str:
    """On one line, and no longer than a plot has room for."""
    title = plain(" ".join(title.split()))
    return title if len(title) <= 30 else f"{title[:29]}…"


def _size(level: str) -> tuple[bool, float, str]:
    try:
        return bool(level), float(level or 0), level
    except ValueError:
        return True, 0.0, level


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "other"


def _of(choices: Sequence[Any], at: int) -> Any:
    return choices[at % len(choices)]


def _series(at: int) -> str:
    return SERIES[at % len(SERIES)]


@cache
def _theme() -> dict[str, str]:
    """The colours of the page by day, by name."""
    day = THEME.read_text(encoding="utf-8").partition(":root {")[2].partition("}")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", day))


def _ink(name: str) -> str:
    return _theme()[name]


@cache
def _variables() -> dict[str, str]:
    names = {_ink(name): f"var(--{name})" for name in ("ink", "ink-soft", "ink-faint", "line", "card")}
    return names | {colour: f"var(--s{at})" for at, colour in enumerate(SERIES)}


def _svg(make: Callable[[Axes], bool], name: str, lang: str) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure  # no pyplot, which keeps every figure

    ink = {
        key: _ink("ink-soft")
        for key in ("axes.labelcolor", "xtick.color", "ytick.color", "text.color", "axes.titlecolor")
    }
    look: Any = {
        **ink,
        "svg.fonttype": "none",
        "text.parse_math": False,
        "svg.hashsalt": name,
        "font.size": 9.5,
        "axes.titlesize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": _ink("ink-faint"),
        "axes.grid": True,
        "grid.color": _ink("line"),
        "grid.linewidth": 0.7,
        "axes.axisbelow": True,
        "axes.labelsize": 9.5,
        "legend.fontsize": 8.5,
        "figure.constrained_layout.use": True,
    }
    with DRAWING, mpl.rc_context(look), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # only measured here: the reader's own fonts show it
        figure = Figure(figsize=SIZE)
        axes = figure.add_subplot()
        _numbers(axes, lang)
        if not make(axes):
            return ""
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _tidied(out.getvalue(), name)


def _tidied(svg: str, name: str) -> str:
    """Only the drawing, that may stand in a page with others: ids of its own, the reader's fonts, no style for all."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'font-family: [^;"]*', "font-family: system-ui, sans-serif", svg)
    svg = re.sub(r"font: ([^;\"]*px) [^;\"]*", r"font: \1 system-ui, sans-serif", svg)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"(\d+\.\d\d)\d+", r"\1", svg)
    return re.sub(r"\s*\n\s*", "\n", svg).strip()
