"""Programs that have containers, this one and another, and what the tests of them share."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil

from adapters.base import Job, Output
from arena.cancel import Cancel
from arena.config import Settings
from arena.errors import RunError
from arena.runtimes.container import Container
from arena.spec import ModelSpec

HERE = Path(__file__).parent
RUN = uuid.uuid4().hex[:8]  # in every name, for others may run these tests beside


class Start:
    """One container being brought up and used as the slot does it."""

    def __init__(self, container: Container, settings: Settings) -> None:
        self.container, self.settings, self.cancel = container, settings, Cancel()
        self.signs: list = []

    def up(self, until: Callable[[Start], bool] = lambda _: False) -> Start:
        timeout = self.settings.start_timeout_s
        for step in (
            lambda: self.container.wait_started(60, self.cancel),
            lambda: self.container.load({"id": "x", "options": {}}, timeout, self.cancel),
        ):
            try:
                for sign in step():
                    self.signs.append(sign)
                    if until(self):
                        return self
            except RunError:
                with contextlib.suppress(RunError):  # what goes wrong then is told by `down`
                    for _ in self.container.wait_gone():
                        pass
                raise
        return self

    def down(self) -> None:
        self.container.kill()
        for _ in self.container.wait_gone():
            pass


def answer(start: Start, picture: str, tokens: int = 64) -> Output:
    pieces = start.container.predict(Job(picture, "?", params={"max_new_tokens": tokens}), 30, start.cancel)
    return next(piece for piece in pieces if isinstance(piece, Output))


class Other:
    """Another program with the same right to containers, in a process of its own: `holder.py`."""

    def __init__(self, spec: ModelSpec, settings: Settings) -> None:
        container = spec.in_mode("vllm").container
        assert container
        told = {
            "id": spec.id,
            "source": spec.source,
            "name": container.name,
            "port": container.port,
            "home": str(settings.home),
            "image": settings.vllm_image,
        }
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "holder.py"), json.dumps(told)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(filter(None, [str(HERE.parent.parent), os.environ.get("PYTHONPATH")]))},
        )
        assert self.process.stdout
        self.said = self.process.stdout.readline().strip()

    def end(self) -> None:
        """As a crash or a power cut would: it can clean up nothing."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(what: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid)
