"""The parts of a report: the image, what was asked, the answers, everything that was recorded.

The look, the bars, the boxes and the facts are those of the arena's own page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from arena.numbers import UNKNOWN, number
from arena.strings import strings, tr
from arena.types import Run
from arena.ui import answer, timeline
from arena.ui.live import View
from arena.ui.picture import layer
from arena.ui.render import shown, text
from arena.ui.run_detail import facts, named
from arena.ui.run_table import Reader

MOST_TEXT = 200_000  # characters of an answer; the JSON has them all
MOST_VALUE = 2_000  # characters of one recorded value


def said(key: str, lang: str, **params: object) -> str:
    return text(tr(f"report.{key}", lang, **params))


def cut(value: str, most: int = MOST_VALUE) -> str:
    kept, left = shown(value, most)
    return f"{kept}…" if left else kept


def figure(runs: Sequence[Run], views: Sequence[View], picture: str, lang: str) -> str:
    """The image with the boxes of every side, which can be hidden; a word where there is no image."""
    first = runs[0]
    if not picture:
        why = "image_gone" if first.image_sha256 else "no_image"
        return f'<figure class="picture none"><p>{said(why, lang)}</p></figure>'
    width, height = max(1, first.image_width or 1), max(1, first.image_height or 1)
    drawn = [(view.letter, run.boxes) for view, run in zip(views, runs, strict=True) if run.boxes]
    layers = "".join(layer(letter.lower(), boxes, width, height) for letter, boxes in drawn)
    switches = "".join(
        f'<label class="{letter.lower()}"><input type="checkbox" class="show-{letter.lower()}" checked>'
        f'<span class="letter">{letter}</span> {said("boxes", lang, count=number(len(boxes), lang))}</label>'
        for letter, boxes in drawn
    )
    return (
        f'<figure class="picture" style="--ratio:{width / height:.4f}"><div class="canvas">'
        f'<img src="{text(picture)}" alt="{said("picture", lang)}" width="{width}" height="{height}">{layers}</div>'
        f"<figcaption>{switches}</figcaption></figure>"
    )


def question(runs: Sequence[Run], views: Sequence[View], reader: Reader) -> str:
    """Everything that the models were asked."""
    first, lang = runs[0], reader.lang
    language = f"ui.language.{first.language or 'any'}"
    rows = {
        "task": text(reader.task(first.task)),
        "language": text(tr(language, lang) if language in strings("en") else first.language),
        "params": _params(runs, views),
        "image": text(_size(first, lang)),
    }
    listed = "".join(f"<div><dt>{said(key, lang)}</dt><dd>{value}</dd></div>" for key, value in rows.items())
    texts = _text("prompt", first.prompt, lang) + _text("reference", first.reference or "", lang)
    return f'<div class="sheet"><h2>{said("asked", lang)}</h2><dl>{listed}</dl>{texts}</div>'


def answers(views: Sequence[View], lang: str) -> str:
    """Each side's card: how it went, where its time was spent, what it said."""
    lines = timeline.timelines(views, lang)
    return "".join(_answer(view, view.run, line, lang) for view, line in zip(views, lines, strict=True) if view.run)


def recorded(runs: Sequence[Run], views: Sequence[View], lang: str) -> str:
    """Everything else that was written down: versions, hardware, sizes, ids; a column a side."""
    sides = [{group: dict(rows) for group, rows in facts(run, lang).items()} for run in runs]
    heads = "".join(
        f'<th scope="col" class="{view.letter.lower()}"><span class="letter">{view.letter}</span> {text(view.title)}'
        "</th>"
        for view in views
    )
    bodies = ""
    for group in sides[0]:
        title = text(tr(f"benchmark.detail.{group}", lang))
        bodies += f'<tbody><tr><th colspan="{len(sides) + 1}" scope="rowgroup">{title}</th></tr>'
        for key in dict.fromkeys(key for side in sides for key in side[group]):
            cells = "".join(f"<td>{text(cut(side[group].get(key, UNKNOWN)))}</td>" for side in sides)
            bodies += f'<tr><th scope="row">{text(named(key, lang))}</th>{cells}</tr>'
        bodies += "</tbody>"
    return (
        f'<details class="sheet recorded" open><summary><h2>{said("recorded", lang)}</h2></summary>'
        f'<div class="wide"><table><thead><tr><td></td>{heads}</tr></thead>{bodies}</table></div></details>'
    )


def _answer(view: View, run: Run, line: str, lang: str) -> str:
    low = view.letter.lower()
    html = answer.head(view.letter, view.title, answer.chips(view, lang), line, view.how)
    html += answer.trouble(run, lang) + answer.left_out(run, lang)
    if run.text.strip():
        name, copy, copied = f"answer-{low}", tr("ui.answer.copy", lang), tr("ui.answer.copied", lang)
        html += _whole(run.text, MOST_TEXT, said("answer", lang, letter=view.letter), lang, f' id="{name}"')
        html += (
            f'<p class="tools"><button type="button" class="tool" data-copy="{name}"><span>{text(copy)}</span>'
            f'<span class="ok">{text(copied)}</span></button></p>'
        )
    return f'<article class="result {low}">{html}</article>'


def _whole(value: str, most: int, label: str, lang: str, more: str = "") -> str:
    """A text as it is, with what was left out named. label: escaped. more: further attributes."""
    kept, left = shown(value, most)
    rest = f'<p class="hint">{said("more", lang, count=number(left, lang))}</p>' if left else ""
    return f'<pre class="text" tabindex="0" role="region" aria-label="{label}"{more}>{text(kept)}</pre>{rest}'


def _text(name: str, value: str, lang: str) -> str:
    """A text that was given to the models; nothing when there is none."""
    title = said(name, lang)
    return f"<h3>{title}</h3>{_whole(value, MOST_TEXT, title, lang)}" if value.strip() else ""


def _params(runs: Sequence[Run], views: Sequence[View]) -> str:
    """The parameters, once where all sides had the same."""

    def listed(run: Run) -> str:
        values = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in run.params.items())
        return cut(", ".join(values)) or UNKNOWN

    told = [listed(run) for run in runs]
    if len(set(told)) == 1:
        return text(told[0])
    return "<br>".join(f"{view.letter}: {text(each)}" for view, each in zip(views, told, strict=True))


def _size(run: Run, lang: str) -> str:
    """The image's size, and that of the upload where it was another."""
    if run.image_width is None or run.image_height is None:
        return UNKNOWN
    size, original = f"{run.image_width} × {run.image_height}", f"{run.original_width} × {run.original_height}"
    if run.original_width is None or run.original_height is None or original == size:
        return size
    return f"{size} ({tr('report.reduced', lang, size=original)})"
