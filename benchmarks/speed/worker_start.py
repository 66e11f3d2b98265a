"""A worker forked from the warm parent against one started plainly, each until it can take a model.

Measured with the imports of a transformers model, which are what makes a plain start slow.
"""

from __future__ import annotations

import time
from importlib.util import find_spec

from arena.cancel import Cancel
from arena.runtimes.process import Interpreters
from benchmarks.speed.rows import Row, paired

REPEATS = 5


def start_s(interpreters: Interpreters, adapter: str) -> float:
    """Seconds from the request to the worker's word that it is there."""
    start = time.perf_counter()
    worker = interpreters.start(adapter)
    for _ in worker.wait_started(120, Cancel()):
        pass
    took = time.perf_counter() - start
    worker.kill()
    for _ in worker.wait_gone():
        pass
    return took


def measure() -> Row:
    adapter = "transformers_chat" if find_spec("transformers") else "rapidocr"
    warm, plain = Interpreters(warm=True), Interpreters(warm=False)
    try:
        start_s(warm, adapter)  # the parent's own imports, once
        times = [(start_s(plain, adapter), start_s(warm, adapter)) for _ in range(REPEATS)]
    finally:
        warm.stop()
    name = "worker: plain start / fork of the warm parent"
    return paired(name, ">= 50", list(zip(*times, strict=True)), note=adapter)
