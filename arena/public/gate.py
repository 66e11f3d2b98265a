"""The door: where a password is set, nothing is served to whoever has no pass but the way to get one.

Pure ASGI, in front of the page, its events and streams, its pictures and files alike; so nothing that is added to the
page can be forgotten here. The API has keys of its own.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.access import role_of
from arena.config import Settings

OPEN = ("/login", "/logout", "/health")
API = ("/v1/", "/models/", "/metrics")


class Gate:
    """Middleware."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self.lets_in(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await turned_away(scope)(scope, receive, send)

    def lets_in(self, scope: Scope) -> bool:
        path = scope["path"]
        if path in OPEN or path.startswith(API):
            return True
        return role_of(HTTPConnection(scope), self.settings) != "nobody"


def turned_away(scope: Scope) -> Response:
    """To a person the way to the door, with the page to come back to; to everything else the bare fact."""
    asked = HTTPConnection(scope)
    if scope["method"] == "GET" and "text/html" in asked.headers.get("accept", ""):
        query = f"?{asked.url.query}" if asked.url.query else ""
        where = "" if scope["path"] == "/" and not query else f"?next={quote(scope['path'] + query)}"
        return RedirectResponse(f"{scope.get('root_path', '')}/login{where}", 303, {"cache-control": "no-store"})
    return JSONResponse({"detail": "a password is needed: see /login"}, 401, {"cache-control": "no-store"})
