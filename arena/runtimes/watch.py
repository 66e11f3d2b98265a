"""An eye on a running container: what it writes while it starts, and how it ended, without anybody waiting for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from arena.errors import RunError
from arena.runtimes import vllm_log, vllm_server
from arena.runtimes.engine import End, Engine

if TYPE_CHECKING:
    from docker.models.containers import Container as Made

PERIOD = 0.4  # seconds between two looks, which cost a few milliseconds


class Watch:
    """Looks until the container has ended or `stop` is called.

    lines: the last ones of its log, read as long as `reading` and once more at the end. end: how it ended, None while
    it runs. lost: why nothing can be said of it any more, with the Engine out of reach and the server silent.
    """

    def __init__(self, engine: Engine, made: Made, port: int) -> None:
        self._engine, self._made, self._port = engine, made, port
        self.lines: list[str] = []
        self.end: End | None = None
        self.lost: RunError | None = None
        self.reading = True
        self.over = threading.Event()
        self._stop = threading.Event()
        threading.Thread(target=self._run, daemon=True, name="vllm watch").start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                end = self._engine.end(self._made)
                if self.reading or end:
                    self.lines = self._engine.log(self._made, vllm_log.TOLD) or self.lines
                self.end = end
            except RunError as error:
                # The Engine may be restarted under a container that goes on.
                if not vllm_server.healthy(self._port, timeout=2.0):
                    self.lost = error
            if self.end or self.lost:
                self.over.set()
                return
            self._stop.wait(PERIOD)
