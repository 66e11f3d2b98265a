"""Downloads that go on whoever watches: at most one of a model at a time, and everybody sees the same."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from arena import downloads
from arena.config import Settings
from arena.errors import RunError
from arena.spec import ModelSpec

WINDOW = 15.0  # seconds over which the speed is told
State = Literal["running", "stopping", "stopped", "failed", "done"]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How far a download is, in bytes; speed in bytes a second and the seconds left, None while nobody knows."""

    done: int
    total: int
    speed: float | None = None
    left: float | None = None


class Download:
    """One download of one model, under way or over. pace: None until the Hub has said what there is."""

    def __init__(self, spec: ModelSpec, settings: Settings) -> None:
        self.spec = spec
        self.pace: Pace | None = None
        self.error: RunError | None = None
        self._over: State | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(settings,), daemon=True, name=f"download {spec.id}")
        self._thread.start()

    @property
    def state(self) -> State:
        return self._over or ("stopping" if self._stop.is_set() else "running")

    @property
    def over(self) -> bool:
        return self._over is not None

    def stop(self) -> None:
        """End it; what has come stays. Returns at once."""
        self._stop.set()

    def _work(self, settings: Settings) -> None:
        seen: deque[tuple[float, int]] = deque()
        try:
            with closing(downloads.download(self.spec, settings)) as steps:  # type: ignore[type-var]
                for fetched in steps:
                    self.pace = paced(seen, fetched, time.monotonic())
                    if self._stop.is_set():
                        break
            self._over = "stopped" if self._stop.is_set() and fetched.done < fetched.total else "done"
        except RunError as error:
            self.error, self._over = error, "failed"
        except Exception as error:
            log.exception("the download of %s ended by a fault of the program", self.spec.id)
            command = f"python -m arena models download {self.spec.id}"
            self.error = RunError("unavailable", key="downloads.broken", why=type(error).__name__, command=command)
            self._over = "failed"


def paced(seen: deque[tuple[float, int]], fetched: downloads.Fetched, now: float) -> Pace:
    """The pace after one more look; `seen` keeps the looks of the last `WINDOW` seconds.

    >>> looks = deque([(0.0, 0)])
    >>> paced(looks, downloads.Fetched(10, 40), 2.0)
    Pace(done=10, total=40, speed=5.0, left=6.0)
    """
    seen.append((now, fetched.done))
    while seen[0][0] < now - WINDOW:
        seen.popleft()
    seconds, came = now - seen[0][0], fetched.done - seen[0][1]
    speed = came / seconds if seconds else None
    return Pace(fetched.done, fetched.total, speed, (fetched.total - fetched.done) / speed if speed else None)


class Downloads:
    """Every download since the program started, the last one of each source."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, Download] = {}
        self._lock = threading.Lock()  # protects _known: two visitors must not start two

    def start(self, spec: ModelSpec) -> Download:
        """The download of the model: the one under way, else a new one."""
        with self._lock:
            known = self._known.get(spec.source)
            if known is None or known.over:
                known = self._known[spec.source] = Download(spec, self._settings)
            return known

    def of(self, source: str) -> Download | None:
        with self._lock:
            return self._known.get(source)

    def under_way(self) -> list[Download]:
        with self._lock:
            return [each for each in self._known.values() if not each.over]

    def known(self) -> list[Download]:
        with self._lock:
            return list(self._known.values())

    def forget(self, source: str) -> None:
        """Nothing more is said of a download that is over."""
        with self._lock:
            if source in self._known and self._known[source].over:
                del self._known[source]
