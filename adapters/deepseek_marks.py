"""The marks DeepSeek's models set around names and boxes: kept for the coordinates, taken out of what is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

PLACED = re.compile(r"<\|ref\|>(?P<name>.*?)<\|/ref\|>\s*<\|det\|>.*?<\|/det\|>", re.DOTALL)
ALONE = re.compile(r"<\|(?:grounding|/ref|/det)\|>|<\uff5c[^<>\uff5c]*\uff5c>")  # among them the end of a sentence
# What may become one of these with the next piece.
OPEN = re.compile(r"<\|ref\|>.*|<\|det\|>.*|<[|\uff5c][^<>]*$|<$", re.DOTALL)


class WithMarks:
    """A tokenizer that decodes with its special tokens, since the marks are some."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def decode(self, ids: Any, **_: Any) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text


def without_marks(pieces: Iterable[str], names: bool) -> Iterator[str]:
    """The text without boxes and marks, piece by piece. names: whether what a box is called stays."""
    waiting = ""
    for piece in pieces:
        waiting = PLACED.sub(r"\g<name>" if names else "", waiting + piece)
        held = OPEN.search(waiting)
        ready, waiting = (waiting[: held.start()], waiting[held.start() :]) if held else (waiting, "")
        if ready := ALONE.sub("", ready):
            yield ready
    if rest := ALONE.sub("", re.sub(r"<\|det\|>.*|<\|ref\|>|<\|$", "", waiting, flags=re.DOTALL)):
        yield rest
