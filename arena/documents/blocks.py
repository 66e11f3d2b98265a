"""What a model found on a page, block by block in the order in which it reads them.

The order is the model's own: it is one of the things that are compared. An engine that gives words has them put
together to lines, as it reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapters.base import Box
from adapters.dots_layout import CATEGORIES, Element
from adapters.dots_layout import markdown as layout_markdown

LINE = "line"
ON_THE_LINE = 0.5  # share of the lower word's height by which two words of one line overlap
GAP = 3.0  # heights of a word between two words of one line; more is another column


@dataclass(frozen=True)
class Block:
    """number: place in the reading order, from 1. place: in pixels of the page, confidence and text in it."""

    number: int
    category: str
    text: str
    place: Box

    @property
    def markdown(self) -> str:
        """Tables stay HTML, formulas LaTeX, and a picture has no text."""
        if self.category == "List-item" and self.text and not self.text.lstrip().startswith(("-", "*", "•", "·", "+")):
            return self.text if self.text.lstrip()[:1].isdigit() else f"- {self.text}"
        return layout_markdown(Element(self.category, self.text))


def blocks(boxes: Sequence[Box]) -> tuple[Block, ...]:
    """The blocks of one page."""
    found = lines(boxes) if boxes and all(box.kind == "word" for box in boxes) else boxes
    found = [box for box in found if box.text.strip() or box.kind != LINE]
    return tuple(Block(number, box.kind, box.text, box) for number, box in enumerate(found, 1))


def laid_out(found: Iterable[Block]) -> bool:
    """Whether the model has told the parts of the page apart, and not only where there is text."""
    return any(block.category in CATEGORIES for block in found)


def lines(words: Iterable[Box]) -> list[Box]:
    """Words in reading order as lines: as long as each stands beside the one before."""
    found: list[list[Box]] = []
    for word in words:
        if found and beside(found[-1][-1], word):
            found[-1].append(word)
        else:
            found.append([word])
    return [joined(line) for line in found]


def beside(one: Box, other: Box) -> bool:
    """Whether `other` follows on the same line."""
    height = min(one.y1 - one.y0, other.y1 - other.y0)
    overlap = min(one.y1, other.y1) - max(one.y0, other.y0)
    return overlap >= ON_THE_LINE * height and -height < other.x0 - one.x1 < GAP * max(one.y1 - one.y0, height)


def joined(line: Sequence[Box]) -> Box:
    """One box around the words of a line; as sure as they are on the average."""
    known = [word.confidence for word in line if word.confidence is not None]
    return Box(
        min(word.x0 for word in line),
        min(word.y0 for word in line),
        max(word.x1 for word in line),
        max(word.y1 for word in line),
        " ".join(word.text for word in line),
        LINE,
        sum(known) / len(known) if known else None,
    )


def categories(found: Iterable[Iterable[Block]]) -> Iterator[tuple[str, list[int]]]:
    """Every category on a page, in a fixed order, with how many blocks of it each side has."""
    sides = [list(side) for side in found]
    present = {block.category for side in sides for block in side}
    for name in [*(each for each in CATEGORIES if each in present), *sorted(present - set(CATEGORIES))]:
        yield name, [sum(block.category == name for block in side) for side in sides]
