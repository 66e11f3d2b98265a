"""The picture of the benchmark: time against errors or memory as an SVG that scales with the page, one colour a model.

Drawn here rather than by a charting library: it needs no script, follows the page's dark mode through CSS, keeps its
letters readable at any width (places are percentages, sizes are pixels) and looks the same in every browser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from arena.strings import tr
from arena.ui.numbers import number, share
from arena.ui.render import text
from arena.ui.scale import Scale, place_names
from arena.ui.units import sized, timed

COLOURS = 10  # how many the stylesheet has; further models start again and are told apart by their number
SMALLEST, LARGEST = 11.0, 26.0  # radius in pixels of a model's circle


@dataclass(frozen=True)
class Axis:
    """One quantity that can be drawn; all of them are better when smaller."""

    key: str  # names ``benchmark.axis.<key>``
    said: Callable[[float | None, str], str]  # a value with its unit
    unit: str  # names ``benchmark.unit.<unit>``

    def title(self, lang: str) -> str:
        return f"{tr(f'benchmark.axis.{self.key}', lang)}, {tr(f'benchmark.unit.{self.unit}', lang)}"


TIMES = {key: Axis(key, timed, "s") for key in ("generate_s", "total_s", "first_token_s")}
COSTS = {
    "cer": Axis("cer", share, "percent"),
    "wer": Axis("wer", share, "percent"),
    "vram_mb": Axis("vram_mb", sized, "mb"),
    "ram_mb": Axis("ram_mb", sized, "mb"),
}
AXES = {**TIMES, **COSTS}
MEMORY = ("vram_mb", "ram_mb")  # what a circle's size shows: the first that is known


@dataclass(frozen=True)
class Point:
    """One run: `values` by the keys of `AXES`, None where unknown."""

    run_id: str
    model: str
    title: str
    values: dict[str, float | None]


@dataclass(frozen=True)
class Group:
    """The drawn runs of one model and their medians."""

    rank: int  # the number in its circle
    title: str
    model: str
    points: Sequence[Point]
    middle: dict[str, float | None]

    @property
    def classes(self) -> str:
        return f"c{(self.rank - 1) % COLOURS} m{self.rank}"


def groups(points: Iterable[Point], order: Sequence[str], x: str, y: str) -> list[Group]:
    """Runs that have both quantities, by model; `order` fixes numbers and colours whatever the filter shows."""
    by_model: dict[str, list[Point]] = {}
    for point in points:
        if point.values.get(x) is not None and point.values.get(y) is not None:
            by_model.setdefault(point.model, []).append(point)
    places = {model: index for index, model in enumerate(dict.fromkeys([*order, *by_model]))}

    def middle(runs: list[Point], key: str) -> float | None:
        known = [value for run in runs if (value := run.values.get(key)) is not None]
        return median(known) if known else None

    return [
        Group(places[model] + 1, runs[-1].title, model, runs, {key: middle(runs, key) for key in AXES})
        for model, runs in sorted(by_model.items(), key=lambda item: places[item[0]])
    ]


def plot(points: Iterable[Point], order: Sequence[str], x: str, y: str, lang: str) -> str:
    """The figure as HTML: every run a dot, every model a numbered circle at its medians, and a legend.

    x is a key of `TIMES`, y one of `COSTS`; `order` lists all models, so that colours do not jump when filtered.
    """
    models = groups(points, order, x, y)
    memory = next((key for key in MEMORY if any(group.middle[key] is not None for group in models)), None)
    if models:
        runs = sum(len(group.points) for group in models)
        names = {"x": TIMES[x].title(lang), "y": COSTS[y].title(lang)}
        said = text(tr("benchmark.plot.alt", lang, models=len(models), runs=runs, **names))
        inside = f'<svg role="img" aria-label="{said}">{_drawing(models, x, y, memory, lang)}</svg>'
        notes = [tr("benchmark.plot.medians", lang)] + ([tr(f"benchmark.plot.size_{memory}", lang)] if memory else [])
        legend = _legend(models, [key for key in (x, y, memory) if key], lang) + f"<p>{text(' '.join(notes))}</p>"
    else:
        why = "quality" if COSTS[y].unit == "percent" else y
        inside, legend = f'<div class="empty"><p>{text(tr(f"benchmark.plot.empty_{why}", lang))}</p></div>', ""
    return f"""
<figure class="plot" lang="{lang}">
  <div class="drawing">
    {_choice("y", COSTS, y, lang)}
    <div class="plane">{inside}</div>
    {_choice("x", TIMES, x, lang)}
    <div class="tip" hidden></div>
  </div>
  <figcaption>{legend}</figcaption>
