"""One page of a document as HTML: its picture with the boxes of both models, and what each has found beside it.

A box and its text carry the same ``data-box``; assets/documents.js lights both when one of them is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from arena.documents.blocks import Block, categories, laid_out
from arena.documents.document import Page
from arena.numbers import number
from arena.strings import strings, tr
from arena.types import Run
from arena.ui import answer, render, safe_html
from arena.ui.formula import mathml
from arena.ui.picture import url
from arena.units import timed

MOST_BOXES = 1_500  # a side; more would only slow the browser down
NUMBERED = 120  # boxes a side up to which each shows its place in the reading order from the start
TAG = re.compile(r"<[^<>]*>")
VIEWS = ("parts", "rendered", "diff")


def page_html(page: Page, titles: Mapping[str, str], view: str, document: str, lang: str) -> str:
    """The page in a view, ``parts`` or ``rendered``. document: its id, for what can be downloaded."""
    if page.trouble:
        return f'<p class="trouble" role="alert">{render.text(page.trouble.get(lang) or page.trouble["en"])}</p>'
    sides = {letter: page.blocks(letter)[:MOST_BOXES] for letter in titles}
    texts = "".join(_said(page, letter, title, sides[letter], view, document, lang) for letter, title in titles.items())
    return f'<div class="spread">{_sheet(page, sides, lang)}<div class="texts">{texts}</div></div>'


def drawing(page: Page, sides: Mapping[str, Sequence[Block]], source: str, lang: str) -> str:
    """The picture with every side's boxes. source: of the picture."""
    alt = _t("documents.page_alt", lang, page=page.number)
    layers = "".join(_layer(page, letter, found) for letter, found in sides.items() if found)
    image = f'<img src="{source}" alt="{alt}" width="{page.width}" height="{page.height}">'
    return f'<div class="canvas">{image}{layers}</div>'


def legend(sides: Mapping[str, Sequence[Block]], lang: str) -> str:
    """The categories on the page, each in its colour, with how many blocks of it each side has."""
    letters = [letter for letter, found in sides.items() if found]
    items = ""
    for name, counts in categories([sides[letter] for letter in letters]):
        each = " · ".join(f"{letter} {number(count, lang)}" for letter, count in zip(letters, counts, strict=True))
        items += f'<li class="{slug(name)}"><i></i>{render.text(category(name, lang))} <b>{each}</b></li>'
    return f'<ul class="legend" aria-label="{_t("documents.legend", lang)}">{items}</ul>' if items else ""


def block_html(block: Block) -> str:
    """What a block says, as what it is."""
    if not block.text.strip():
        return ""
    if block.category == "Table":
        return safe_html.table_html(block.text) if "<t" in block.text else safe_html.markdown(block.text)
    if block.category == "Formula":
        return mathml(bare_formula(block.text), block=True)
    if block.category in ("line", "word", "object"):
        return render.text(render.shown(block.text)[0])
    return safe_html.markdown(block.markdown)


