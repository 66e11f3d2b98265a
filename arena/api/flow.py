"""The loop of a run, which blocks, in a thread of its own; its events for the server's event loop, which must not.

What the reader has not taken yet is kept as one text, so a slow reader holds neither the device nor more memory than
the answer takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from starlette.requests import Request

from arena.cancel import Cancel
from arena.types import Delta, Progress

T = TypeVar("T")


class Flow:
    """Runs ``events(cancel)`` to its end, whoever listens. progress: where it is now.

    The last event that is neither `Progress` nor `Delta` is its result.
    """

    def __init__(self, events: Callable[[Cancel], Iterator[object]]) -> None:
        self.progress: Progress | None = None
        self._cancel = Cancel()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._lock = threading.Lock()  # protects the three below
        self._texts: list[str] = []
        self._result: object = None
        self._over = False
        self._error: BaseException | None = None
        threading.Thread(target=self._work, args=(events,), daemon=True, name="api run").start()

    def leave(self) -> None:
        """Nobody listens any more: the run is stopped, unless it is over."""
        self._cancel.set()

    async def next(self, patience: float) -> str | None:
        """The text that has come since, as soon as there is any; "" when it is over; None after `patience` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), patience)
        with self._lock:
            self._news.clear()
            texts, self._texts = self._texts, []
            if self._over:
                self._news.set()  # there will be no further news
            return "".join(texts) or ("" if self._over else None)

    async def result(self) -> object:
        """What it ended with. Raises what it raised."""
        while await self.next(60.0) != "":
            pass
        if self._error:
            raise self._error
        return self._result

    def _work(self, events: Callable[[Cancel], Iterator[object]]) -> None:
        try:
            for event in events(self._cancel):
                self._take(event)
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._error = error
        with self._lock:
            self._over = True
        self._tell()

    def _take(self, event: object) -> None:
        if isinstance(event, Progress):
            self.progress = event
        elif isinstance(event, Delta):
            with self._lock:
                self._texts.append(event.text)
                first = len(self._texts) == 1
            if first:
                self._tell()
        else:
            self._result = event

    def _tell(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the server has ended
            self._cancel.set()


class Left(Exception):
    """The client has closed the connection."""


async def attended(work: Awaitable[T], request: Request) -> T:
    """The result of `work`. Raises `Left` when the client has left before; `work` is then cancelled."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.add_done_callback(unheard)
            raise Left
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()


def unheard(work: asyncio.Future[T]) -> None:
    """How work ended that nobody waits for any more; else it would stand in the log as never retrieved."""
    if not work.cancelled():
        work.exception()


async def left(request: Request) -> None:
    """Returns when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
