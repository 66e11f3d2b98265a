"""How often a visitor may have models run: so many comparisons in an hour, and one or two at a time."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from arena.errors import RunError

HOUR = 3600.0
AT_ONCE = 2  # comparisons of one visitor, in as many windows of the page
TOGETHER = 10  # visitors' worth that one address may have: a class may sit behind one
REMEMBERED = 10_000  # visitors and addresses


class Work(Protocol):
    """A comparison under way."""

    @property
    def done(self) -> bool: ...

    def stop(self) -> None: ...


@dataclass
class Visit:
    """When somebody's comparisons of the last hour began, and those under way."""

    began: deque[float] = field(default_factory=deque)
    running: list[Work] = field(default_factory=list)


class Visits:
    """Of one program, in its memory alone. Whoever has only one name, visitor or address, has that one counted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._lock = threading.Lock()  # protects _visits

    def begin(self, visitor: str, origin: str, work: Work, start: Callable[[], bool], quota: int | None) -> bool:
        """Start the work and count it; False when `start` refuses.

        quota: comparisons in an hour, None for who has no limits. Raises `RunError` (``busy``) saying when the next one
        may start.
        """
        with self._lock:
            now = self._clock()
            his = [(visit, share) for name, share in ((visitor, 1), (origin, TOGETHER)) if (visit := self._of(name))]
            for visit, share in his:
                while visit.began and visit.began[0] <= now - HOUR:
                    visit.began.popleft()
                visit.running = [each for each in visit.running if not each.done]
                if quota is None:
                    continue
                if len(visit.began) >= quota * share:
                    wait = visit.began[len(visit.began) - quota * share] + HOUR - now
                    raise RunError("busy", key="public.quota", count=quota, minutes=max(1, math.ceil(wait / 60)))
                if len(visit.running) >= AT_ONCE * share:
                    raise RunError("busy", key="public.at_once", count=AT_ONCE)
            if not start():
                return False
            for visit, _ in his:
                visit.began.append(now)
                visit.running.append(work)
            return True

    def end(self, visitor: str) -> list[Work]:
        """Stop what a visitor has under way; these."""
        with self._lock:
            visit = self._visits.get(visitor)
            running = [each for each in visit.running if not each.done] if visit else []
        for each in running:
            each.stop()
        return running

    def _of(self, name: str) -> Visit | None:
        if not name:
            return None
        visit = self._visits.setdefault(name, Visit())
        self._visits.move_to_end(name)
        if len(self._visits) > REMEMBERED:
            self._visits.popitem(last=False)
        return visit
