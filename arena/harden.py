"""What every request passes before the page or the API: size limits, foreign origins, URL tricks; and safe headers.

Pure ASGI, so that streams stay streams. The page's framework lets a visitor make the server fetch URLs and send
bodies of any size; both end here.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import urlsplit

from gradio.utils import get_upload_folder
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.access import visitor_of
from arena.incoming import CutOff, Incoming
from arena.public.sessions import Sessions

# Events carry prompts, references and session data, never files: those go to /upload.
MAX_EVENT_BYTES = 4 * 10**6
MOST_DRAINED = 256 * 10**6  # bytes of a refused body that are read, and thrown away at once
UPLOAD = "/gradio_api/upload"
CHAT = "/v1/chat/completions"  # the one call of the API whose body holds an image, as base64
API = ("/v1/", "/models/", "/metrics")
FOREIGN = "this session is another visitor's"
# What the framework offers and our page does not use.
CLOSED = (
    "/gradio_api/api/",
    "/gradio_api/call/",
    "/gradio_api/component_server",
    "/gradio_api/deep_link",
    "/gradio_api/dev/",
    "/gradio_api/file",  # our pictures and files have routes of their own, which ask whose they are
    "/gradio_api/monitoring",
    "/gradio_api/openapi.json",
    "/gradio_api/process_recording",
    "/gradio_api/profiling",
    "/gradio_api/proxy=",
    "/gradio_api/run-history",
    "/gradio_api/runs",
    "/gradio_api/stream/",
    "/gradio_api/undo-vibe",
    "/gradio_api/vibe",
    "/monitoring",
)
EVENTS = re.compile(r"^/gradio_api/(queue/join|run/|cancel|reset)")
EVENT = "arena.event"  # in the scope: the event as it was read, so that what comes after reads no body again
STREAM, HEARTBEAT = "/gradio_api/queue/data", "/gradio_api/heartbeat/"
ADDRESS = re.compile(r"^\s*([a-z][a-z0-9+.-]*:)?[/\\]{2}|^\s*(https?|ftp|file|data|gopher):", re.IGNORECASE)

# The page needs inline scripts and styles; nothing may be fetched from, sent to or framed by another host.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; frame-src 'none'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)


def headers() -> list[tuple[bytes, bytes]]:
    """Set on every response. Inside a Hugging Face Space the page is shown in a frame of that site."""
    frame = " https://huggingface.co" if os.environ.get("SPACE_ID") else ""
    return [
        (b"content-security-policy", (POLICY + frame).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
    ]


class Harden:
    """Middleware. `max_upload`: bytes of one upload request, all its files together."""

    def __init__(self, app: ASGIApp, max_upload: int) -> None:
        self.app = app
        self.max_upload = max_upload
        self.uploads = get_upload_folder()
        self.sessions = Sessions()
        self.headers = headers()

    def limit(self, path: str) -> int:
        """Bytes that the body of a request to `path` may have."""
        if path == CHAT:
            return self.max_upload * 4 // 3 + MAX_EVENT_BYTES
        return self.max_upload if path.startswith(UPLOAD) else MAX_EVENT_BYTES

    def replaced(self, header: bytes) -> bool:
        """Whether the application's own does not go out: we say it, or it lets pages of other sites read the answer,
        which the framework offers to every site that asks."""
        return header.startswith(b"access-control-") or any(header == name for name, _ in self.headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = False

        async def safe_send(message: Message) -> None:
            nonlocal sent
            if message["type"] == "http.response.start":
                sent = True
                kept = [each for each in message.get("headers", []) if not self.replaced(each[0].lower())]
                message = {**message, "headers": kept + self.headers}
            await send(message)

        async def refuse(code: int, why: str, *, unread: bool = True) -> None:
            if unread:
                await drain(receive)
            said = as_openai(why, code) if scope["path"].startswith(API) else {"detail": why}
            answer = JSONResponse(said, code, {"connection": "close"})
            await answer(scope, receive, safe_send)

        if fault := refusal(scope):
            await refuse(403, fault)
            return
        visitor = visitor_of(HTTPConnection(scope))
        if (listened := session_listened_to(scope)) and not self.sessions.belongs(listened, visitor):
            await refuse(403, FOREIGN)
            return
        limit = self.limit(scope["path"])
        if declared_bytes(scope) > limit:
            await refuse(413, f"at most {limit} bytes")
            return
        incoming = Incoming(scope, receive, limit)
        if EVENTS.match(scope["path"]) and scope["method"] == "POST":
            try:
                body = await whole_body(incoming)
            except CutOff:
                await refuse(413, incoming.fault, unread=not incoming.whole)
                return
            event = parsed(body)
            if names_foreign_file(event, self.uploads):
                await refuse(403, "files come as uploads", unread=False)
                return
            session = event.get("session_hash") if isinstance(event, dict) else None
            if session is not None and not self.sessions.belongs(str(session), visitor):
                await refuse(403, FOREIGN, unread=False)
                return
            await self.app({**scope, EVENT: event}, replay(body, receive), safe_send)
            return

        async def unless_too_much(message: Message) -> None:
            if not incoming.fault:
                await safe_send(message)

        try:
            await self.app(scope, incoming, unless_too_much)
        except Exception:
            if not incoming.cut:  # else it is the application's way of noticing that the body was cut off
                raise
        if incoming.fault and not sent:
            await refuse(413, incoming.fault, unread=not incoming.whole)


def refusal(scope: Scope) -> str | None:
    """Why this request is not served at all, from its path and headers alone."""
    path = scope["path"].lower()  # already percent-decoded
    if path.startswith(CLOSED):
        return "not offered"
    found = dict(scope["headers"])
    origin = found.get(b"origin", b"").decode("latin-1")
    host = found.get(b"host", b"").decode("latin-1")
    if scope["method"] not in ("GET", "HEAD", "OPTIONS") and origin and urlsplit(origin).netloc != host:
        return "requests from other sites are refused"
    return None


def as_openai(why: str, code: int) -> dict[str, Any]:
    kind = "permission_error" if code == 403 else "invalid_request_error"
    return {"error": {"message": why, "type": kind, "param": None, "code": "refused" if code == 403 else "too_large"}}


def declared_bytes(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


async def drain(receive: Receive) -> None:
    """Take what the client is still sending, within reason: it reads no answer before it has sent all."""
    taken = 0
    while taken < MOST_DRAINED:
        message = await receive()
        taken += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return


async def whole_body(receive: Receive) -> bytes:
    """The request's body, or what had come of it when the sender left."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return body


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body read already, then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def session_listened_to(scope: Scope) -> str:
    """The session whose stream of events this request opens, "" for every other request."""
    path = scope["path"]
    if path.startswith(HEARTBEAT):
        return str(path.removeprefix(HEARTBEAT))
    return HTTPConnection(scope).query_params.get("session_hash", "") if path.startswith(STREAM) else ""


def parsed(body: bytes) -> Any:
    """The event's JSON; None for what is none, which the framework answers with an error of its own."""
    try:
        return json.loads(body or b"null")
    except (ValueError, RecursionError):
        return None


def names_foreign_file(event: Any, uploads: str) -> bool:
    """Whether a file in this event is none that was uploaded: an address, which the framework would fetch before any
    check of ours, or another file of this machine, which it would open.

    uploads: the folder where uploads lie, under names that only who sent them is told.

    >>> names_foreign_file({"data": [{"path": "http://169.254.169.254/"}]}, "/tmp/gradio")
    True
    >>> names_foreign_file({"data": [{"path": "/tmp/gradio/../passwd"}]}, "/tmp/gradio")
    True
    >>> names_foreign_file({"data": [{"path": "/tmp/gradio/1/a.png"}, "https://example.org"]}, "/tmp/gradio")
    False
    """
    inside = os.path.realpath(uploads) + os.sep
    waiting = [event]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            path = node.get("path")
            if isinstance(path, str) and (ADDRESS.match(path) or not _real(path).startswith(inside)):
                return True
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return False


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except ValueError:  # a null character
        return ""
