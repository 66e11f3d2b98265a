"""Text that comes in pieces, in the composed form (NFC): a letter waits for the marks that may follow it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

ALONE = frozenset(" \t\n.,:;!?()[]{}'\"/\\|-+*#_%&@$^~`0123456789")  # never the first part of a composed letter


class Letters:
    """Takes text as it comes and gives out what can no longer change."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, gained: str) -> str:
        text = self._held + gained
        cut = len(text)
        if text and text[-1] not in ALONE:  # the last letter waits for the marks that may follow it
            whole = unicodedata.normalize("NFC", text)
            cut -= 1
            while cut and (
                unicodedata.combining(text[cut])
                or unicodedata.normalize("NFC", text[:cut]) + unicodedata.normalize("NFC", text[cut:]) != whole
            ):
                cut -= 1
        self._held = unicodedata.normalize("NFC", text[cut:])
        return unicodedata.normalize("NFC", text[:cut])

    def rest(self) -> str:
        held, self._held = self._held, ""
        return held


def composed(pieces: Iterable[str]) -> Iterator[str]:
    """The same text in composed letters; an empty piece, a sign of life, goes through at once."""
    letters = Letters()
    for piece in pieces:
        yield letters.add(piece) if piece else ""
    if rest := letters.rest():
        yield rest
