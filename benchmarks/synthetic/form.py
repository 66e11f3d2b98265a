"""A filled-in form: names of fields in print, values in an italic hand, boxes to tick, a stamp."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from benchmarks.synthetic import wording
from benchmarks.synthetic.fonts import Face
from benchmarks.synthetic.ground import Colour
from benchmarks.synthetic.sheet import BLACK, Page, Sheet, around, facts
from benchmarks.synthetic.truth import Size
from benchmarks.synthetic.typefaces import family

PENS: tuple[Colour, ...] = ((30, 48, 128), (24, 28, 72), (40, 38, 46))
GREY: Colour = (138, 136, 142)


def row(
    sheet: Sheet, place: tuple[float, float, float], pairs: Sequence[str], label: Face, hand: Face, pen: Colour
) -> None:
    """Names and values in turn on one line, `place` its left and right end and its baseline; values are underlined."""
    left, right, y = place
    needs = [label.width(f"{name}: ") + hand.width(value) for name, value in zip(pairs[::2], pairs[1::2], strict=True)]
    free = (right - left - sum(needs)) / len(needs)
    boxes, said = [], []
    for name, value, width in zip(pairs[::2], pairs[1::2], needs, strict=True):
        end = left + width + free
        start = left + label.width(f"{name}: ")
        boxes += [sheet.line(left, y, f"{name}:", label), sheet.line(start + free * 0.15, y - 1, value, hand, pen)]
        sheet.rule(start, y + label.size * 0.3, end - label.size * 0.6, y + label.size * 0.3, 1, GREY)
        said.append(f"{name}: {value}")
        left = end
    sheet.note("Text", around(boxes), " ".join(said))


def choices(
    rng: random.Random, sheet: Sheet, left: float, y: float, names: Sequence[str], label: Face, pen: Colour
) -> None:
    """A question with a box to tick in front of every answer; one is ticked."""
    question, *answers = names
    x, side = left + label.width(f"{question}:  "), label.size * 0.8
    boxes, ticked = [sheet.line(left, y, f"{question}:", label)], rng.randrange(len(answers))
    for index, name in enumerate(answers):
        sheet.pen.rectangle((round(x), round(y - side), round(x + side), round(y)), outline=BLACK, width=2)
        if index == ticked:
            points = [(x + 0.15 * side, y - 0.5 * side), (x + 0.45 * side, y - 0.1 * side), (x + 1.1 * side, y - side)]
            sheet.pen.line(points, pen, 4, "curve")
        boxes.append(sheet.line(x + side * 1.5, y, name, label))
        x += side * 1.5 + label.width(f"{name}    ")
    sheet.note("Text", around(boxes), f"{question}: {' '.join(answers)}")


def signatures(
    rng: random.Random,
    sheet: Sheet,
    left: float,
    right: float,
    y: float,
    names: Sequence[str],
    label: Face,
    pen: Colour,
) -> None:
    """Two names beside one another, each with a flourish over its line."""
    middle = (left + right) / 2
    boxes = []
    for name, x, end in zip(names, (left, middle + label.size), (middle - label.size, right), strict=True):
        boxes.append(sheet.line(x, y, name, label))
        start = x + label.width(f"{name} ")
        sheet.rule(start, y + label.size * 0.3, end, y + label.size * 0.3, 1, GREY)
        along = np.linspace(0, 1, 60)
        waves = np.sin(along * rng.uniform(18, 30) + rng.uniform(0, 6)) * (1 - along) * rng.uniform(0.4, 0.7)
        xs = start + label.size * (0.5 + along * rng.uniform(2.5, 4)) - waves * label.size * 0.4
        ys = y - label.size * (0.15 + along * 0.3 + waves * 0.6)
        sheet.pen.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), pen, 3, "curve")
    sheet.note("Text", around(boxes), " ".join(names))


def draw(rng: random.Random, language: str, size: Size, paths: Sequence[str]) -> Page:
    """One form across `size` (width, height in pixels), cut off below its last line."""
    schema = rng.choice(wording.phrases(language)["form"])
    width = size[0]
    sheet = Sheet(size, rng.choice(((253, 253, 251), (250, 248, 242), (246, 250, 246))))
    print_, pen = family(rng, paths, "serif", "sans"), rng.choice(PENS)
    writing = family(rng, paths, "serif", "sans")
    margin, scale = round(width * 0.085), min(24, width // 34)
    label, hand = print_.at(scale), writing.at(scale * 1.08, "italic")
    left, right = margin, width - margin
    fields = [
        [text if place % 2 == 0 else wording.filled(rng, language, text) for place, text in enumerate(pairs)]
        for pairs in schema["fields"]
    ]
    # Whatever the faces, the widest line of the form must fit.
    while any(label.width("".join(pairs[::2])) + hand.width("".join(pairs[1::2])) > (right - left) * 0.88 - scale * 2
              for pairs in fields):  # fmt: skip
        scale -= 1
        label, hand = print_.at(scale), writing.at(scale * 1.08, "italic")

    y = margin * 0.7
    organisation = wording.filled(rng, language, schema["organisation"])
    y = sheet.block("Page-header", left, y, right - left, [organisation], print_.at(scale * 0.95)) + scale * 0.3
    sheet.rule(left, y, right, y, 2)
    title = wording.filled(rng, language, schema["title"])
    y = sheet.block("Title", left, y + scale * 0.8, right - left, [title], print_.at(scale * 1.45, "bold"),
                    align="centre") + scale * 1.4  # fmt: skip
    step = scale * rng.uniform(1.9, 2.3)
    for pairs in fields:
        row(sheet, (left, right, y), pairs, label, hand, pen)
        y += step
    choices(rng, sheet, left, y + step * 0.1, schema["choice"], label, pen)
    y += step * 1.6
    signatures(rng, sheet, left, right, y, schema["sign"], label, pen)
    known = {text for pairs in fields for text in pairs[1::2]}
    other = [
        each for name in ("device", "trouble", "liked", "cargo") for each in wording.several(rng, language, name, 2)
    ]
    return sheet.page("form", language, height=y + margin * 0.8,
                      facts=facts(rng, sheet.text, [each for each in other if each not in known]))  # fmt: skip