def bare_formula(latex: str) -> str:
    """LaTeX without the signs that set it apart from a text."""
    said = latex.strip()
    for begin, end in (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$")):
        if said.startswith(begin) and said.endswith(end) and len(said) > len(begin) + len(end):
            return said[len(begin) : -len(end)].strip()
    return said


def category(name: str, lang: str) -> str:
    key = f"documents.category.{slug(name).removeprefix('c-').replace('-', '_')}"
    return tr(key, lang) if key in strings("en") else name[:40]


def slug(name: str) -> str:
    """The class of a category; those that no model of ours has are of one kind."""
    plain = name.lower().replace("_", "-")
    return f"c-{plain}" if f"documents.category.{plain.replace('-', '_')}" in strings("en") else "c-other"


def _sheet(page: Page, sides: Mapping[str, Sequence[Block]], lang: str) -> str:
    if page.sha256 is None:
        return f'<div class="sheet none"><p class="hint">{_t("documents.not_drawn", lang)}</p></div>'
    shown = [letter for letter, found in sides.items() if found]
    many = any(len(found) > NUMBERED for found in sides.values())
    switches = "".join(
        _switch(letter.lower(), True, f'<span class="letter">{letter}</span> {_boxes(len(sides[letter]), lang)}')
        for letter in shown
    )
    if shown:
        switches += _switch("order", not many, _t("documents.order", lang))
    ratio = page.width / max(page.height, 1)
    return (
        f'<figure class="sheet" style="--ratio:{ratio:.4f}"><div class="switches" role="group" '
        f'aria-label="{_t("documents.switches", lang)}">{switches}</div>{drawing(page, sides, url(page.sha256), lang)}'
        f"{legend(sides, lang)}</figure>"
    )


def _switch(name: str, on: bool, inner: str) -> str:
    kind = f"tool switch {name}"
    return (
        f'<button type="button" class="{kind}" data-toggle="{name}" aria-pressed="{str(on).lower()}">{inner}</button>'
    )


def _boxes(count: int, lang: str) -> str:
    return _t("documents.boxes", lang, count=number(count, lang))


def _layer(page: Page, letter: str, found: Sequence[Block]) -> str:
    """One model's boxes over the picture, each with its number; the text of a box is its tooltip."""
    size = max(page.width, page.height) / 70
    shapes = []
    for block in found:
        box = block.place
        sure = "" if box.confidence is None else f" · {box.confidence:.0%}"
        words = TAG.sub(" ", box.text[:2000]) if block.category == "Table" else box.text[:2000]
        said = render.text(" ".join(words.split())[:200] or block.category)
        key = f"{letter.lower()}{block.number}"
        wide = size * (0.5 + 0.62 * len(str(block.number)))
        top = max(box.y0 - size * 1.15, 0)
        left = box.x0 if letter == "A" else max(box.x1 - wide, box.x0)  # two models often agree on where a box is
        name, first = f"{letter} {block.number}: {said}", 0 if block.number == 1 else -1
        shapes.append(
            f'<g class="{slug(block.category)}" data-box="{key}" tabindex="{first}" role="button" aria-label="{name}">'
            f"<title>{name}{sure}</title>{_rect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0)}"
            f'<g class="no">{_rect(left, top, wide, size * 1.15)}<text x="{left + wide / 2:.1f}" '
            f'y="{top + size * 0.92:.1f}" font-size="{size:.1f}">{block.number}</text></g></g>'
        )
    return f'<svg class="boxes {letter.lower()}" viewBox="0 0 {page.width} {page.height}">{"".join(shapes)}</svg>'


def _rect(x: float, y: float, width: float, height: float) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _said(page: Page, letter: str, title: str, found: Sequence[Block], view: str, document: str, lang: str) -> str:
    run, name = page.runs.get(letter), f"doc-said-{letter.lower()}"
    if run is None:
        state, body = answer.chip(tr("ui.status.waiting", lang), "·", "waiting"), ""
    else:
        state = answer.chip(tr(f"statuses.{run.status}", lang), answer.SIGNS[run.status], run.status)
        state += f'<span class="time">{timed(run.timeline.generate_s, lang)}</span>'
        body = (
            answer.trouble(run, lang)
            + answer.left_out(run, lang)
            + _body(page, letter, run, found, view, document, lang)
        )
    return (
        f'<section class="said {letter.lower()}" aria-labelledby="{name}"><header><span class="letter">{letter}</span>'
        f'<h3 id="{name}">{render.text(title)}</h3>{state}</header>{body}</section>'
    )


def _body(page: Page, letter: str, run: Run, found: Sequence[Block], view: str, document: str, lang: str) -> str:
    if not run.text.strip() and not found:
        return f'<p class="hint">{_t("documents.nothing", lang)}</p>'
    tools = "".join(
        f'<a class="tool" href="documents/{document}/{page.number}-{letter}-{at}.csv" download>'
        f"{_t('documents.table_csv', lang, number=at)}</a>"
        for at in range(1, 1 + len(page.tables(letter)))
    )
    tools = f'<p class="tools">{tools}</p>' if tools else ""
    # Where its boxes say less than its answer, the answer is shown as it is.
    if view == "parts" and found and any(block.text for block in found):
        return f'<div class="scroll">{_blocks(letter, found, lang)}</div>{tools}'
    if view == "rendered" or run.task != "ocr":
        return (
            f'<div class="scroll rendered" tabindex="0">{safe_html.markdown(page.markdown(letter), lang)}</div>{tools}'
        )
    return f'<pre class="scroll" tabindex="0" dir="auto">{render.text(render.shown(run.text)[0])}</pre>{tools}'


def _blocks(letter: str, found: Sequence[Block], lang: str) -> str:
    plain = not laid_out(found)
    items = []
    for block in found:
        tag = "" if plain else f'<span class="tag">{render.text(category(block.category, lang))}</span>'
        inner = block_html(block) or f'<span class="hint">{_t("documents.no_text", lang)}</span>'
        items.append(
            f'<li class="{slug(block.category)}" data-box="{letter.lower()}{block.number}" '
            f'tabindex="{0 if block.number == 1 else -1}"><span class="no">{block.number}</span>{tag}'
            f'<div class="rendered" dir="auto">{inner}</div></li>'
        )
    return f'<ol class="blocks{" lines" if plain else ""}">{"".join(items)}</ol>'


def _t(key: str, lang: str, **params: object) -> str:
    return render.text(tr(key, lang, **params))
