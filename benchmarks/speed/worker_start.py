"""A worker forked from the warm parent against one started plainly, each until it can take a model.

Measured with the imports of a transformers model, which are what makes a plain start slow.
"""

from __future__ import annotations

import statistics
import time
from importlib.util import find_spec
from typing import Any

from arena.cancel import Cancel
from arena.runtimes.process import Interpreters

WARM_STARTS, PLAIN_STARTS = 15, 3


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


def measure() -> dict[str, Any]:
    adapter = "transformers_chat" if find_spec("transformers") else "rapidocr"
    warm, plain = Interpreters(warm=True), Interpreters(warm=False)
    try:
        start_s(warm, adapter)  # the parent's own imports, once
        plain_s = [start_s(plain, adapter) for _ in range(PLAIN_STARTS)]
        warm_s = [start_s(warm, adapter) for _ in range(WARM_STARTS)]
    finally:
        warm.stop()
    ratio = statistics.median(plain_s) / statistics.median(warm_s)
    return {
        "name": "worker: plain start / fork of the warm parent",
        "ratio": ratio,
        "goal": ">= 50",
        "detail": f"{adapter}: {statistics.median(plain_s):.2f} s [{min(plain_s):.2f}-{max(plain_s):.2f}] against "
        f"{1000 * statistics.median(warm_s):.0f} ms [{1000 * min(warm_s):.0f}-{1000 * max(warm_s):.0f}]",
    }
