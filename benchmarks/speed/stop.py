"""From Stop until the device is free again, in seconds: a model that listens, and one that has to be ended."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from adapters.base import Job
from arena.cancel import Cancel
from arena.catalog import ModelSpec
from arena.config import load_settings
from arena.errors import RunError
from arena.gpu import Gpus
from arena.slots import Slots
from benchmarks.speed.rows import Row, spread

REPEATS = 5


def stop_s(slots: Slots, image: str, prompt: str) -> float:
    """Seconds from the cancel until the next request would have the device."""
    spec, cancel = ModelSpec(id="fake", title="", adapter="fake", source=""), Cancel()
    told: list[float] = []

    def stop() -> None:
        told.append(time.perf_counter())
        cancel.set()

    try:
        with slots.for_(spec).lease(spec, cancel) as lease:
            for _ in lease.acquire():
                pass
            threading.Timer(0.3, stop).start()
            for _ in lease.predict(Job(image, prompt)):
                pass
    except RunError:
        return time.perf_counter() - told[0]
    raise AssertionError("the answer was over before the stop")


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as home:
        image = Path(home) / "image.png"
        image.write_bytes(b"the test model looks at bytes only")
        slots = Slots(load_settings({"ARENA_HOME": home}), Gpus())
        try:
            rows = []
            for name, prompt in (("that listens", "tokens=99999 delay=0.05"), ("that hangs", "hang=1 after=0")):
                times = [stop_s(slots, str(image), prompt) for _ in range(REPEATS)]
                what = f"from Stop to a free device, a model {name}"
                rows.append(Row(what, "<= 2", tuple(times), spread(times), unit="s"))
            return rows
        finally:
            slots.close()
