"""Who guesses waits, and longer with every guess: wrong passwords by where they come from, and all of them together."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED = 10_000  # places; the one that was quiet longest is forgotten first
QUIET_S = 900.0  # after which what somebody did wrong is forgotten


class Throttle:
    """`free` failures cost nothing; after that each doubles the wait, from one second to `longest_s`.

    Something done right does not forgive: who knows one password could try another's in between.
    """

    def __init__(self, free: int, longest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._free, self._longest_s, self._clock = free, longest_s, clock
        self._seen: OrderedDict[str, tuple[int, float, float]] = OrderedDict()  # failures, the last, open again

    def wait_s(self, place: str) -> float:
        """Seconds until the next attempt is looked at; 0.0 now."""
        _, _, until = self._seen.get(place, (0, 0.0, 0.0))
        return max(0.0, until - self._clock())

    def failed(self, place: str) -> None:
        now = self._clock()
        failures, last, until = self._seen.pop(place, (0, now, 0.0))
        failures = 1 if now - max(last, until) > QUIET_S else failures + 1
        over = failures - self._free
        wait = min(2.0 ** min(over, 60), self._longest_s) if over >= 0 else 0.0
        self._seen[place] = (failures, now, now + wait)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
