"""The plot as SVG that scales with the page: every run a dot, every model a numbered circle at its medians.

Drawn here rather than by a charting library: it needs no script, follows the page's dark mode through CSS, keeps its
letters readable at any width (places are percentages, sizes are pixels) and looks the same in every browser.
"""

from __future__ import annotations

from arena.numbers import number
from arena.strings import tr
from arena.ui.points import Picture
from arena.ui.render import text
from arena.ui.scale import Scale, place_names

SMALLEST, LARGEST = 11.0, 26.0  # radius in pixels of a model's circle


def drawing(picture: Picture, lang: str, better: str = "") -> str:
    """The inside of the SVG; there must be something to draw. better: what the corner to be in is called."""
    across, up = scales(picture)
    over = max(dot.y for group in picture.groups for dot in group.dots) > up.high
    better = better or tr(f"benchmark.plot.{'better' if picture.y.unit == 'percent' else 'lighter'}", lang)
    ground, label = _corner(better, picture.y.less)
    grid, dots = _grid(picture, across, up, over, lang), _dots(picture, across, up, lang)
    return f"{ground}{grid}{dots}{label}{_circles(picture, across, up, lang)}"


def scales(picture: Picture) -> tuple[Scale, Scale]:
    """Of the quantity across and of that up."""
    xs = [dot.x for group in picture.groups for dot in group.dots]
    return Scale(min(xs), max(xs), logarithmic=True), Scale(0, top(picture), logarithmic=False)


def top(picture: Picture) -> float:
    """The largest value drawn in its place. A few answers that ran wild, with error rates of hundreds of percent,
    would press all the others flat: they go on the upper edge."""
    ys = sorted(dot.y for group in picture.groups for dot in group.dots)
    medians = max(group.y for group in picture.groups)
    usual = max(ys[int(0.9 * (len(ys) - 1))], 1.25 * medians)
    if picture.y.unit == "percent":
        usual = max(min(usual, 1.0), medians)
    return usual if ys[-1] > 1.5 * usual else ys[-1]


def _corner(better: str, low: bool) -> tuple[str, str]:
    """Where less time meets the better of the quantity up, at the foot or at the top: its shade and its name."""
    name, end, top, place = ("low", 1, "25%", 'y="100%" dy="-10"') if low else ("high", 0, "0", 'dy="20"')
    shade = (
        f'<defs><radialGradient id="best-{name}" cx="0" cy="{end}" r="1"><stop offset="0"/><stop offset="1"/>'
        f'</radialGradient></defs><rect width="60%" height="75%" y="{top}" fill="url(#best-{name})"/>'
    )
    return shade, f'<text class="better" {place} dx="10">{"↙" if low else "↖"} {text(better)}</text>'


def _grid(picture: Picture, across: Scale, up: Scale, over: bool, lang: str) -> str:
    rate = picture.y.unit == "percent"
    parts = []
    for tick in across.ticks:
        x = f"{across.place(tick):.2%}"
        parts.append(f'<line x1="{x}" x2="{x}" y1="0" y2="100%"/>')
        parts.append(f'<text class="tick" x="{x}" y="100%" dy="20" text-anchor="middle">{_tick(tick, lang)}</text>')
    for tick in up.ticks:
        y = f"{1 - up.place(tick):.2%}"
        label = ("≥ " if over and tick == up.ticks[-1] else "") + _tick(tick * 100 if rate else tick, lang)
        parts.append(f'<line x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="tick" y="{y}" dx="-8" dy=".32em" text-anchor="end">{label}</text>')
    return "".join(parts)


def _dots(picture: Picture, across: Scale, up: Scale, lang: str) -> str:
    return "".join(
        f'<circle class="dot {group.classes}" cx="{across.place(dot.x):.2%}" cy="{1 - up.place(dot.y):.2%}" r="4.5"'
        f' data-event="open_run" data-value="{text(dot.run_id)}"'
        f' data-tip="{text(f"{group.title} · {picture.x.said(dot.x, lang)} · {picture.y.said(dot.y, lang)}")}"/>'
        for group in picture.groups
        for dot in group.dots
    )


def _circles(picture: Picture, across: Scale, up: Scale, lang: str) -> str:
    largest = max((group.memory or 0.0 for group in picture.groups), default=0.0)
    marks = []
    for group in picture.groups:
        weight = (group.memory or 0.0) / largest if largest else 0.25
        radius = max(SMALLEST, LARGEST * weight**0.5)  # the area is what the eye compares
        marks.append((across.place(group.x), up.place(group.y), radius, group.title))
    parts = []
    for group, (right, high, radius, title), name in zip(picture.groups, marks, place_names(marks), strict=True):
        said = [title, picture.x.said(group.x, lang), picture.y.said(group.y, lang)]
        if picture.memory and picture.memory is not picture.y:
            said.append(picture.memory.said(group.memory, lang))
        place = f'x="{right:.2%}" y="{1 - high:.2%}"'
        label = ""
        if name:
            anchor, dx, dy = name
            shift = f'dx="{dx:.0f}" dy="{dy:.0f}" text-anchor="{anchor}"'
            label = f'<text class="name" {place} {shift}>{text(title)}</text>'
        parts.append(
            f'<g class="middle {group.classes}" data-event="only_model" data-value="{text(group.model)}"'
            f' data-tip="{text(" · ".join(said))}"><circle cx="{right:.2%}" cy="{1 - high:.2%}" r="{radius:.1f}"/>'
            f'<text {place} dy=".36em" text-anchor="middle">{group.rank}</text>{label}</g>'
        )
    return "".join(parts)


def _tick(value: float, lang: str) -> str:
    digits = len(f"{value:.10g}".partition(".")[2])
    return number(value, lang, digits)
