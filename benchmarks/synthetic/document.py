"""A printed document: a title, sections of paragraphs in one or two columns, a list, head and foot of the page."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.synthetic import wording
from benchmarks.synthetic.fonts import Face
from benchmarks.synthetic.sheet import ADVANCE, Align, Page, Sheet, facts, wrapped
from benchmarks.synthetic.truth import Edges, Size
from benchmarks.synthetic.typefaces import family


class Style(NamedTuple):
    """How a column is set; `indent` of the first line of a paragraph, in pixels."""

    text: Face
    heading: Face
    indent: float
    align: Align


MARKS = ("•", "–", "")  # in front of the items of a list; "" for numbers


def blocks(rng: random.Random, language: str) -> Iterator[tuple[str, str]]:
    """Kind and text of one block after another: a heading, some paragraphs, at times a list; without a repetition."""
    sentences = wording.several(rng, language, "sentence", 99)
    sections = wording.several(rng, language, "section", 99)
    lists = rng.sample(wording.phrases(language)["list"], len(wording.phrases(language)["list"]))
    number = rng.choice((0, rng.randint(1, 5)))
    while sections and len(sentences) > 6:
        heading = sections.pop()
        yield "Section-header", f"{number}. {heading}" if number else heading
        number += bool(number)
        for _ in range(rng.randint(1, 2)):
            yield "Text", " ".join(sentences.pop() for _ in range(min(rng.randint(2, 4), len(sentences))))
        if lists and rng.random() < 0.5:
            intro, *items = lists.pop()
            mark = rng.choice(MARKS)
            yield "Text", intro
            chosen = [wording.filled(rng, language, each) for each in rng.sample(items, rng.randint(2, len(items)))]
            for index, each in enumerate(chosen):
                yield "List-item", f"{mark or f'{index + 1})'} {each}{'.' if index == len(chosen) - 1 else ';'}"


def column(sheet: Sheet, place: Edges, style: Style, content: list[tuple[str, str]]) -> None:
    """Prints what fits into the place; what does not stays in `content`, a paragraph from its next line on."""
    left, y, right, bottom = place
    indent = style.indent
    while content:
        kind, said = content[0]
        font = style.heading if kind == "Section-header" else style.text
        y += font.size * 0.5 if kind == "Section-header" else 0
        push = indent if kind == "Text" and not said.endswith(":") else 0.0
        hang = font.size * 1.2 if kind == "List-item" else 0.0
        lines = wrapped(said, font, right - left - hang, push)
        room = int((bottom - y) / (font.size * ADVANCE))
        if room < {"Section-header": 4 + len(lines), "List-item": len(lines)}.get(kind, min(2, len(lines))):
            return
        whole = len(lines) <= room
        align = style.align if kind == "Text" else "left"
        y = sheet.block(kind, left + hang, y, right - left - hang, lines[:room], font, align=align, indent=push)
        if not whole:
            content[0] = kind, " ".join(lines[room:])
            return
        content.pop(0)
        y += font.size * (0.45 if kind == "Text" and not indent else 0.15)


def draw(rng: random.Random, language: str, size: Size, paths: Sequence[str]) -> Page:
    """A page of `size` (width, height in pixels), full but for the end of its last column."""
    width, height = size
    sheet = Sheet(size)
    body, display = family(rng, paths, "serif", "sans"), family(rng, paths, "serif", "sans")
    text = body.at(rng.choice((20, 21, 22, 23, 24)))
    small, title = body.at(text.size * 0.8), display.at(32, "bold")
    margin = round(width * rng.uniform(0.08, 0.12))
    inner, top = width - 2 * margin, margin * 0.6
    if rng.random() < 0.6:
        sheet.block("Page-header", margin, top, inner, [wording.said(rng, language, "header")], small,
                    align=rng.choice(("left", "centre", "right")))  # fmt: skip
        sheet.rule(margin, top + small.size * 1.5, width - margin, top + small.size * 1.5, 1)
        top += small.size * 2.6
    noted = "*" * (rng.random() < 0.4)
    name = wrapped(wording.sentence_case(wording.said(rng, language, "title")) + noted, title, inner)
    top = sheet.block("Title", margin, top, inner, name, title, align=rng.choice(("left", "centre"))) + text.size * 0.4

    columns = 2 if width >= 900 and rng.random() < 0.45 else 1
    gutter = text.size * 1.8
    measure = (inner - gutter * (columns - 1)) / columns
    align: Align = "justify" if columns == 1 and rng.random() < 0.5 else "left"
    style = Style(text, display.at(text.size * 1.12, "bold"), rng.choice((0.0, text.size * 1.4)), align)
    foot = height - margin - small.size * 2.4
    content = list(blocks(rng, language))
    for left in (margin + index * (measure + gutter) for index in range(columns)):
        column(sheet, (left, top, left + measure, foot), style, content)
    if noted:
        sheet.rule(margin, foot + small.size * 0.3, margin + inner * 0.3, foot + small.size * 0.3, 1)
        note = f"{noted} {wording.said(rng, language, 'footnote')}"
        sheet.block("Footnote", margin, foot + small.size * 0.6, inner, [note], small)
    sheet.block("Page-footer", margin, height - margin * 0.8, inner, [str(rng.randint(2, 240))], small,
                align=rng.choice(("centre", "right")))  # fmt: skip
    absent = wording.several(rng, language, "sentence", 5)
    return sheet.page("document", language, facts=facts(rng, sheet.text, absent))
