"""What is known of a drawn picture: its text, every letter's place, every thing on it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # (height, width, 3), RGB
Edges = tuple[float, float, float, float]  # left, top, right, bottom in pixels
Size = tuple[int, int]  # width, height


@dataclass(frozen=True)
class Letter:
    """One printed character and the middle of its place, in pixels."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """One printed line; all its ink lies within the box."""

    text: str
    box: Edges


@dataclass(frozen=True)
class Thing:
    """One coloured shape, by the names in `benchmarks.synthetic.shapes`; all its ink lies within the box."""

    colour: str
    shape: str
    box: Edges

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True)
class Picture:
    """A picture and all that is on it; lines and things in the order of reading."""

    pixels: Pixels
    lines: tuple[Line, ...] = ()
    letters: tuple[Letter, ...] = ()
    things: tuple[Thing, ...] = ()
    ground: str = ""  # the name of the colour behind the things

    @property
    def size(self) -> Size:
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class Item:
    """A picture with a question and its right answer.

    kind: what is asked, a name of `benchmarks.synthetic.items.KINDS`. language: of the answer, ``en`` or ``ru``.
    facts: what the answer must say, for scoring: colour, shape, count or box, by name. about: the things that the
    answer speaks of, one after the other.
    """

    kind: str
    language: str
    picture: Picture
    question: str
    answer: str
    facts: dict[str, object] = field(default_factory=dict)
    about: tuple[Thing, ...] = ()
