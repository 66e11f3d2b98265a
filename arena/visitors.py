"""Who has something under way on the page: at most one job a visitor, in whatever tab he started it."""

from __future__ import annotations

import threading
from typing import Any, Generic, Protocol, TypeVar


class Job(Protocol):
    """place: the id of the tab where it was started and is shown."""

    @property
    def place(self) -> str: ...
    @property
    def done(self) -> bool: ...
    def start(self) -> Any: ...


J = TypeVar("J", bound=Job)


class Visitors(Generic[J]):
    """The jobs by the session that started them: the page in one window. Of one program, for all its tabs."""

    def __init__(self) -> None:
        self._running: dict[str, J] = {}
        self._lock = threading.Lock()  # protects _running

    def begin(self, session: str, job: J) -> bool:
        """Start the job unless this visitor has one running."""
        with self._lock:
            self._running = {key: value for key, value in self._running.items() if not value.done}
            if session in self._running:
                return False
            job.start()
            self._running[session] = job
            return True

    def running(self, session: str, place: str = "") -> J | None:
        """What the visitor has running; with `place` only if it is there."""
        with self._lock:
            job = self._running.get(session)
        return job if job and not job.done and place in ("", job.place) else None
