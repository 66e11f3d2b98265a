"""What dots.ocr says about a page, read tolerantly: a list of elements in reading order, each with its place.

The answer ought to be a JSON list of ``{"bbox", "category", "text"}``. It may be cut off, repeat itself, use the wrong
quotes, break LaTeX's backslashes or lack a number; every element that can be understood is kept, and `boxes` tells of
the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from adapters.base import Box
from adapters.coordinates import LATEX, object_at, split, to_pixels, written

CATEGORIES = (
    "Caption", "Footnote", "Formula", "List-item", "Page-footer", "Page-header", "Picture", "Section-header", "Table",
    "Text", "Title",
)  # fmt: skip
BY_LETTERS = {re.sub(r"[^a-z]", "", name.lower()): name for name in CATEGORIES}
START = re.compile(r"""\{\s{0,99}["'](?:bbox|category|text)["']\s{0,99}:""")
LONGEST_START = 2 * 99 + len('{"category":')
BBOX = re.compile(r"""["']bbox["']\s*:\s*["'\[(]*([^\])"'{}]*)(?=[\])"'])""")  # cut off, a number may lack its end
CATEGORY = re.compile(r"""["']category["']\s*:\s*["']([^"']*)""")
TEXT = re.compile(r"""["']text["']\s*:\s*(["'])(.*)""", re.DOTALL)
CLOSING = tuple(",]}")


@dataclass(frozen=True)
class Element:
    """One block of a page. numbers: left, top, right, bottom as the model wrote them; empty where what it wrote is no
    box, None where it wrote none."""

    category: str
    text: str = ""
    numbers: tuple[float, ...] | None = None


def elements(answer: str) -> list[Element]:
    """The elements of a whole answer, each once."""
    return list(dict.fromkeys(element for part in parts(answer) if (element := read(part))))


def parts(answer: str) -> list[str]:
    """An answer cut where an element begins; what stands before the first is left out."""
    cuts = [*(match.start() for match in START.finditer(answer)), len(answer)]
    return [answer[start:end] for start, end in pairwise(cuts)]


def read(part: str) -> Element | None:
    """One element from its part of the answer, None if there is nothing in it."""
    found, _ = object_at(LATEX.sub(lambda match: match[1] or r"\\", part), 0)
    if not isinstance(found, dict):
        found = rescued(part)
    text = found.get("text")
    text = "" if text is None else written(text)
    said = found.get("bbox")
    numbers = None if said is None else box_numbers(said)
    if not text.strip() and not numbers:
        return None
    return Element(category(found.get("category")), text.strip(), numbers)


def rescued(part: str) -> dict[str, Any]:
    """The fields of an element that is no JSON."""
    bbox, kind, text = BBOX.search(part), CATEGORY.search(part), TEXT.search(part)
    return {
        "bbox": bbox[1] if bbox else None,
        "category": kind[1] if kind else None,
        "text": unescaped(without_end(text[2])) if text else None,
    }


def without_end(text: str) -> str:
    """A text without the quote that ends it and what stands behind that: brackets, commas, the end of a fence."""
    end = len(text.rstrip())
    if text.endswith("```", 0, end):
        end -= 3
    while end and (text.endswith(CLOSING, 0, end) or text[end - 1].isspace()):
        end -= 1
    return text[: end - 1].rstrip() if text.endswith(('"', "'"), 0, end) else text[:end]


def unescaped(text: str) -> str:
    """The text between two quotes of JSON, as far as its escapes make sense."""
    text = LATEX.sub(lambda match: match[1] or r"\\", text)
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text.replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")


def category(said: Any) -> str:
    """One of the eleven categories; what is none of them is text."""
    return BY_LETTERS.get(re.sub(r"[^a-z]", "", written(said).lower()), "Text")


def box_numbers(said: Any) -> tuple[float, ...]:
    """Four numbers, from a list or a text; none for three, five, NaN or words."""
    try:
        numbers = tuple(float(number) for number in (split(said) if isinstance(said, str) else said))
    except (TypeError, ValueError, OverflowError):
        return ()
    return numbers if len(numbers) == 4 and all(abs(number) < 1e6 for number in numbers) else ()


def boxes(answer: str, size: tuple[int, int], seen: tuple[int, int]) -> tuple[Box | None, ...]:
    """The places of a whole answer in pixels of the image, each element once; None for a box that is none and for an
    element that cannot be read. size: of the image; seen: of what the model was given."""
    found = dict.fromkeys(read(part) or part.rstrip(" \t\n,]}`") for part in parts(answer))
    return tuple(
        to_pixels("dots_ocr", each.numbers, size, seen, kind=each.category, text=each.text)
        if isinstance(each, Element)
        else None
        for each in found
        if isinstance(each, str) or each.numbers is not None
    )


def markdown(element: Element) -> str:
    """One element as Markdown; tables stay HTML, formulas LaTeX, and a picture has no text."""
    text = element.text
    if element.category == "Title" and not text.startswith("#"):
        return f"# {text}"
    if element.category == "Section-header" and not text.startswith("#"):
        return f"## {text}"
    if element.category == "Formula" and not text.startswith(("$", "\\[", "\\begin")):
        return f"$$\n{text}\n$$"
    return text


def as_markdown(pieces: Iterable[str], raw: list[str]) -> Iterator[str]:
    """Markdown from pieces of an answer, an element as soon as the next one begins. raw: gets all the pieces.

    An answer in which nothing is recognised comes out as it is.
    """
    told: dict[Element, None] = {}

    def tell(ready: list[str]) -> Iterator[str]:
        for part in ready:
            element = read(part)
            if element and element not in told:
                told[element] = None
                if text := markdown(element):
                    yield f"{text}\n\n"

    waiting, began = "", False  # whether an element begins where `waiting` does
    for piece in pieces:
        raw.append(piece)
        looked = max(int(began), len(waiting) - LONGEST_START)  # before that, none begins
        waiting += piece
        starts = [match.start() for match in START.finditer(waiting, looked)]
        if starts:
            cuts = [0, *starts] if began else starts
            yield from tell([waiting[start:end] for start, end in pairwise(cuts)])
            waiting, began = waiting[starts[-1] :], True
    yield from tell(parts(waiting))
    if not told and (answer := "".join(raw)):
        yield answer
