"""The process a model lives in: JSON lines in, JSON lines out, one adapter, until the application says so.

Started by ``python -m adapters.worker NAME APP_PID [LIFELINE]`` or forked by `adapters.warm`. Standard library only.

In:  ``{"op": "load", "model": {…}}`` · ``{"op": "predict", "id": n, "job": {…}}`` · ``{"op": "cancel", "id": n}``
Out: ``{"event": "started"}`` · ``{"event": "loaded", "versions": {…}}`` · ``{"event": "delta", "id", "text"}`` ·
     ``{"event": "output", "id", "output": {…}}`` · ``{"event": "error", "id", "kind", "detail"}``
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from adapters.base import Adapter, AdapterError, Job, Output, adapter_class
from adapters.descriptors import heard

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc", "failed to allocate")


def classify(error: BaseException, while_loading: bool) -> tuple[str, str]:
    """The kind and the detail of whatever an adapter raised: the one place where that is decided."""
    detail = f"{type(error).__name__}: {error}"[:2000]
    if isinstance(error, AdapterError):
        return error.kind, error.detail
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        return "out_of_memory", detail
    if any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
        return "out_of_memory", detail
    if isinstance(error, ImportError):
        return "unavailable", detail
    return ("start_failed" if while_loading else "model_error"), detail


class Channel:
    """The two private pipes to the application, out of reach of whatever the model's code prints or reads."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "wb", buffering=0)
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb")
        os.dup2(2, 1)  # a print() in a model's code lands in the log and not in the protocol
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._writing = threading.Lock()  # protects whole lines: a library's thread may report too
        self.inbox: queue.Queue[dict[str, Any]] = queue.Queue()
        self._cancelled: set[int] = set()
        threading.Thread(target=self._read, daemon=True, name="inbox").start()

    def send(self, event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, **fields}).encode() + b"\n"
        with self._writing:
            view = memoryview(line)
            while view:
                view = view[self._out.write(view) :]

    def cancelled(self, job_id: int) -> bool:
        return job_id in self._cancelled

    def _read(self) -> None:
        for line in self._in:
            message = json.loads(line)
            if message["op"] == "cancel":
                self._cancelled.add(message["id"])
            else:
                self.inbox.put(message)
        end_group()  # the application closed the pipe: it is done with us, or dead


def end_group() -> None:
    """End this process and whatever it started, now."""
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def watch_application(app_pid: int) -> None:
    """End this process when the application dies; a thread, since a model may be busy for minutes."""

    def wait() -> None:
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):  # it is gone already
                heard(os.pidfd_open(app_pid))
        else:
            while os.getppid() == app_pid:
                time.sleep(0.5)
        end_group()

    threading.Thread(target=wait, daemon=True, name="application watch").start()


def tie_to(lifeline: int) -> None:
    """Have the kernel end this process and whatever it started when the other end of the pipe is closed, as it is when
    the application dies. For what no thread can see: a model that hangs and holds Python's lock."""
    import fcntl

    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpid())  # our group
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC)
    if heard(lifeline, seconds=0):
        end_group()  # it died before


def take_name(model: str) -> None:
    """Be called as the model in ``ps`` and ``top``, as far as 15 bytes go, where the system has such names."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(model[:15], encoding="ascii", errors="replace")


def serve(channel: Channel, adapter: Adapter) -> None:
    """Answer the application's messages until it closes the pipe."""
    while True:
        message = channel.inbox.get()
        loading = message["op"] == "load"
        try:
            if loading:
                take_name(message["model"].get("id", ""))
                adapter.load(message["model"])
                channel.send("loaded", versions={"python": sys.version.split()[0], **adapter.versions()})
            else:
                predict(channel, adapter, message["id"], Job(**message["job"]))
        except BaseException as error:  # noqa: BLE001 - whatever a model raises is a row and not the end
            kind, detail = classify(error, loading)
            channel.send("error", id=message.get("id"), kind=kind, detail=detail)


def predict(channel: Channel, adapter: Adapter, job_id: int, job: Job) -> None:
    """Send the pieces of one answer and the whole, or stop between two pieces when told to."""
    # Half a surrogate pair, as a browser may send it, is text to us but not to a tokenizer.
    whole = job.prompt.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    pieces = adapter.predict(dataclasses.replace(job, prompt=whole))
    for piece in pieces:
        if channel.cancelled(job_id):
            pieces.close()  # type: ignore[attr-defined]
            raise AdapterError("cancelled", "stopped by the user")
        if isinstance(piece, Output):
            channel.send("output", id=job_id, output=piece.to_dict())
            return
        channel.send("delta", id=job_id, text=piece)
    raise AdapterError("bad_output", "the adapter ended without an Output")


def main(name: str, app_pid: int) -> None:
    """Run the adapter `name` for the application `app_pid` on the descriptors 0, 1 and 2."""
    watch_application(app_pid)
    channel = Channel()
    try:
        adapter = adapter_class(name)()
        for module in adapter.preload:
            importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - an import may raise anything
        channel.send("error", id=None, kind="unavailable", detail=f"{type(error).__name__}: {error}")
        return
    channel.send("started")
    serve(channel, adapter)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        tie_to(int(sys.argv[3]))
    main(sys.argv[1], int(sys.argv[2]))
