"""Decoders that are forked from a process which has done the imports: milliseconds instead of tenths of a second.

Each is still a process of its own for one file, with its own limits, ended when it is late. Linux only; elsewhere, and
when something is wrong with the parent, one is started plainly.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import time
import weakref
from pathlib import Path
from typing import Any

from adapters.descriptors import heard

ROOT = Path(__file__).parent.parent
START_S = 20.0  # the parent's imports, on a busy machine
END_S = 5.0
CHUNK = 1 << 16
REST_S = 0.25
# Every arena takes address space, which is what is limited. What practice has touched is kept for the file.
MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": str(1 << 28), "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}


class Late(Exception):
    """The decoder took too long and was ended."""


class Decoders:
    """Up to `count` decoders at a time; the rest wait for their turn. The parents live as long as this object."""

    def __init__(self, count: int) -> None:
        self._parents: queue.LifoQueue[Parent] = queue.LifoQueue()  # the one used last is used next
        self._closed = False
        for _ in range(count):
            self._parents.put(Parent())

    def ask(self, request: dict[str, Any], data: bytes, seconds: float) -> tuple[bytes, int]:
        """What a decoder wrote, and how it ended. Raises `Late`, or `OSError` when there can be no decoder."""
        parent = self._parents.get()
        try:
            try:
                return parent.ask(request, data, seconds)
            except OSError:  # it was ended from outside: the next one is another
                parent.close()
                return parent.ask(request, data, seconds)
        finally:
            if self._closed:
                parent.close()
            self._parents.put(parent)

    def close(self) -> None:
        """End the parents, one that is at work as soon as it is done; none stays from now on."""
        self._closed = True
        for _ in range(self._parents.qsize()):
            with contextlib.suppress(queue.Empty):
                parent = self._parents.get_nowait()
                parent.close()
                self._parents.put(parent)


class Parent:
    """One parent with at most one decoder, started when it is first needed. For one thread at a time."""

    def __init__(self) -> None:
        self._channel: socket.socket | None = None
        self._end: weakref.finalize[Any, Any] | None = None
        self._owed = False

    def ask(self, request: dict[str, Any], data: bytes, seconds: float) -> tuple[bytes, int]:
        channel = self._channel or self._start()
        if self._owed:
            self._owed = False
            self._told()
        deadline = time.monotonic() + seconds
        file = os.memfd_create("upload")
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as reply:
            try:
                with os.fdopen(os.dup(file), "wb") as copy:
                    copy.write(data)
                os.lseek(file, 0, os.SEEK_SET)
                socket.send_fds(channel, [json.dumps(request).encode()], [file, writing])
            finally:
                os.close(file)
                os.close(writing)
            said = b""
            while heard(reply, seconds=max(0.0, deadline - time.monotonic())):
                piece = reply.read(CHUNK)
                if not piece:
                    if said.endswith(b"}"):  # a whole reply; how the process ends is heard when it is asked again
                        self._owed = True
                        return said, 0
                    return said, int(self._told())
                said += piece
        channel.send(b"end")
        self._told()
        raise Late

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "arena.decoders", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env={**os.environ, **MALLOC},
                start_new_session=True,
            )
        self._channel = ours
        self._end = weakref.finalize(self, ended, ours, process)
        ours.settimeout(START_S)
        self._told()
        ours.settimeout(END_S)
        return ours

    def _told(self) -> str:
        assert self._channel  # noqa: S101 - `_start` has made it
        said = self._channel.recv(CHUNK)
        if not said:
            raise ConnectionResetError("the decoders' parent has ended")
        return said.decode()

    def close(self) -> None:
        if self._end:
            self._end()
        self._channel = self._end = None
        self._owed = False


def ended(channel: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Close the socket, which ends the parent and its decoder."""
    channel.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def serve(channel: socket.socket) -> None:
    """The parent: have a decoder ready for the next file, tell how each ended; end with the application."""
    from PIL import Image

    from arena import decode

    # All that is imported on the way is imported once and here.
    with contextlib.suppress(ImportError):
        import resource  # noqa: F401
    # The memory of a picture that is done with serves the next one.
    Image.core.set_blocks_max(2)  # type: ignore[attr-defined]
    blank = io.BytesIO()
    Image.new("RGB", (640, 480)).save(blank, "PNG")
    practice = {"page": 1, "max_pixels": 10**6, "out": os.devnull}, blank.getvalue()
    decode.answer(*practice)
    channel.send(b"started")
    parent = os.getpid()
    while True:
        begun, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(begun)
            # A new process has its own memory page by page as it first writes there: better now than with the file, but
            # not while the model that is given the file before begins.
            if not heard(channel, seconds=REST_S):
                decode.answer(*practice)
            message = b"end"
            descriptors: list[int] = []
            while message and not descriptors:  # an end alone came too late for the decoder before
                message, descriptors, _, _ = socket.recv_fds(channel, CHUNK, 2)
            if not message or os.getppid() != parent:  # a parent that was ended must be missed
                os._exit(0)
            channel.close()
            os.close(told)
            decode.forked(json.loads(message), *descriptors)
        os.close(told)
        heard(begun)  # until then what comes through the channel is the decoder's
        os.close(begun)
        pidfd = os.pidfd_open(pid)
        if channel.fileno() in heard(pidfd, channel):
            os.kill(pid, signal.SIGKILL)
        os.close(pidfd)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        channel.send(str(code).encode())


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # the application has gone
        serve(socket.socket(fileno=int(sys.argv[1])))
