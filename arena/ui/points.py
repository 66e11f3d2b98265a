"""What the plot is made of: the quantities that can be drawn, and the runs of each model with their medians."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from arena.numbers import share
from arena.strings import tr
from arena.ui.figure_names import name_key
from arena.units import sized, timed
from benchmarks.metrics import METRICS

COLOURS = 10  # how many the stylesheet has; further models start again and are told apart by their number
ANSWERED = ("ok", "empty", "loop", "truncated")  # the time of any other run is not that of an answer


@dataclass(frozen=True)
class Axis:
    """One quantity that can be drawn.

    said: a value with its unit. unit: names ``benchmark.unit.<unit>``. of: its value in a row of `Store.points`.
    less: whether the smaller value is the better one.
    """

    key: str  # a metric, or names ``benchmark.axis.<key>``
    said: Callable[[float | None, str], str]
    unit: str
    of: Callable[[dict[str, Any]], float | None]
    less: bool = True

    def title(self, lang: str) -> str:
        return f"{tr(name_key(self.key, 'title', 'benchmark.axis'), lang)}, {tr(f'benchmark.unit.{self.unit}', lang)}"

    def short(self, lang: str) -> str:
        return tr(name_key(self.key, "short", "benchmark.short"), lang)

    def best(self, values: Iterable[float | None]) -> float | None:
        """The best of those that are known."""
        return (min if self.less else max)((value for value in values if value is not None), default=None)


def _score(metric: str, row: dict[str, Any]) -> float | None:
    return row.get(metric)


def _vram(row: dict[str, Any]) -> float | None:
    own: float | None = row["peak_vram_process_mb"]
    return row["peak_vram_device_mb"] if own is None else own


TIMES = {
    "generate_s": Axis("generate_s", timed, "s", lambda row: row["generate_s"]),
    "total_s": Axis("total_s", timed, "s", lambda row: row["total_s"]),
    "first_token_s": Axis("first_token_s", timed, "s", lambda row: row["first_token_s"]),
}
QUALITY = {
    name: Axis(name, share, "percent", partial(_score, name), each.better == "lower") for name, each in METRICS.items()
}
MEMORY = {  # the first that is known is also what a circle's size shows
    "vram_mb": Axis("vram_mb", sized, "mb", _vram),
    "ram_mb": Axis("ram_mb", sized, "mb", lambda row: row["peak_ram_mb"]),
}
UPWARDS = QUALITY | MEMORY


@dataclass(frozen=True)
class Dot:
    """One run that has both quantities."""

    run_id: str
    x: float
    y: float


@dataclass(frozen=True)
class Group:
    """The runs of one model and their medians. rank: the number in its circle. memory: None where unknown."""

    rank: int
    model: str
    title: str
    dots: Sequence[Dot]
    x: float
    y: float
    memory: float | None

    @property
    def classes(self) -> str:
        return f"c{(self.rank - 1) % COLOURS} m{self.rank}"


@dataclass(frozen=True)
class Picture:
    """Everything that is drawn: the models, the quantities across and up, and that of the circles' size.

    qualities: metrics that have values, so that they can be chosen for the quantity up.
    """

    groups: Sequence[Group]
    x: Axis
    y: Axis
    memory: Axis | None
    qualities: Collection[str] = ()

    @property
    def upwards(self) -> dict[str, Axis]:
        """What can be chosen, the chosen among it."""
        found = {key: axis for key, axis in QUALITY.items() if key in self.qualities or axis is self.y}
        return found | MEMORY

    @property
    def runs(self) -> int:
        return sum(len(group.dots) for group in self.groups)


def picture(rows: Iterable[dict[str, Any]], order: Sequence[str], x: str, y: str) -> Picture:
    """Of the rows of `Store.points` those that answered and have both quantities, by model.

    x is a key of `TIMES`, y one of `UPWARDS`; `order` lists all models, so that colours do not jump when filtered.
    """
    across, up = TIMES[x], UPWARDS[y]
    by_model: dict[str, list[dict[str, Any]]] = {}
    qualities: set[str] = set()
    for row in rows:
        if row["status"] not in ANSWERED:
            continue
        qualities.update(name for name in QUALITY if row.get(name) is not None)
        if across.of(row) is not None and up.of(row) is not None:
            by_model.setdefault(row["model"], []).append(row)
    places = {model: index for index, model in enumerate(dict.fromkeys([*order, *by_model]))}
    every = [row for group in by_model.values() for row in group]
    memory = next((axis for axis in MEMORY.values() if any(axis.of(row) is not None for row in every)), None)

    def group(model: str, runs: list[dict[str, Any]]) -> Group:
        dots = [Dot(row["run_id"], across.of(row) or 0.0, up.of(row) or 0.0) for row in runs]
        taken = [mb for row in runs if memory and (mb := memory.of(row)) is not None]
        return Group(
            places[model] + 1,
            model,
            runs[-1]["title"],
            dots,
            median(dot.x for dot in dots),
            median(dot.y for dot in dots),
            median(taken) if taken else None,
        )

    found = sorted(by_model, key=lambda model: places[model])
    return Picture([group(model, by_model[model]) for model in found], across, up, memory, qualities)
