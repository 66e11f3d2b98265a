"""What the plot is made of: the quantities that can be drawn, and the runs of each model with their medians."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from arena.numbers import share
from arena.strings import tr
from arena.units import sized, timed

COLOURS = 10  # how many the stylesheet has; further models start again and are told apart by their number
ANSWERED = ("ok", "empty", "loop", "truncated")  # the time of any other run is not that of an answer


@dataclass(frozen=True)
class Axis:
    """One quantity that can be drawn; all of them are better when smaller.

    said: a value with its unit. unit: names ``benchmark.unit.<unit>``. of: its value in a row of `Store.points`.
    """

    key: str  # names ``benchmark.axis.<key>``
    said: Callable[[float | None, str], str]
    unit: str
    of: Callable[[dict[str, Any]], float | None]

    def title(self, lang: str) -> str:
        return f"{tr(f'benchmark.axis.{self.key}', lang)}, {tr(f'benchmark.unit.{self.unit}', lang)}"


def _vram(row: dict[str, Any]) -> float | None:
    own: float | None = row["peak_vram_process_mb"]
    return row["peak_vram_device_mb"] if own is None else own


TIMES = {
    "generate_s": Axis("generate_s", timed, "s", lambda row: row["generate_s"]),
    "total_s": Axis("total_s", timed, "s", lambda row: row["total_s"]),
    "first_token_s": Axis("first_token_s", timed, "s", lambda row: row["first_token_s"]),
}
COSTS = {
    "cer": Axis("cer", share, "percent", lambda row: row.get("cer")),
    "wer": Axis("wer", share, "percent", lambda row: row.get("wer")),
    "vram_mb": Axis("vram_mb", sized, "mb", _vram),
    "ram_mb": Axis("ram_mb", sized, "mb", lambda row: row["peak_ram_mb"]),
}
MEMORY = (COSTS["vram_mb"], COSTS["ram_mb"])  # what a circle's size shows: the first that is known


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
    """Everything that is drawn: the models, the quantities across and up, and that of the circles' size."""

    groups: Sequence[Group]
    x: Axis
    y: Axis
    memory: Axis | None

    @property
    def runs(self) -> int:
        return sum(len(group.dots) for group in self.groups)


def picture(rows: Iterable[dict[str, Any]], order: Sequence[str], x: str, y: str) -> Picture:
    """Of the rows of `Store.points` those that answered and have both quantities, by model.

    x is a key of `TIMES`, y one of `COSTS`; `order` lists all models, so that colours do not jump when filtered.
    """
    across, up = TIMES[x], COSTS[y]
    by_model: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["status"] in ANSWERED and across.of(row) is not None and up.of(row) is not None:
            by_model.setdefault(row["model"], []).append(row)
    places = {model: index for index, model in enumerate(dict.fromkeys([*order, *by_model]))}
    every = [row for group in by_model.values() for row in group]
    memory = next((axis for axis in MEMORY if any(axis.of(row) is not None for row in every)), None)

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
    return Picture([group(model, by_model[model]) for model in found], across, up, memory)
