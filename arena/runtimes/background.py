"""Work that may take long, in a thread of its own, while whoever waits for it gets signs of life and can give up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from arena.cancel import Cancel
from arena.errors import RunError
from arena.runtimes.handle import NO_SIGN, Sign

TICK = 0.1  # seconds between two signs while nothing new comes


class Background:
    """A generator of signs, run to its end in a thread.

    Told to stop it is closed at its next sign; whoever waits does not wait for that.
    """

    def __init__(self, signs: Iterator[Sign], name: str) -> None:
        self._signs = signs
        self._sign = NO_SIGN
        self._stop = threading.Event()
        self._done = threading.Event()
        self.error: BaseException | None = None
        threading.Thread(target=self._run, daemon=True, name=name).start()

    def _run(self) -> None:
        try:
            for sign in self._signs:
                self._sign = sign
                if self._stop.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 - it is raised to whoever waits
            self.error = error
        finally:
            del self._signs  # closes it, and with it what it has open
            self._done.set()

    @property
    def done(self) -> bool:
        return self._done.is_set()

    def stop(self) -> None:
        self._stop.set()

    def wait(self, cancel: Cancel | None = None, timeout: float | None = None) -> Iterator[Sign]:
        """The latest sign every `TICK` until it is done. Raises its error, `RunError` if cancelled, `TimeoutError`."""
        deadline = time.monotonic() + timeout if timeout is not None else None
        while not self._done.wait(TICK):
            if cancel and cancel.is_set():
                raise RunError("cancelled", "stopped by the user")
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError
            yield self._sign
        if self.error:
            raise self.error
