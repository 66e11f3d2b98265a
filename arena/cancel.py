"""The token by which whoever asked for work takes it back; safe to set from any thread."""

from __future__ import annotations

import threading


class Cancel:
    """Set once, noticed everywhere within a quarter of a second."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()
