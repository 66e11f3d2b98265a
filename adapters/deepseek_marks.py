"""The marks DeepSeek's models set around names and boxes: kept for the coordinates, taken out of what is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

# The last kind are special tokens, among them the end of a sentence.
MARK = re.compile(r"<\|(?:grounding|/?ref|/?det)\|>|<\uff5c[^<>\uff5c]{0,40}\uff5c>")
LONGEST_MARK = 44
MAYBE_MARK = re.compile(r"<(?:[|\uff5c][^<>]*)?")  # with the next piece


class WithMarks:
    """A tokenizer that decodes with its special tokens, since the marks are some."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def decode(self, ids: Any, **_: Any) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text


def without_marks(pieces: Iterable[str], names: bool) -> Iterator[str]:
    """The text without boxes and marks, piece by piece. names: whether what a box is called stays.

    What stands between the marks of a name but has no box is text. Takes time in proportion to the text, whatever
    marks are left open.
    """
    reading = Reading(names)
    waiting = ""
    for piece in pieces:
        waiting += piece
        start = waiting.rfind("<", max(0, len(waiting) - LONGEST_MARK))
        ready = start if start >= 0 and MAYBE_MARK.fullmatch(waiting, start) else len(waiting)
        if shown := reading.read(waiting[:ready]):
            yield shown
        waiting = waiting[ready:]
    if shown := reading.read("" if waiting == "<|" else waiting) + reading.rest():
        yield shown


class Reading:
    """Where in an answer the marks have led: to plain text, a name, what follows a name, or a list of boxes."""

    def __init__(self, names: bool) -> None:
        self._names = names
        self._where = "text"
        self._name: list[str] = []  # held back until it is known whether a box follows

    def read(self, text: str) -> str:
        """What of it, and of what was held back, is for the reader."""
        shown: list[str] = []
        at = 0
        for mark in MARK.finditer(text):
            self._text(text[at : mark.start()], shown)
            self._mark(mark[0], shown)
            at = mark.end()
        self._text(text[at:], shown)
        return "".join(shown)

    def rest(self) -> str:
        """What is still held back when nothing more comes."""
        shown: list[str] = []
        self._let_go(shown)
        return "".join(shown)

    def _text(self, text: str, shown: list[str]) -> None:
        if self._where == "after" and text.strip():
            self._let_go(shown)
        if self._where == "text":
            shown.append(text)
        elif self._where == "name":
            self._name.append(text)

    def _mark(self, mark: str, shown: list[str]) -> None:
        if mark == "<|ref|>":
            self._let_go(shown)
            self._where = "name"
        elif mark == "<|/ref|>" and self._where == "name":
            self._where = "after"
        elif mark == "<|det|>":
            self._where = "boxes"
        elif mark == "<|/det|>" and self._where == "boxes":
            self._let_go(shown)

    def _let_go(self, shown: list[str]) -> None:
        """Back to plain text; what was held back is a name if boxes followed, whole or cut off."""
        if self._names or self._where != "boxes":
            shown.extend(self._name)
        self._name, self._where = [], "text"
