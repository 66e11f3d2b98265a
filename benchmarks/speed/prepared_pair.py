"""A sequential pair with the second worker prepared while the first model answers, against without.

Each pair runs in a program that has just begun, where the second model's imports have not been done by anybody: this
is what somebody waits for who opens the page and presses Run. Tesseract answers first, then a heavier family.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from adapters.base import Job
from arena.cancel import Cancel
from arena.catalog import ModelSpec
from arena.config import load_settings
from arena.gpu import Gpus
from arena.slots import Slots
from benchmarks.speed.rows import Row, paired

SAMPLE = Path(__file__).parent.parent.parent / "assets" / "samples" / "receipt.jpg"
PAIRS = 3
READINGS = 4  # answers of the first model: a document of as many pages


def pair_s(prepare: bool, home: str, second: str) -> float:
    """Seconds from the request for A until B's worker can take its weights."""
    slots = Slots(dataclasses.replace(load_settings({"ARENA_HOME": home}), idle_unload_s=0), Gpus())
    a = ModelSpec(id="tesseract", title="", adapter="tesseract", source="")
    b = ModelSpec(id="b", title="", adapter=second, source="")
    try:
        start = time.perf_counter()
        with slots.for_(a).lease(a, Cancel()) as lease:
            for _ in lease.acquire():
                pass
            if prepare:
                slots.for_(b).prepare(b)
            for _ in range(READINGS):
                for _ in lease.predict(Job(str(SAMPLE))):
                    pass
        slot = slots.for_(b)
        for _ in slot.unload():
            pass
        worker = slot._start(b)
        for _ in worker.wait_started(120, Cancel()):
            pass
        return time.perf_counter() - start
    finally:
        slots.close()


def measure() -> Row:
    second = "transformers_chat" if find_spec("transformers") else "rapidocr"
    with tempfile.TemporaryDirectory() as home:
        pair_s(False, home, second)  # file caches
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(PAIRS):
            for prepare, taken in times.items():
                taken.append(pair_s(prepare, home, second))
    name = "pair with the next worker prepared early / without"
    return paired(name, "<= 0.85", (times[True], times[False]), note=f"tesseract, then {second}")