</figure>"""


def _choice(name: str, axes: dict[str, Axis], chosen: str, lang: str) -> str:
    """The title of an axis, which is also where another quantity is chosen for it."""
    options = "".join(
        f'<option value="{key}"{" selected" if key == chosen else ""}>{text(axis.title(lang))}</option>'
        for key, axis in axes.items()
    )
    label = text(tr(f"benchmark.plot.{name}", lang))
    select = f'<select data-change="choose_axis" data-axis="{name}" aria-label="{label}">{options}</select>'
    return f'<div class="axis {name}">{select}</div>'


def _drawing(models: list[Group], x: str, y: str, memory: str | None, lang: str) -> str:
    xs = [_known(point.values[x]) for group in models for point in group.points]
    ys = [_known(point.values[y]) for group in models for point in group.points]
    rate = COSTS[y].unit == "percent"
    across, up = Scale(min(xs), max(xs), logarithmic=True), Scale(0, _top(models, ys, y), logarithmic=False)
    over = max(ys) > up.high
    parts = [
        '<defs><radialGradient id="better" cx="0" cy="1" r="1"><stop offset="0"/><stop offset="1"/></radialGradient>'
        '</defs><rect width="60%" height="75%" y="25%" fill="url(#better)"/>'
    ]
    for tick in across.ticks:
        left = f"{across.place(tick):.2%}"
        parts.append(f'<line x1="{left}" x2="{left}" y1="0" y2="100%"/>')
        parts.append(f'<text class="tick" x="{left}" y="100%" dy="20" text-anchor="middle">{_tick(tick, lang)}</text>')
    for tick in up.ticks:
        top = f"{1 - up.place(tick):.2%}"
        label = ("≥ " if over and tick == up.ticks[-1] else "") + _tick(tick * 100 if rate else tick, lang)
        parts.append(f'<line x1="0" x2="100%" y1="{top}" y2="{top}"/>')
        parts.append(f'<text class="tick" y="{top}" dx="-8" dy=".32em" text-anchor="end">{label}</text>')
    hint = text(tr(f"benchmark.plot.{'better' if rate else 'lighter'}", lang))
    parts.append(f'<text class="better" y="100%" dx="10" dy="-10">↙ {hint}</text>')
    for group in models:
        for point in group.points:
            tip = " · ".join([group.title, *(AXES[key].said(point.values[key], lang) for key in (x, y))])
            parts.append(
                f'<circle class="dot {group.classes}" cx="{across.place(_known(point.values[x])):.2%}"'
                f' cy="{1 - up.place(_known(point.values[y])):.2%}" r="4.5" data-event="open_run"'
                f' data-value="{text(point.run_id)}" data-tip="{text(tip)}"/>'
            )
    largest = max((group.middle[memory] or 0 for group in models), default=0) if memory else 0
    marks = []
    for group in models:
        weight = (group.middle[memory] or 0) / largest if memory and largest else 0.25
        radius = max(SMALLEST, LARGEST * weight**0.5)  # the area is what the eye compares
        marks.append((across.place(_known(group.middle[x])), up.place(_known(group.middle[y])), radius, group.title))
    for group, (right, high, radius, title), name in zip(models, marks, place_names(marks), strict=True):
        place = f'x="{right:.2%}" y="{1 - high:.2%}"'
        tip = " · ".join(
            [title, *(AXES[key].said(group.middle[key], lang) for key in dict.fromkeys((x, y, memory or y)))]
        )
        label = ""
        if name:
            anchor, dx, dy = name
            label = (
                f'<text class="name" {place} dx="{dx:.0f}" dy="{dy:.0f}" text-anchor="{anchor}">{text(title)}</text>'
            )
        parts.append(
            f'<g class="middle {group.classes}" data-tip="{text(tip)}">'
            f'<circle cx="{right:.2%}" cy="{1 - high:.2%}" r="{radius:.1f}"/>'
            f'<text {place} dy=".36em" text-anchor="middle">{group.rank}</text>{label}</g>'
        )
    return "".join(parts)


def _top(models: list[Group], ys: list[float], y: str) -> float:
    """The largest value drawn in its place. A few answers that ran wild, with error rates of hundreds of percent,
    would press all the others flat: they go on the upper edge."""
    medians = max(_known(group.middle[y]) for group in models)
    usual = sorted(ys)[int(0.95 * (len(ys) - 1))]
    return max(1.25 * medians, usual) if max(ys) > 2 * usual else max(ys)


def _legend(models: list[Group], keys: list[str], lang: str) -> str:
    """A small table: the number and colour of each model and its medians, the best of each column in bold."""
    keys = list(dict.fromkeys(keys))
    best = {key: min((m for group in models if (m := group.middle[key]) is not None), default=None) for key in keys}
    heads = "".join(f'<th scope="col">{text(tr(f"benchmark.short.{key}", lang))}</th>' for key in keys)
    rows = []
    for group in models:
        cells = ""
        for key in keys:
            value = group.middle[key]
            winner = ' class="best"' if len(models) > 1 and value is not None and value == best[key] else ""
            cells += f"<td{winner}>{text(AXES[key].said(value, lang))}</td>"
        rows.append(
            f'<tr class="{group.classes}"><th scope="row"><button type="button" data-event="only_model"'
            f' data-value="{text(group.model)}" title="{text(tr("benchmark.plot.only", lang, model=group.title))}">'
            f"<i>{group.rank}</i><span>{text(group.title)}</span></button></th>"
            f"<td>{len(group.points)}</td>{cells}</tr>"
        )
    return (
        f'<table><thead><tr><th scope="col">{tr("benchmark.column.model", lang)}</th>'
        f'<th scope="col">{tr("benchmark.short.runs", lang)}</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _tick(value: float, lang: str) -> str:
    text = f"{value:.10g}"
    return number(value, lang, len(text.partition(".")[2]))


def _known(value: float | None) -> float:
    if value is None:
        raise ValueError("a point without a value cannot be drawn")
    return value
