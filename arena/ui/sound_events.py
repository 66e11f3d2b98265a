"""Events are taken as the page's own scripts send them: of others the framework would know no better than to fail.

Pure ASGI, behind the door and in front of the framework; whose session and files an event names was looked at before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.harden import parsed, replay, whole_body

if TYPE_CHECKING:
    import gradio as gr

STARTS = re.compile(r"^/gradio_api/(queue/join|run/)")
ELSEWHERES = ("batched", "simple_format", "oauth_token")  # what only programs that use the framework's client send


class SoundEvents:
    """Middleware. takes: how many values each event has, by its number (see `values_of`)."""

    def __init__(self, app: ASGIApp, takes: Mapping[int, int]) -> None:
        self.app = app
        self.takes = takes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and STARTS.match(scope["path"]):
            body = await whole_body(receive)  # whose length was looked at before
            if why := fault(parsed(body), self.takes):
                await JSONResponse({"detail": why}, 422)(scope, receive, send)
                return
            receive = replay(body, receive)
        await self.app(scope, receive, send)


def values_of(page: gr.Blocks) -> dict[int, int]:
    """How many values each event of the page that has a handler takes, by its number."""
    return {number: len(event.inputs) for number, event in page.fns.items() if event.fn}


def fault(event: Any, takes: Mapping[int, int]) -> str:
    """Why this is no event of the page, "" for one that is.

    >>> fault({"fn_index": 7, "data": ["a"], "session_hash": "s"}, {7: 1})
    ''
    >>> fault({"fn_index": 9999, "data": ["a"], "session_hash": "s"}, {7: 1})
    'there is no such event'
    """
    if not isinstance(event, dict):
        return "this is no event"
    number, data, session = event.get("fn_index"), event.get("data"), event.get("session_hash")
    if type(number) is not int or number not in takes:  # True is a number too
        return "there is no such event"
    if not isinstance(data, list) or len(data) != takes[number]:
        return f"this event takes {takes[number]} values"
    if not isinstance(session, str) or not session:
        return "an event belongs to a session"
    if not isinstance(event.get("event_data"), dict | None):
        return "what is told of an event has names"
    return next((f"{name} is not for events of the page" for name in ELSEWHERES if event.get(name)), "")
