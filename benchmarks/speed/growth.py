"""How a figure grows with a size: the same work at several sizes, by turns, judged between the ends or by its exponent.

What people wait for shall be flat: at most three times as much at the largest size as at the smallest. The rest shall
be linear at the most: the exponent between the two largest sizes, where what is spent at any size weighs least, is one,
with a tenth for the noise. The fewest edits between two texts cannot be counted in much less than quadratic time
(Backurs and Indyk 2015), so what counts them is held against that.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from benchmarks.speed.rows import Row, seconds, spread

GOALS = {"flat": "<= 3", "linear": "<= 1.1", "edits": "<= 2"}
Judged = Literal["flat", "linear", "edits"]
LEAST_MB = 1.0  # of memory that is told apart from the noise of the system's own bookkeeping


def grown(name: str, size: str, works: Mapping[int, Callable[[], object]], judged: Judged, repeats: int = 7) -> Row:
    """Seconds of the work at every size, from the smallest to the largest; each is done once before it counts.

    size: what there is more and more of.
    """
    taken: dict[int, list[float]] = {count: [] for count in works}
    for turn in range(repeats + 1):
        for count, work in works.items():
            start = time.perf_counter()
            work()
            if turn:
                taken[count].append(time.perf_counter() - start)
    return held(name, (size, "seconds"), taken, judged, seconds)


def grown_memory(name: str, size: str, works: Mapping[int, Callable[[], object]], judged: Judged) -> Row:
    """MB that the work needs at the most at every size, above what the process had before; unknown outside Linux."""
    taken: dict[int, list[float]] = {count: [] for count in works}
    for _ in range(3):
        for count, work in works.items():
            needed = peak_mb(work)
            if needed is None:
                return Row(name, detail="the system does not tell the peak of a process's memory")
            taken[count].append(max(needed, LEAST_MB))
    return held(name, (size, "MB"), taken, judged, lambda value: f"{value:.3g} MB")


def held(
    name: str,
    axes: tuple[str, str],
    taken: Mapping[int, list[float]],
    judged: Judged,
    shown: Callable[[float], str],
) -> Row:
    """Figures at every size against the goal. An exponent below zero is one of zero."""
    sizes = sorted(taken)
    small, large = (sizes[0], sizes[-1]) if judged == "flat" else (sizes[-2], sizes[-1])
    ratios = [high / low for low, high in zip(taken[small], taken[large], strict=True)]
    if judged != "flat":
        ratios = [max(math.log(ratio) / math.log(large / small), 0.0) for ratio in ratios]
    detail = "; ".join(f"{size:,}: {spread(taken[size], shown)}" for size in sizes)
    points = tuple((float(size), statistics.median(taken[size])) for size in sizes)
    return Row(name, GOALS[judged], tuple(ratios), detail, "" if judged == "flat" else "n^", points, axes)


def peak_mb(work: Callable[[], object]) -> float | None:
    """The most memory that this process had while it did the work, above what it had before, in MB."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # what is free already shall not be used unseen
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = _status("VmRSS")
        work()
        return _status("VmHWM") - before
    except OSError:
        return None


def _status(key: str) -> float:
    """MB, of what Linux tells about this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return float(line.split()[1]) / 1000
    raise OSError(f"the system does not tell {key}")
