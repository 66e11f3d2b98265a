"""The figure of the Benchmark tab: the drawing, its axes to choose from, and a legend that is a small ranking."""

from __future__ import annotations

from arena.numbers import number
from arena.strings import tr
from arena.ui.drawing import drawing
from arena.ui.points import TIMES, Axis, Picture
from arena.ui.render import text


def plot(picture: Picture, lang: str, newest: int | None = None) -> str:
    """The figure as HTML. newest: how many runs were looked at, where there are more than can be drawn."""
    x, y, memory = picture.x, picture.y, picture.memory
    if picture.groups:
        names = {"models": len(picture.groups), "runs": picture.runs, "x": x.title(lang), "y": y.title(lang)}
        said = text(tr("benchmark.plot.alt", lang, **names))
        inside = f'<svg role="img" aria-label="{said}">{drawing(picture, lang)}</svg>'
        notes = [tr("benchmark.plot.medians", lang)]
        notes += [tr(f"benchmark.plot.size_{memory.key}", lang)] if memory else []
        notes += [tr("benchmark.plot.newest", lang, count=number(newest, lang))] if newest else []
        legend = f"{_legend(picture, lang)}<p>{text(' '.join(notes))}</p>"
    else:
        why = tr(f"benchmark.plot.empty_{'quality' if y.unit == 'percent' else y.key}", lang)
        inside, legend = f'<div class="empty"><p>{text(why)}</p></div>', ""
    return f"""
<figure class="plot" lang="{lang}">
  <div class="drawing">
    {choice("y", picture.upwards, y, lang)}
    <div class="plane">{inside}</div>
    {choice("x", TIMES, x, lang)}
    <div class="tip" hidden></div>
  </div>
  <figcaption>{legend}</figcaption>
</figure>"""


def choice(name: str, axes: dict[str, Axis], chosen: Axis, lang: str) -> str:
    """The title of an axis, which is also where another quantity is chosen for it."""
    options = "".join(
        f'<option value="{key}"{" selected" if axis is chosen else ""}>{text(axis.title(lang))}</option>'
        for key, axis in axes.items()
    )
    label = text(tr(f"benchmark.plot.{name}", lang))
    select = f'<select data-change="choose_axis" data-axis="{name}" aria-label="{label}">{options}</select>'
    return f'<div class="axis {name}">{select}</div>'


def _legend(picture: Picture, lang: str) -> str:
    """The number and colour of each model and its medians, the best of each column in bold."""
    groups = picture.groups
    columns: list[tuple[Axis, list[float | None]]]
    columns = [(picture.x, [group.x for group in groups]), (picture.y, [group.y for group in groups])]
    if picture.memory and picture.memory is not picture.y:
        columns.append((picture.memory, [group.memory for group in groups]))
    best = [axis.best(values) for axis, values in columns]
    heads = "".join(f'<th scope="col">{text(axis.short(lang))}</th>' for axis, _ in columns)
    rows = []
    for index, group in enumerate(groups):
        cells = ""
        for (axis, values), winner in zip(columns, best, strict=True):
            wins = len(groups) > 1 and values[index] is not None and values[index] == winner
            kind = ' class="best"' if wins else ""
            cells += f"<td{kind}>{text(axis.said(values[index], lang))}</td>"
        rows.append(
            f'<tr class="{group.classes}"><th scope="row"><button type="button" data-event="only_model"'
            f' data-value="{text(group.model)}" title="{text(tr("benchmark.plot.only", lang, model=group.title))}">'
            f"<i>{group.rank}</i><span>{text(group.title)}</span></button></th>"
            f"<td>{number(len(group.dots), lang)}</td>{cells}</tr>"
        )
    return (
        f'<table><thead><tr><th scope="col">{text(tr("benchmark.column.model", lang))}</th>'
        f'<th scope="col">{text(tr("benchmark.short.runs", lang))}</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
