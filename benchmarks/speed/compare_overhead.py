"""`compare()`, warm, against calling the engine directly in one's own script: the price of everything we add."""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from adapters.base import Job, Output, adapter_class
from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import arena_of
from arena.types import Run

SAMPLE = Path(__file__).parent.parent.parent / "assets" / "samples" / "receipt.jpg"
REPEATS = 9
ENGINES = ("rapidocr", "tesseract")


def measure() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as home:
        settings = dataclasses.replace(load_settings({"ARENA_HOME": home}), idle_unload_s=0)
        with arena_of(settings) as arena:
            image = arena.images.add(SAMPLE)
            rows = []
            for name in ENGINES:
                request = Request(
                    (Side(arena.catalog.find(name)),), image, arena.catalog.task("ocr"), "", "en", "Total"
                )
                direct = adapter_class(name)()
                direct.load({"options": {}})
                job = Job(str(image.path), language="en")

                def through_us(request: Request = request) -> str:
                    return next(event.text for event in compare(arena, request) if isinstance(event, Run))

                def directly(adapter: Any = direct, job: Job = job) -> str:
                    return next(piece.text for piece in adapter.predict(job) if isinstance(piece, Output))

                rows.append(row(name, through_us, directly))
                arena.slots.unload_all()
                direct.close()
            return rows


def row(name: str, through_us: Any, directly: Any) -> dict[str, Any]:
    """Both by turns, so that a machine that slows down slows both."""
    if through_us() != directly():
        raise AssertionError(f"{name}: the two ways give different texts")
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(REPEATS):
        for function, times in ((through_us, ours), (directly, theirs)):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return {
        "name": f"compare() / {name} directly, warm",
        "ratio": statistics.median(our / their for our, their in zip(ours, theirs, strict=True)),  # neighbours in time
        "goal": "<= 1.05",
        "detail": f"{1000 * statistics.median(ours):.0f} ms [{1000 * min(ours):.0f}-{1000 * max(ours):.0f}] against "
        f"{1000 * statistics.median(theirs):.0f} ms [{1000 * min(theirs):.0f}-{1000 * max(theirs):.0f}]",
    }
