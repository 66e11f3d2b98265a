"""`compare()`, warm, against calling the engine directly in one's own script: the price of everything we add."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from adapters.base import Job, Output, adapter_class
from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import arena_of
from arena.types import Run
from benchmarks.speed.rows import Row, same_answer

SAMPLE = Path(__file__).parent.parent.parent / "assets" / "samples" / "receipt.jpg"
REPEATS = 9
ENGINES = ("rapidocr", "tesseract")


def measure() -> list[Row]:
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

                what = f"compare() / {name} directly, warm"
                rows.append(same_answer(what, "<= 1.05", REPEATS, through_us, directly, "receipt.jpg"))
                arena.slots.unload_all()
                direct.close()
            return rows
