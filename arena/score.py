"""What an answer is worth: error rates against a reference, and a status that no endless repetition passes as ok."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from adapters.base import Box, Output
from arena.types import Status
from benchmarks.metrics import measured
from benchmarks.metrics.truth import Region, Said, Truth

LONGEST_UNIT = 200  # characters of the repeated piece
REPEATS = 20
SPAN = 500  # characters of repetition
# Rules, dot leaders, columns of numbers and tables of empty cells repeat in good answers: they say nothing by
# themselves, so much more of them is let pass.
SILENT_SPAN = 4000
WINDOW = max(SILENT_SPAN, REPEATS * LONGEST_UNIT)
MARKUP = re.compile(r"<[^<>]*>|&\w+;|\\[A-Za-z]+")


def score(text: str, boxes: Sequence[Box], truth: Truth | None, wanted: Collection[str]) -> dict[str, float | None]:
    """The wanted metrics of an answer against what is known of the right one; none where nothing is known."""
    if truth is None:
        return {}
    regions = (Region(box.x0, box.y0, box.x1, box.y1, box.kind, box.text, box.confidence) for box in boxes)
    return measured(Said(text, tuple(regions)), truth, wanted)


def outcome(output: Output) -> Status:
    """The status of an answer that came without a failure."""
    if not output.boxes and not any(letter.isprintable() and not letter.isspace() for letter in output.text):
        return "empty"
    if output.finish_reason == "loop" or is_loop(output.text.rstrip()):
        return "loop"
    return "truncated" if output.finish_reason == "length" else "ok"


def is_loop(text: str) -> bool:
    """Whether `text` ends in a piece of 1 to 200 characters repeated without end.

    That is at least 20 times and over 500 characters, or 4000 where the piece has no word in it. The end may be
    cut anywhere inside a piece. Looks at the last 4000 characters only, so that it can be asked every few hundred
    characters of a stream.
    """
    tail = text[-WINDOW:]
    for period in range(1, LONGEST_UNIT + 1):
        if tail[-period:] != tail[-2 * period : -period]:
            continue
        needed = max(SPAN, REPEATS * period)
        if not repeats(tail, period, needed):
            continue
        # The smallest period decides: the larger ones are its multiples.
        unit = tail[-period:]
        return letters(3 * unit) > letters(2 * unit) or repeats(tail, period, max(SILENT_SPAN, needed))
    return False


def repeats(text: str, period: int, span: int) -> bool:
    """Whether the last `span` characters repeat every `period` characters."""
    end = text[-span:]
    return len(end) == span and end[period:] == end[:-period]


def letters(text: str) -> int:
    """Letters outside of markup. Compare two lengths of a repetition: a tag that its ends cut counts in both."""
    return sum(map(str.isalpha, MARKUP.sub("", text)))
