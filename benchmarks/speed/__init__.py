"""How fast the program is, each figure as a ratio against the plain way measured in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any


def by_turns(
    name: str, goal: str, tokens: int, repeats: int, ours: Callable[[], str], theirs: Callable[[], str]
) -> dict[str, Any]:
    """Both by turns, so that a machine that slows down slows both; the best of each, for noise only adds.

    Raises `AssertionError` when the two ways give different texts."""
    if ours() != theirs():
        raise AssertionError(f"{name}: the two ways give different texts")
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for way, taken in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            way()
            taken.append(time.perf_counter() - start)
    said = (f"{1000 * min(each):.0f} ms [median {1000 * statistics.median(each):.0f}]" for each in times)
    detail = f"{tokens} tokens: {' against '.join(said)}"
    return {"name": name, "ratio": min(times[0]) / min(times[1]), "goal": goal, "detail": detail}
