"""Quality against what it takes, as a drawing: a circle a model, and the line along those that no other outdoes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from arena.board import Line, undominated
from arena.strings import tr
from arena.ui.drawing import drawing, scales
from arena.ui.plot import choice
from arena.ui.points import MEMORY, QUALITY, TIMES, Axis, Dot, Group, Picture
from arena.ui.render import text


def pareto(lines: Sequence[Line], x: str, y: str, lang: str) -> str:
    """A metric against time (``generate_s``) or memory (``vram_mb``, ``ram_mb``): a figure, or what it takes.

    A model's number is its place among `lines`, the same in every figure. y: the metric; where no model has it, the
    first that one has.
    """
    qualities = {name: quality for name, quality in QUALITY.items() if any(name in line.scores for line in lines)}
    quality = qualities.get(y) or next(iter(qualities.values()), QUALITY["cer"])
    axis, value = _axis(x)
    groups = [
        Group(place + 1, line.model, line.label, (Dot("", across, up),), across, up, None)
        for place, line in enumerate(lines)
        if (across := value(line)) is not None and (up := line.scores.get(quality.key)) is not None
    ]
    title = f"<strong>{text(tr('ratings.pareto.title', lang, x=axis.title(lang)))}</strong>"
    upwards = choice("y", qualities, quality, lang) if qualities else ""
    if not groups:
        why = text(tr(f"ratings.pareto.empty_{x if qualities else 'quality'}", lang))
        return f'<figure class="plot">{upwards}<div class="empty">{title}<p>{why}</p></div></figure>'
    sign = 1 if quality.less else -1
    best = undominated([(group, group.x, sign * group.y) for group in groups])
    picture = Picture(groups, axis, quality, None)
    names = ", ".join(group.title for group in best)
    sums = {"x": axis.title(lang), "y": quality.title(lang), "models": len(groups), "best": names}
    said = text(tr("ratings.pareto.alt", lang, **sums))
    better = tr(f"ratings.pareto.better_{axis.unit}", lang)
    across_is = f'<text font-weight="600" x="100%" y="100%" dy="46" text-anchor="end">{text(axis.title(lang))}</text>'
    notes = " ".join(tr(f"ratings.pareto.{key}", lang) for key in (("best", "warm") if axis.unit == "s" else ("best",)))
    return (
        f'<figure class="plot" lang="{lang}"><div class="drawing">{upwards}<div class="plane">'
        f'<svg role="img" aria-label="{said}">{across_is}{_staircase(picture, best)}'
        f"{drawing(picture, lang, better)}</svg>"
        '</div><div class="tip" hidden></div></div>'
        f"<figcaption>{title}{_legend(picture, best, lang)}<p>{text(notes)}</p></figcaption>"
        "</figure>"
    )


def _axis(x: str) -> tuple[Axis, Callable[[Line], float | None]]:
    if x == "generate_s":
        return TIMES[x], lambda line: line.generate_s
    return MEMORY[x], lambda line: line.peak_vram_mb if x == "vram_mb" else line.peak_ram_mb


def _legend(picture: Picture, best: Sequence[Group], lang: str) -> str:
    """The number and colour of each model with both quantities; who is not outdone is marked."""
    heads = "".join(f'<th scope="col">{text(axis.short(lang))}</th>' for axis in (picture.x, picture.y))
    mark = f' <b class="best" title="{text(tr("ratings.pareto.mark", lang))}">★</b>'
    rows = "".join(
        f'<tr class="{group.classes}"><th scope="row"><i>{group.rank}</i> '
        f"{text(group.title)}{mark if group in best else ''}</th>"
        f"<td>{text(picture.x.said(group.x, lang))}</td><td>{text(picture.y.said(group.y, lang))}</td></tr>"
        for group in picture.groups
    )
    model = text(tr("ratings.column.model", lang))
    return f'<table><thead><tr><th scope="col">{model}</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _staircase(picture: Picture, best: Sequence[Group]) -> str:
    """The line that no model is beyond: left of it, and below it or above, whichever is better."""
    across, up = scales(picture)
    corners: list[tuple[float, float]] = []
    for group in best:
        x, y = across.place(group.x), 1 - up.place(group.y)
        corners += [(x, corners[-1][1] if corners else float(not picture.y.less)), (x, y)]
    corners.append((1.0, corners[-1][1]))
    points = " ".join(f"{100 * x:.2f},{100 * y:.2f}" for x, y in corners)
    return (
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none"><polyline fill="none" stroke="currentColor"'
        f' stroke-dasharray="5 4" vector-effect="non-scaling-stroke" points="{points}"/></svg>'
    )
