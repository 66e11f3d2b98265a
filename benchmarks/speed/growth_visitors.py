"""Visitors at once, 1 to 50: until everyone's page is up, and until everyone has an answer while a model is busy."""

from __future__ import annotations

import contextlib
import importlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from benchmarks.speed.growth import grown
from benchmarks.speed.rows import Row

SIZES = (1, 10, 50)
PATIENCE_S = 180.0
LONG = "tokens=100000 delay=0.02"  # what the test model is asked for: minutes of an answer


def measure() -> list[Row]:
    """Of the program as it is started. Each visitor has a connection and a cookie of his own."""
    serving, visiting = importlib.import_module("tests.serving"), importlib.import_module("tests.page_client")
    with (
        tempfile.TemporaryDirectory() as name,
        contextlib.ExitStack() as opened,
        ThreadPoolExecutor(SIZES[-1]) as crowd,
    ):
        serving.own_models(Path(name))
        served = serving.page_serving(Path(name) / "home", patience_s=PATIENCE_S, ARENA_DEV="1")
        url = opened.enter_context(served)
        clients = [
            opened.enter_context(httpx.Client(base_url=url, timeout=PATIENCE_S, headers={"origin": url}))
            for _ in range(SIZES[-1])
        ]
        first = visiting.PageClient(url)
        opened.callback(first.http.close)
        event = first.body("runs-table", "write_again", None, {})

        def page(client: httpx.Client) -> None:
            client.get("/").raise_for_status()

        def answer(client: httpx.Client) -> None:
            mine = event | {"session_hash": f"visitor{clients.index(client):03d}"}
            client.post("/gradio_api/run/predict", json=mine).raise_for_status()

        def over(work: Callable[[httpx.Client], None]) -> Mapping[int, Callable[[], Any]]:
            return {size: partial(lambda some: list(crowd.map(work, some)), clients[:size]) for size in SIZES}

        pages = grown("everyone's page", "visitors", over(page), "linear", 3)
        with busy(url):
            answers = grown("everyone's table of runs while a model is busy", "visitors", over(answer), "linear", 3)
        return [pages, answers]


@contextlib.contextmanager
def busy(url: str) -> Iterator[None]:
    """While the test model answers."""
    asked = {"model": "one", "messages": [{"role": "user", "content": LONG}], "stream": True}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=asked, timeout=PATIENCE_S) as answer:
        lines = answer.iter_lines()
        while '"content":"' not in next(lines).replace(" ", ""):
            pass
        yield
