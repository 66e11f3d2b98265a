"""Servers over real sockets: in a thread with the API alone over the tests' own models, in a process with the page."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import uvicorn
import yaml
from fastapi import FastAPI

from arena import api
from arena.api.remote import Fetcher
from arena.config import Settings, load_settings
from arena.core import Arena, arena_of
from arena.harden import Harden
from arena.query import RunQuery
from arena.server import listen
from arena.types import Run

ROOT = Path(__file__).parent.parent


@dataclass
class Serving:
    arena: Arena
    url: str

    @property
    def base(self) -> str:
        return f"{self.url}/v1"

    def free_again(self, seconds: float = 5.0) -> bool:
        """Whether nothing runs or waits on any device, within some seconds."""
        deadline = time.monotonic() + seconds
        while any(slot["busy"] or slot["waiting"] for slot in self.arena.slots.status()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def runs(self) -> int:
        return self.arena.store.count(RunQuery())

    def newest(self, before: int, seconds: float = 5.0) -> Run:
        """The last run once there are more than `before`; the device is free a moment before it is stored."""
        deadline = time.monotonic() + seconds
        while self.runs() <= before:
            assert time.monotonic() < deadline, "no run was stored"
            time.sleep(0.01)
        return self.arena.store.page(RunQuery(limit=1)).runs[0]


@contextlib.contextmanager
def serving(settings: Settings, fetcher: Fetcher | None = None) -> Iterator[Serving]:
    with arena_of(settings) as arena, listen("127.0.0.1", 0) as listener:
        app = FastAPI(generate_unique_id_function=lambda route: route.name)
        app.include_router(api.router(arena, fetcher))
        app.add_middleware(Harden, max_upload=settings.max_upload_mb * 10**6)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            deadline = time.monotonic() + 20
            while not server.started:
                assert thread.is_alive() and time.monotonic() < deadline
                time.sleep(0.01)
            yield Serving(arena, url)
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


@contextlib.contextmanager
def page_serving(home: Path, *, patience_s: float = 60, **more: str) -> Iterator[str]:
    """The app as a user starts it, in a process of its own with further environment variables; its address.

    What it writes lies beside the data folder, in ``log.txt``. patience_s: how long it may take to start. Fails when it
    does not start, or does not end when it is asked to."""
    with listen("127.0.0.1", 0) as probe:
        port = probe.getsockname()[1]
    environ = os.environ | {"ARENA_HOME": str(home), "PYTHONUNBUFFERED": "1"} | more
    log = home.parent / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=environ, stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                httpx.get(f"{url}/health", timeout=20)  # asks for no password
                break
            except httpx.TransportError:
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the app did not end when asked to:\n{log.read_text()}") from None


def own_models(folder: Path, **more: dict[str, object]) -> Settings:
    """Settings with further models of the test adapter in the catalogue; each notes when it is loaded."""
    record = folder / "record.txt"
    record.touch()
    names = {name: {"options": {"record": str(record)}} for name in ("one", "two", "three")} | more
    entries = {
        name: {
            "title": name.title(),
            "adapter": "fake",
            "modes": {"embedded": {}},
            "tasks": ["ocr", "question", "chat"],
            "licence": "Apache-2.0",
            **fields,
        }
        for name, fields in names.items()
    }
    home = folder / "home"
    home.mkdir()
    (home / "models.yaml").write_text(yaml.safe_dump({"models": entries}))
    return replace(load_settings({"ARENA_HOME": str(home), "ARENA_DEV": "1"}), idle_unload_s=0)


def both_loaded(folder: Path) -> list[str]:
    """Loads during which another model was still alive; there must be none."""
    lines = [line.split() for line in (folder / "record.txt").read_text().splitlines()]
    return [" ".join(line) for line in lines if line[0] == "load" and line[2] != "-"]


def get(url: str, **options: object) -> httpx.Response:
    return httpx.get(url, timeout=20, **options)  # type: ignore[arg-type]
