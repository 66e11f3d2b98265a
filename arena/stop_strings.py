"""Where an answer ends because a string came that was to end it, however the text was cut into pieces."""

from __future__ import annotations

from collections.abc import Iterable


class StopStrings:
    """Lets text through up to the first stop string, which is left out.

    Of several the one that is complete first counts, of two that end together the longer one. What may be the
    beginning of a stop string is held back until it is known. ended: one has come.

    >>> cut = StopStrings(["END"])
    >>> cut.add("one E"), cut.add("n EN"), cut.add("D more"), cut.rest(), cut.ended
    ('one ', 'En ', '', '', True)
    """

    def __init__(self, stops: Iterable[str]) -> None:
        self.ended = False
        self._stops = [stop for stop in stops if stop]
        self._held = ""

    def add(self, piece: str) -> str:
        """What of the text so far is now sure to be part of the answer."""
        if self.ended or not self._stops:
            return "" if self.ended else piece
        text = self._held + piece
        found = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.ended, self._held = True, ""
            return text[: min(found)[1]]
        kept = max(beginning(text, stop) for stop in self._stops)
        cut = len(text) - kept
        self._held = text[cut:]
        return text[:cut]

    def rest(self) -> str:
        """What was held back, when nothing more comes."""
        held, self._held = self._held, ""
        return held


def beginning(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    longest = min(len(stop) - 1, len(text))
    return next((length for length in range(longest, 0, -1) if text.endswith(stop[:length])), 0)
