"""A session of the page belongs to the browser that began it: nobody reads its stream or goes on in its state."""

from __future__ import annotations

import threading
from collections import OrderedDict

REMEMBERED = 20_000  # sessions; many more than have a state, so that a state never outlives its owner here
LONGEST = 64  # characters of a session's name; the page draws eleven


class Sessions:
    """Whose each session is: the first visitor to name it. Names are drawn by browsers, so they prove nothing."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()  # protects _owners

    def belongs(self, session: str, visitor: str) -> bool:
        if len(session) > LONGEST:
            return False
        with self._lock:
            owner = self._owners.setdefault(session, visitor)
            self._owners.move_to_end(session)
            if len(self._owners) > REMEMBERED:
                self._owners.popitem(last=False)
        return owner == visitor
