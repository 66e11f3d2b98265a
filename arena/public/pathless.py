"""What strangers read names no place of this machine: the beginnings of its paths are cut from every text sent to them.

Errors of models and libraries carry paths, and so may what they say of themselves; this is the last place that all of
it passes. Pure ASGI; pieces of a stream go on as they come.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.access import KEEPERS, role_of
from arena.config import Settings

TEXTS = ("text/html", "text/plain", "text/csv", "text/event-stream", "application/json")
# The page as it is before anything happens, and its scripts and styles: the same for all, large, and sent compressed.
SAME_FOR_ALL = re.compile(r"^/$|^/config/?$|^/(assets|static)/|\.css$")
INSTEAD = "…".encode()


def places(settings: Settings) -> list[str]:
    """The folders that a message may name: the data, the program, the interpreter with its packages, the user's."""
    from huggingface_hub.constants import HF_HOME

    found = (settings.home, Path(__file__).parents[2], sys.prefix, sys.base_prefix, HF_HOME, Path.home())
    return [str(place) for place in found if len(Path(place).parts) > 1]


def pattern(folders: Iterable[str]) -> re.Pattern[bytes]:
    """Finds the folders, the longest first, also as JSON writes them; but not the one through which uploads pass."""
    ours = {each for folder in folders for each in (folder, folder.replace("\\", "\\\\"))}
    listed = b"|".join(re.escape(each.encode()) for each in sorted(ours, key=len, reverse=True))
    passing = Path(get_upload_folder())
    uploads = b"|".join(re.escape(str(each).encode()) for each in (passing, passing.resolve()))
    return re.compile(rb"(?!" + uploads + rb")(?:" + listed + rb")(?=[/\\\\\"'\s:;,)&<]|$)")


class Pathless:
    """Middleware."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self._places = pattern(places(settings))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or SAME_FOR_ALL.search(scope["path"])
            or role_of(HTTPConnection(scope), self.settings) in KEEPERS
        ):
            await self.app(scope, receive, send)
            return
        # What is compressed cannot be read here.
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        scope = {**scope, "headers": headers}
        start: Message | None = None
        whole = b""  # of a body whose length was told

        async def cleaned(message: Message) -> None:
            nonlocal start, whole
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                text = headers.get("content-type", "").startswith(TEXTS)
                start = message if text and "content-encoding" not in headers else None
                if start is None or "content-length" not in headers:
                    await send(message)
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            headers = MutableHeaders(raw=start["headers"])
            if "content-length" not in headers:
                await send({**message, "body": self.clean(message.get("body", b""))})
                return
            whole += message.get("body", b"")
            if message.get("more_body"):
                return
            if scope["method"] != "HEAD":
                whole = self.clean(whole)
                headers["content-length"] = str(len(whole))
            await send(start)
            await send({"type": "http.response.body", "body": whole})

        await self.app(scope, receive, cleaned)

    def clean(self, text: bytes) -> bytes:
        return self._places.sub(INSTEAD, text)
