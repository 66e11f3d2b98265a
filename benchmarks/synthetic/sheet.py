"""A sheet to print on: lines of text, rules and fills, with a note of every region as it is printed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.metrics.truth import Fact, Region, Truth
from benchmarks.synthetic.fonts import Face
from benchmarks.synthetic.ground import Colour
from benchmarks.synthetic.truth import Edges, Pixels, Size

Align = Literal["left", "centre", "right", "justify"]
BLACK: Colour = (28, 27, 31)
WHITE: Colour = (253, 253, 251)
ADVANCE = 1.36  # from line to line, in sizes of the face


@dataclass(frozen=True)
class Page:
    """A printed page and all that is known of it. kind: the name of the module that drew it."""

    kind: str
    language: str
    pixels: Pixels
    truth: Truth

    @property
    def size(self) -> Size:
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])


def wrapped(text: str, font: Face, width: float, indent: float = 0) -> list[str]:
    """The text in lines no wider than `width` pixels, the first by `indent` less, but for a word wider by itself."""
    first, *words = text.split()
    lines, room = [first], width - indent
    for word in words:
        if font.width(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
            room = width
    return lines


def around(boxes: Sequence[Edges]) -> Edges:
    """The smallest box that holds them all."""
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


class Sheet:
    """Fills and rules lie under the text whatever the order of the calls; regions are noted in reading order."""

    def __init__(self, size: Size, paper: Colour = WHITE, ink: Colour = BLACK) -> None:
        self.canvas = Image.new("RGB", size, paper)
        self.pen = ImageDraw.Draw(self.canvas)
        self.size, self.paper, self.ink = size, paper, ink
        self.regions: list[Region] = []
        self._covers: dict[Colour, NDArray[np.uint8]] = {}
        self._said: list[str] = []

    def cover(self, ink: Colour) -> NDArray[np.uint8]:
        """How much ink of this colour covers every pixel: (height, width), 0 to 255, to be drawn into."""
        if ink not in self._covers:
            self._covers[ink] = np.zeros((self.size[1], self.size[0]), np.uint8)
        return self._covers[ink]

    def line(
        self, x: float, baseline: float, text: str, font: Face, ink: Colour | None = None, align: Align = "left"
    ) -> Edges:
        """One line; `x` is its left end, its middle or its right end as `align` says. Returns the box of the ink.

        Raises `ValueError` where the text does not fit on the sheet: its truth would be a lie.
        """
        if align in ("centre", "right"):
            x -= font.width(text) / (2 if align == "centre" else 1)
        if x < 0 or x + font.width(text) > self.size[0] or not font.size / 2 < baseline <= self.size[1]:
            raise ValueError(f"{text!r} does not fit on a sheet of {self.size}")
        return font.draw(self.cover(ink or self.ink), x, round(baseline), text).box

    def block(
        self,
        kind: str,
        x: float,
        top: float,
        width: float,
        lines: Sequence[str],
        font: Face,
        *,
        ink: Colour | None = None,
        align: Align = "left",
        indent: float = 0,
        advance: float = ADVANCE,
    ) -> float:
        """Lines under one another as one region; returns where the next may begin.

        `indent` pushes the first line in. Justified text is spread between its ends but for the last line.
        """
        boxes, step = [], font.size * advance
        for index, text in enumerate(lines):
            baseline = top + font.ascent + step * index
            left = x + (indent if index == 0 else 0)
            if align == "justify" and index < len(lines) - 1 and " " in text:
                words = text.split()
                gap = (x + width - left - sum(map(font.width, words))) / (len(words) - 1)
                for word in words:
                    boxes.append(self.line(left, baseline, word, font, ink))
                    left += font.width(word) + gap
            else:
                anchor = {"centre": x + width / 2, "right": x + width}.get(align, left)
                boxes.append(self.line(anchor, baseline, text, font, ink, "left" if align == "justify" else align))
        self.note(kind, around(boxes), "\n".join(lines))
        return top + step * len(lines)

    def note(self, kind: str, box: Edges, text: str, said: str | None = None) -> None:
        """A region that has been drawn. said: what stands in the text of the page, where that is not `text`."""
        x0, y0, x1, y1 = (round(edge, 1) for edge in box)
        self.regions.append(Region(x0, y0, x1, y1, kind, text))
        self._said.append(text if said is None else said)

    def rule(self, x0: float, y0: float, x1: float, y1: float, width: int = 2, colour: Colour | None = None) -> None:
        self.pen.line((round(x0), round(y0), round(x1), round(y1)), colour or self.ink, width)

    @property
    def text(self) -> str:
        return "\n".join(filter(None, self._said))

    @property
    def bottom(self) -> float:
        """Where the lowest region ends."""
        return max(region.y1 for region in self.regions)

    def page(
        self,
        kind: str,
        language: str,
        *,
        height: float | None = None,
        facts: Sequence[Fact] = (),
        table: str | None = None,
        formula: str | None = None,
    ) -> Page:
        """The finished page, cut off at `height` where that is given."""
        for ink, cover in self._covers.items():
            self.canvas.paste(ink, mask=Image.fromarray(cover))
        pixels = np.array(self.canvas)[: round(height) if height else None]
        return Page(kind, language, pixels, Truth(self.text, (), table, formula, tuple(self.regions), tuple(facts)))


def facts(rng: random.Random, text: str, foreign: Sequence[str]) -> list[Fact]:
    """Facts of a page: a line that is there, one before another, and a likely one of `foreign` that is not there."""
    lines = [line for line in text.splitlines() if len(line) >= 4 and text.count(line) == 1]
    made = []
    if lines:
        first, *second = sorted(rng.sample(range(len(lines)), min(2, len(lines))))
        forgiven = len(lines[first]) // 20
        made.append(Fact("present", lines[first], max_diffs=forgiven))
        made += [Fact("order", lines[first], lines[place], max_diffs=forgiven) for place in second]
    absent = [line for line in foreign if line not in " ".join(text.split())]
    return made + [Fact("absent", line) for line in rng.sample(absent, min(1, len(absent)))]
