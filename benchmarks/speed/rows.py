"""What a measurement gives: a ratio for every repeat, held against its goal, and how the figures behind it are written.

The two sides of a ratio are always measured by turns in one run on one machine, so that a machine that slows down
slows both; each repeat is one ratio of neighbours in time, and the median of them is what counts.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

UNKNOWN = "—"


@dataclass(frozen=True)
class Row:
    """One measured thing.

    goal: ``"<= 1.5"`` or ``">= 50"``, or nothing where there is nothing to judge. ratios: of every repeat; none where
    it could not be measured, and `detail` says why. unit: ``"s"`` where it is no ratio, ``"n^"`` where it is the
    exponent of a growth. detail: the figures behind it. points: of a growth, each size and the figure there; axes: what
    these two are. Raises `ValueError` for another goal.
    """

    name: str
    goal: str = ""
    ratios: tuple[float, ...] = ()
    detail: str = ""
    unit: str = ""
    points: tuple[tuple[float, float], ...] = ()
    axes: tuple[str, str] = ("", "")
    failed: bool = False

    def __post_init__(self) -> None:
        if self.goal:
            float(self.goal[2:])
            if self.goal[:2] not in ("<=", ">="):
                raise ValueError(f"a goal says <= or >=: {self.goal}")

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        """From what `asdict` and JSON have made of it."""
        points = tuple(map(tuple, told["points"]))
        return cls(**{**told, "ratios": tuple(told["ratios"]), "points": points, "axes": tuple(told["axes"])})

    @property
    def ratio(self) -> float | None:
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def met(self) -> bool | None:
        """None when there is nothing to judge."""
        if self.ratio is None or not self.goal:
            return None
        bound = float(self.goal[2:])
        return self.ratio <= bound if self.goal.startswith("<=") else self.ratio >= bound

    @property
    def cells(self) -> tuple[str, str, str, str, str, str]:
        """Name, median, least to most, goal, verdict and the figures behind it, as they are read."""
        verdict = "failed" if self.failed else {True: "met", False: "MISSED", None: UNKNOWN}[self.met]
        span = f"{self._said(min(self.ratios))}-{self._said(max(self.ratios))}" if len(self.ratios) > 1 else UNKNOWN
        goal = f"{'≤' if self.goal[0] == '<' else '≥'} {float(self.goal[2:]):g}" if self.goal else UNKNOWN
        return self.name, UNKNOWN if self.ratio is None else self._said(self.ratio), span, goal, verdict, self.detail

    def _said(self, value: float) -> str:
        said = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
        return f"n^{value:.2f}" if self.unit == "n^" else f"{said} {self.unit}".strip()


def seconds(value: float) -> str:
    """12.3 ms, 1.24 s."""
    return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"


def spread(values: Sequence[float], shown: Callable[[float], str] = seconds) -> str:
    """The median of several figures, with the least and the most of them."""
    middle = shown(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} [{shown(min(values))}-{shown(max(values))}]"


def paired(
    name: str,
    goal: str,
    sides: Sequence[Sequence[float]],
    *,
    shown: Callable[[float], str] = seconds,
    note: str = "",
) -> Row:
    """Each figure of the first of two sides divided by its neighbour in time on the second."""
    ours, theirs = sides
    ratios = tuple(mine / other for mine, other in zip(ours, theirs, strict=True))
    said = f"{spread(ours, shown)} against {spread(theirs, shown)}"
    return Row(name, goal, ratios, f"{said}; {note}" if note else said)


def by_turns(repeats: int, *works: Callable[[], Any]) -> list[list[float]]:
    """The seconds of each work, `repeats` times by turns."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
    return times


def same_answer(
    name: str, goal: str, repeats: int, ours: Callable[[], str], theirs: Callable[[], str], note: str
) -> Row:
    """Two ways to one text, warm. Raises `AssertionError` when they give different texts."""
    if ours() != theirs():
        raise AssertionError(f"{name}: the two ways give different texts")
    return paired(name, goal, by_turns(repeats, ours, theirs), note=note)
