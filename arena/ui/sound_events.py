"""Events are taken as the page's own scripts send them: of others the framework would know no better than to fail.

Pure ASGI, behind the door and in front of the framework; whose session and files an event names was looked at before.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.harden import EVENT

if TYPE_CHECKING:
    import gradio as gr

STARTS = re.compile(r"^/gradio_api/(queue/join|run/)")
ELSEWHERES = ("batched", "simple_format", "oauth_token")  # what only programs that use the framework's client send


class Takes(NamedTuple):
    """What an event of the page takes: so many values, and whether its handler reads what is told of the event."""

    values: int
    told: bool = False


class SoundEvents:
    """Middleware. takes: what each event takes, by its number (see `values_of`)."""

    def __init__(self, app: ASGIApp, takes: Mapping[int, Takes]) -> None:
        self.app = app
        self.takes = takes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        starts = scope["type"] == "http" and scope["method"] == "POST" and STARTS.match(scope["path"])
        if starts and (why := fault(scope.get(EVENT), self.takes)):
            await JSONResponse({"detail": why}, 422)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def values_of(page: gr.Blocks) -> dict[int, Takes]:
    """What each event of the page that has a handler takes, by its number."""
    return {number: Takes(len(event.inputs), reads(event.fn)) for number, event in page.fns.items() if event.fn}


def reads(handler: Any) -> bool:
    """Whether it has a parameter of the framework's type for what is told of an event."""
    return any("EventData" in str(each.annotation) for each in inspect.signature(handler).parameters.values())


def fault(event: Any, takes: Mapping[int, Takes]) -> str:
    """Why this is no event of the page, "" for one that is.

    >>> fault({"fn_index": 7, "data": ["a"], "session_hash": "s", "event_data": "a"}, {7: Takes(1)})
    ''
    >>> fault({"fn_index": 9999, "data": ["a"], "session_hash": "s"}, {7: Takes(1)})
    'there is no such event'
    """
    if not isinstance(event, dict):
        return "this is no event"
    number, data, session = event.get("fn_index"), event.get("data"), event.get("session_hash")
    if type(number) is not int or number not in takes:  # True is a number too
        return "there is no such event"
    if not isinstance(data, list) or len(data) != takes[number].values:
        return f"this event takes {takes[number].values} values"
    if not isinstance(session, str) or not session:
        return "an event belongs to a session"
    # A text field tells its text, whoever reads it; what a handler reads has names.
    if takes[number].told and not isinstance(event.get("event_data"), dict | None):
        return "what is told of an event has names"
    return next((f"{name} is not for events of the page" for name in ELSEWHERES if event.get(name)), "")
