"""How many requests a visitor and an address may make, where visitors are strangers: pages, events, uploads, streams.

Pure ASGI. Every name has a bucket a kind of request: full at first, a request takes one, and it fills again over time.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.access import visitor_of
from arena.public.addresses import origin_of

TOGETHER = 10  # visitors' worth that one address may have: a class may sit behind one
REMEMBERED = 20_000  # buckets
OPEN_AT_ONCE = 40  # requests of one visitor that are being answered, streams of events among them


@dataclass(frozen=True)
class Rate:
    """most: requests in a moment. per_s: and then steadily."""

    most: float
    per_s: float


# Opening the page takes some two hundred requests and a few dozen events; who types into a search makes several a
# second.
RATES = {"upload": Rate(30, 0.5), "event": Rate(400, 10), "other": Rate(1500, 30)}


def kind_of(scope: Scope) -> str:
    path = scope["path"]
    if path.startswith("/gradio_api/upload"):
        return "upload"
    return "event" if scope["method"] != "GET" else "other"


class Limits:
    """Middleware."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.monotonic) -> None:
        self.app = app
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()  # what is left, and when
        self._open: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health":
            await self.app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        names = {visitor_of(asked): 1, origin_of(asked): TOGETHER}
        names.pop("", None)
        wait = max(self.wait_s(name, kind_of(scope), share) for name, share in names.items())
        if wait or any(self._open.get(name, 0) >= OPEN_AT_ONCE * share for name, share in names.items()):
            seconds = math.ceil(wait) or 1
            answer = JSONResponse({"detail": "too many requests"}, 429, {"retry-after": str(seconds)})
            await answer(scope, receive, send)
            return
        for name in names:
            self._open[name] = self._open.get(name, 0) + 1
        try:
            await self.app(scope, receive, send)
        finally:
            for name in names:
                self._open[name] -= 1
                if not self._open[name]:
                    del self._open[name]

    def wait_s(self, name: str, kind: str, share: int = 1) -> float:
        """Takes one from the bucket and returns 0.0, or returns the seconds until there is one."""
        rate, now = RATES[kind], self._clock()
        left, then = self._buckets.pop((name, kind), (rate.most * share, now))
        left = min(rate.most * share, left + (now - then) * rate.per_s * share)
        wait = 0.0 if left >= 1 else (1 - left) / (rate.per_s * share)
        self._buckets[name, kind] = (left if wait else left - 1), now
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return wait
