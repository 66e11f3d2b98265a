"""How long a benchmark still takes, from how long its cells took so far."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from statistics import median


class Pace:
    """Cells of several models, each with a pace of its own; medians, so that one slow page spoils no estimate.

    A model that has not begun is taken to be as fast as the median of those that have. Of its first cell only the
    answer counts, for the model was loaded before that.

    >>> clock = iter([0.0, 30.0, 32.0, 33.0]).__next__
    >>> pace = Pace(["a", "a", "a", "a", "b"], clock)
    >>> pace.add("a", 2.0); pace.add("a", 1.9); pace.left_s("a")
    5.0
    """

    def __init__(self, models: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._left = Counter(models)
        self._took: dict[str, list[float]] = {}
        self._clock = clock
        self._last = clock()

    def add(self, model: str, answer_s: float | None) -> None:
        """A cell of the model was filled just now; answer_s: what the answer itself took, None if nobody knows."""
        now = self._clock()
        took = self._took.setdefault(model, [])
        took.append(now - self._last if took or answer_s is None else answer_s)
        self._left[model] -= 1
        self._last = now

    def left_s(self, model: str) -> float | None:
        """Seconds until all are filled, None while nothing is known. model: what is worked at."""
        each = {name: median(took) for name, took in self._took.items()}
        if not each:
            return None
        typical = median(each.values())
        left = sum(count * each.get(name, typical) for name, count in self._left.items())
        spent = min(self._clock() - self._last, each.get(model, typical)) if self._left[model] else 0.0
        return max(left - spent, 0.0)
