"""The objective board: what the stored runs say of each model, with no opinion in it, so never mixed with the ratings.

The database filters and hands over the few columns that are needed; the medians are taken here, for SQLite has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, func, select

from arena.spec import labelled
from arena.store import Store
from arena.tables import RUN, RUN_COUNT, SCORE
from arena.types import Status
from benchmarks.metrics import METRICS

ANSWERED = ("ok", "empty", "loop", "truncated")  # the time of any other run is not that of an answer
STATUSES = get_args(Status)
FAILED = ("timeout", "oom", "error")
FLAWED = ("empty", "loop", "truncated")
SCORES = ("cer", "wer")
VARIANT = ("model", "mode", "quantization", "dtype")
FIGURES = (
    "cold",
    "load_s",
    "first_token_s",
    "generate_s",
    "tokens_per_s",
    "characters_per_s",
    "peak_ram_mb",
    "peak_vram_process_mb",
    "peak_vram_device_mb",
)
Numbers = NDArray[np.float64]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Pace:
    """Medians over the answers of runs that were all cold or all warm; None where nothing measured it.

    first_token_s, generate_s: seconds. tokens_per_s, characters_per_s: of the whole answer.
    """

    runs: int
    first_token_s: float | None
    generate_s: float | None
    tokens_per_s: float | None
    characters_per_s: float | None


@dataclass(frozen=True)
class Line:
    """One model the way it ran. runs: all that were not stopped. failed, flawed: shares of them; a flawed answer is
    empty, caught in a loop or cut short. scored: answers with a reference, cer and wer their medians. load_s: median
    over cold runs. Memory in MiB: median of the runs' peaks.
    """

    model: str
    label: str
    runs: int
    failed: float
    flawed: float
    scored: int
    cer: float | None
    wer: float | None
    warm: Pace
    cold: Pace
    load_s: float | None
    peak_vram_mb: float | None
    peak_ram_mb: float | None
    others: Mapping[str, float] = field(default_factory=dict)  # medians of the further scores, in the order of METRICS

    @property
    def scores(self) -> dict[str, float]:
        """The medians of all metrics that are known, by name."""
        own = {"cer": self.cer, "wer": self.wer}
        return {name: value for name, value in own.items() if value is not None} | dict(self.others)

    @property
    def generate_s(self) -> float | None:
        """Of warm runs, where there are any, else of cold ones; loading is in neither."""
        return self.cold.generate_s if self.warm.generate_s is None else self.warm.generate_s


def board(store: Store, task: str = "", language: str = "") -> list[Line]:
    """Every model that has runs, by its id; an empty filter lets everything through.

    Raises `RunError` (``storage``)."""
    kinds: dict[tuple[str, ...], int] = {}  # model, mode, quantization and dtype
    titles: dict[int, str] = {}
    parts: list[Numbers] = []
    with (
        store.reading() as connection,
        connection.execute(_reading(task, language), execution_options={"yield_per": 5000}) as rows,
    ):
        for some in rows.partitions():
            columns = list(zip(*some, strict=True))
            kind = [kinds.setdefault(each, len(kinds)) for each in zip(*columns[: len(VARIANT)], strict=True)]
            title, status, *figures = columns[len(VARIANT) :]
            titles.update(zip(kind, title, strict=True))
            # None becomes NaN.
            parts.append(np.array([kind, [STATUSES.index(each) for each in status], *figures], dtype=float))
    table = np.concatenate(parts, axis=1) if parts else np.empty((2 + len(FIGURES) + len(SCORES), 0))
    others = _others(store, task, language)
    lines = ((variant, _line(variant, titles[kind], table[1:, table[0] == kind])) for variant, kind in kinds.items())
    return [replace(line, others=others.get(variant, {})) for variant, line in sorted(lines)]


def _reading(task: str, language: str) -> Select[Any]:
    scores = (
        select(SCORE.c.value).where(SCORE.c.run_seq == RUN.c.seq, SCORE.c.metric == metric).scalar_subquery()
        for metric in SCORES
    )
    chosen = select(*(RUN.c[name] for name in (*VARIANT, "title", "status", *FIGURES)), *scores)
    return _filtered(chosen.where(RUN.c.status != "cancelled"), task, language)


def _others(store: Store, task: str, language: str) -> dict[tuple[str, ...], dict[str, float]]:
    """The medians of the scores but for `SCORES`, for each way a model ran."""
    chosen = select(*(RUN.c[name] for name in VARIANT), SCORE.c.metric, SCORE.c.value)
    chosen = chosen.join_from(SCORE, RUN, SCORE.c.run_seq == RUN.c.seq)
    chosen = chosen.where(SCORE.c.metric.not_in(SCORES), SCORE.c.value.is_not(None), RUN.c.status.in_(ANSWERED))
    values: dict[tuple[str, ...], dict[str, list[float]]] = {}
    with store.reading() as connection:
        for *variant, metric, value in connection.execute(_filtered(chosen, task, language)):
            values.setdefault(tuple(variant), {}).setdefault(metric, []).append(value)
    return {
        variant: {name: float(np.median(found[name])) for name in METRICS if name in found}
        for variant, found in values.items()
    }


def _filtered(chosen: Select[Any], task: str, language: str) -> Select[Any]:
    for name, value in (("task", task), ("language", language)):
        if value:
            chosen = chosen.where(RUN.c[name] == value)
    return chosen


def stamp(store: Store) -> tuple[Any, ...]:
    """Equal as long as no run came and none was deleted."""
    with store.reading() as connection:
        return tuple(
            connection.execute(select(func.sum(RUN_COUNT.c.runs), select(func.max(RUN.c.seq)).scalar_subquery())).one()
        )


def undominated(points: Sequence[tuple[Found, float, float]]) -> list[Found]:
    """Those than which no other is smaller in one quantity and no larger in the other, from left to right.

    >>> undominated([("slow", 9, 1), ("worse", 9, 2), ("quick", 1, 5), ("same", 1, 5)])
    ['quick', 'same', 'slow']
    """
    front: list[tuple[Found, float, float]] = []
    for point in sorted(points, key=lambda point: point[1:]):
        if not front or point[2] < front[-1][2] or point[1:] == front[-1][1:]:
            front.append(point)
    return [name for name, _, _ in front]


def _line(variant: tuple[str, ...], title: str, table: Numbers) -> Line:
    """table: the status as its place in `STATUSES`, then the figures and scores, ``(columns, runs)``."""
    model, mode, quantization, dtype = variant
    status, figures = table[0], dict(zip((*FIGURES, *SCORES), table[1:], strict=True))
    answered, cold = _is(status, ANSWERED), figures["cold"]
    own = figures["peak_vram_process_mb"]

    def median(name: str, which: NDArray[np.bool_]) -> float | None:
        return _median(figures[name][which])

    def pace(which: NDArray[np.bool_]) -> Pace:
        return Pace(
            runs=int(which.sum()),
            first_token_s=median("first_token_s", which),
            generate_s=median("generate_s", which),
            tokens_per_s=median("tokens_per_s", which),
            characters_per_s=median("characters_per_s", which),
        )

    return Line(
        model=model,
        label=labelled(title, mode, quantization, dtype),
        runs=len(status),
        failed=float(_is(status, FAILED).mean()),
        flawed=float(_is(status, FLAWED).mean()),
        scored=int((~np.isnan(figures["cer"][answered])).sum()),
        cer=median("cer", answered),
        wer=median("wer", answered),
        warm=pace(answered & (cold == 0)),
        cold=pace(answered & (cold == 1)),
        load_s=median("load_s", cold == 1),
        peak_vram_mb=_median(np.where(np.isnan(own), figures["peak_vram_device_mb"], own)),
        peak_ram_mb=_median(figures["peak_ram_mb"]),
    )


def _is(status: Numbers, among: Sequence[str]) -> NDArray[np.bool_]:
    return np.isin(status, [STATUSES.index(name) for name in among])


def _median(values: Numbers) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None
