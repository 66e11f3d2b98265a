"""The app in a process of its own with models of the test adapter, and what can be asked of it and done to it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

ROOT = Path(__file__).parent.parent.parent
MODELS = ("one", "two", "three", "rapidocr", "tesseract")  # the first three are the test adapter
FAKE = MODELS[:3]


class Served:
    """A running app. url: where it is. home: its data folder. log: what it has written."""

    def __init__(
        self, url: str, home: Path, log: Path, process: subprocess.Popen[bytes], channel: socket.socket
    ) -> None:
        self.url, self.home, self.log = url, home, log
        self._process, self._lines = process, channel.makefile("rw")

    def held(self) -> dict[str, Any]:
        """What the process holds, with the memory and the number of the processes that it has started."""
        self._lines.write("\n")
        self._lines.flush()
        told: dict[str, Any] = json.loads(self._lines.readline())
        family = {each.pid: role for each in self._family() if (role := role_of(each))}
        return told | {"processes": sorted(family.values())}

    def _family(self) -> list[psutil.Process]:
        return psutil.Process(self._process.pid).children(recursive=True)

    def workers(self) -> list[psutil.Process]:
        return [each for each in self._family() if role_of(each) == "worker"]

    def kill_a_worker(self, chance: random.Random) -> bool:
        """End one without a warning, as the system does when memory is short."""
        if not (found := self.workers()):
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            chance.choice(found).kill()
        return True

    def devices(self) -> list[dict[str, Any]]:
        devices: list[dict[str, Any]] = httpx.get(f"{self.url}/models/status", timeout=60).json()["devices"]
        return devices

    def idle(self, seconds: float = 120) -> bool:
        """Whether nothing runs or waits, within some seconds."""
        deadline = time.monotonic() + seconds
        while any(device["busy"] or device["waiting"] for device in self.devices()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def unload(self) -> None:
        """Have no model loaded and no worker, that what is left be comparable."""
        assert httpx.post(f"{self.url}/models/unload", timeout=120).status_code == 200
        deadline = time.monotonic() + 30
        while self.workers() and time.monotonic() < deadline:
            time.sleep(0.1)


def role_of(process: psutil.Process) -> str:
    """worker, warm parent, decoder or the command line; "" for one that has just gone."""
    try:
        command, status = " ".join(process.cmdline()), process.status()
        if status == psutil.STATUS_ZOMBIE:
            return "zombie"
        if "adapters.warm" in command:
            parent = process.parent()
            forked = parent is not None and "adapters.warm" in " ".join(parent.cmdline())
            return "worker" if forked else "warm parent"
        return "decoder" if "arena.decoders" in command else command
    except psutil.Error:
        return ""


@contextlib.contextmanager
def served(**environ: str) -> Iterator[Served]:
    """The app over a data folder of its own. Fails when it does not start, or leaves a process behind."""
    with tempfile.TemporaryDirectory(prefix="arena-soak-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        fakes = {
            name: {"title": name.title(), "adapter": "fake", "modes": {"embedded": {}}, "licence": "Apache-2.0"}
            | {"tasks": ["ocr", "question", "chat"]}
            for name in FAKE
        }
        (home / "models.yaml").write_text(yaml.safe_dump({"models": fakes}))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        ours, theirs = socket.socketpair()
        said = Path(folder) / "log.txt"
        with ours, theirs, said.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.program", str(theirs.fileno()), "--port", str(port)],
                cwd=ROOT,
                env=os.environ
                | {"ARENA_HOME": str(home), "ARENA_DEV": "1", "GRADIO_TEMP_DIR": str(Path(folder) / "uploads")}
                | environ,
                pass_fds=[theirs.fileno()],
                stdout=log,
                stderr=log,
            )
            family: list[psutil.Process] = []
            try:
                app = Served(f"http://127.0.0.1:{port}", home, said, process, ours)
                deadline = time.monotonic() + 180
                while not answers(app.url):
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError(f"the app did not start:\n{said.read_text()}")
                    time.sleep(0.1)
                yield app
                family = psutil.Process(process.pid).children(recursive=True)
            finally:
                process.terminate()
                process.wait(60)
            _, left = psutil.wait_procs(family, 10)
            for each in left:
                each.kill()
            if left:
                raise RuntimeError(f"{len(left)} processes outlived the app: {left}")


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/health", timeout=20).status_code == 200
    return False
