"""The body of a request while it comes: its bytes and its files are counted, and what is cut off leaves nothing behind.

The framework writes each file of an upload to the disk as it comes, and keeps all of them open until the last has come.
It takes them away again when the form is at fault, but not when the sender has gone; so both are told to it alike.
"""

from __future__ import annotations

from python_multipart.multipart import parse_options_header
from starlette.formparsers import MultiPartException
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope

MOST_FILES = 256  # a process may often have no more than 1024 open, those of other visitors among them


class CutOff(MultiPartException):
    """The body is not read any further."""


class Incoming:
    """A `receive`. fault: what was too much, "" while nothing is. cut: whether the body was cut off, for whatever
    reason. whole: whether all of it has come."""

    def __init__(self, scope: Scope, receive: Receive, most_bytes: int) -> None:
        self.fault = ""
        self.cut = False
        self._receive = receive
        self._most_bytes = most_bytes
        self._taken = 0
        self._files = 0
        kind, options = parse_options_header(HTTPConnection(scope).headers.get("content-type", ""))
        self._form = kind == b"multipart/form-data"
        self._mark = b"--" + options.get(b"boundary", b"")  # stands before every file, and after the last
        self._tail = b""
        self.whole = False

    async def __call__(self) -> Message:
        """Raises `CutOff` when there is too much of it, and for a form whose sender has gone."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            if self._form and not self.whole:
                raise self._cut_off("the sender has gone")
            return message
        body = message.get("body", b"")
        self._taken += len(body)
        self.whole = not message.get("more_body", False)
        if self._taken > self._most_bytes:
            self.fault = f"at most {self._most_bytes} bytes"
        elif self._form and self._marks(body) > MOST_FILES + 1:
            self.fault = f"at most {MOST_FILES} files at once"
        if self.fault:
            raise self._cut_off(self.fault)
        return message

    def _cut_off(self, why: str) -> CutOff:
        self.cut = True
        return CutOff(why)

    def _marks(self, body: bytes) -> int:
        """How many there were so far; one that is split between two pieces counts with the second."""
        seen = self._tail + body
        self._files += seen.count(self._mark)
        self._tail = seen[-(len(self._mark) - 1) :]
        return self._files
