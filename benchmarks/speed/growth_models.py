"""Models in the catalogue, 15 to 500: reading it, opening the page, the list of the API and the Models tab."""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from arena.catalog import load_catalog
from arena.config import load_settings
from benchmarks.speed.growth import grown
from benchmarks.speed.rows import Row

SIZES = (15, 100, 500)


def measure() -> list[Row]:
    """Of the program as it is started, each with a catalogue of its own beside what is shipped."""
    serving = importlib.import_module("tests.serving")
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        homes = {size: home(Path(name) / str(size), size) for size in SIZES}
        pages = {
            size: opened.enter_context(
                httpx.Client(base_url=opened.enter_context(serving.page_serving(each, patience_s=180)), timeout=60)
            )
            for size, each in homes.items()
        }

        def fetch(client: httpx.Client, path: str) -> None:
            client.get(path).raise_for_status()

        def over(work: Callable[..., Any], things: Mapping[int, Any], *more: Any) -> Mapping[int, Callable[[], Any]]:
            return {size: partial(work, thing, *more) for size, thing in things.items()}

        return [
            grown("opening the page", "models", over(fetch, pages, "/"), "flat"),
            grown("the API's list", "models", over(fetch, pages, "/v1/models"), "linear"),
            grown("reading the catalogue", "models", over(load, homes), "linear"),
        ]


def load(folder: Path) -> None:
    load_catalog(load_settings({"ARENA_HOME": str(folder)}))


def home(folder: Path, size: int) -> Path:
    """As many models beside those that are shipped as make `size`."""
    folder.mkdir()
    entry = {"adapter": "tesseract", "modes": {"embedded": {}}, "tasks": ["ocr", "question"], "licence": "MIT"}
    shipped = len(load_catalog(load_settings({"ARENA_HOME": str(folder)})).models)
    more = {f"model_{number:03d}": {**entry, "title": f"Model {number}"} for number in range(max(size - shipped, 0))}
    (folder / "models.yaml").write_text(json.dumps({"models": more}), encoding="utf-8")
    return folder
