"""Runs inside the container: who does not have the server's key is told nothing but that it is well.

vLLM asks for its key on the paths of its API alone. What puts it to sleep and what calls its engine by name lie beside
them, open to whoever reaches the port, other containers included. Given to vLLM as ``--middleware``, where a class is
put around everything else. Imports nothing of ours, for nothing of ours is there.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Awaitable, Callable
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Guard:
    """ASGI. Fails, and the server with it, when there is no key."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self._key = os.environ["VLLM_API_KEY"].encode()
        if not self._key:
            raise ValueError("VLLM_API_KEY is empty")

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] == "lifespan" or self._open(scope) or self._has_key(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"application/json"), (b"content-length", b"24")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": b'{"error":"Unauthorized"}'})

    def _open(self, scope: dict[str, Any]) -> bool:
        return (scope["type"], scope.get("method"), scope["path"]) == ("http", "GET", "/health")

    def _has_key(self, scope: dict[str, Any]) -> bool:
        told: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, key = told[0].partition(b" ") if len(told) == 1 else (b"", b"", b"")
        return scheme.lower() == b"bearer" and hmac.compare_digest(key, self._key)
