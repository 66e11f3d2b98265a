"""Benchmarks in the background of this program: one at a time, whoever watches; everybody sees the same of it.

What is asked and what was answered lies in the database. So a benchmark outlives the page and the program: one that is
not finished can be gone on with, and is never gone on with by itself.
"""

from __future__ import annotations

import logging
import statistics
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from arena.benchmarks_kept import Benchmark
from arena.cancel import Cancel
from arena.core import Arena
from arena.errors import RunError
from arena.images import Notice
from arena.query import RunQuery
from arena.spec import labelled
from arena.types import Run
from benchmarks.datasets import DatasetError, load_dataset
from benchmarks.metrics import METRICS
from benchmarks.runs.plan import Plan, asks
from benchmarks.runs.runner import Beat, begin, carry_on

Phase = Literal["preparing", "running", "stopping", "done", "stopped", "failed"]
OVER: tuple[Phase, ...] = ("done", "stopped", "failed")
ENOUGH = 50  # newest answers of a model that say how long the next will take
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """What a new benchmark shall ask. dataset: the name of one that comes with the program or lies in the
    data folder. models: as on the command line,
    ``qwen2_vl_2b:8bit``. limit: how many of the items, None for all."""

    dataset: str
    models: tuple[str, ...]
    name: str = ""
    task: str = "ocr"
    repeat: int = 1
    warmup: int = 1
    limit: int | None = None
    cached: bool = False


@dataclass(frozen=True)
class Tally:
    """One model's answers so far. done, total: cells, warm-ups included; all other figures leave warm-ups out.

    statuses: how many ended how. seconds: of every answer, from the request to its end. sums: by metric, the sum of
    its known values and how many there are.
    """

    model: str
    title: str
    total: int
    done: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: tuple[float, ...] = ()
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)

    def plus(self, run: Run) -> Tally:
        """The tally with one more run in it."""
        more = replace(self, done=self.done + 1)
        if run.cell.repeat == 0:
            return more
        took = run.timeline.generate_s
        sums = dict(self.sums)
        for name, value in run.scores.items():
            if value is not None:
                total, count = sums.get(name, (0.0, 0))
                sums[name] = (total + value, count + 1)
        return replace(
            more,
            statuses=self.statuses + Counter([run.status]),
            seconds=self.seconds if took is None else (*self.seconds, took),
            sums=sums,
        )

    @property
    def failed(self) -> int:
        """Answers that are not sound: none, an empty one, one caught in a loop or cut short."""
        return sum(count for status, count in self.statuses.items() if status != "ok")

    @property
    def median_s(self) -> float | None:
        return statistics.median(self.seconds) if self.seconds else None

    def mean(self, metric: str) -> float | None:
        total, count = self.sums.get(metric, (0.0, 0))
        return total / count if count else None


@dataclass(frozen=True)
class Sight:
    """What is to be seen of a benchmark at one moment. done, total: cells of all models; pictures while it prepares.
    left_s: seconds, None while nobody knows. model, item: what is asked now; image_sha256: its picture."""

    phase: Phase
    benchmark_id: str = ""
    name: str = ""
    done: int = 0
    total: int = 0
    left_s: float | None = None
    model: str = ""
    item: str = ""
    image_sha256: str = ""
    note: Notice | None = None
    tallies: tuple[Tally, ...] = ()
    error: RunError | None = None

    @property
    def over(self) -> bool:
        return self.phase in OVER

    @property
    def metrics(self) -> list[str]:
        """Those that have a value for some model, in the order of `METRICS`."""
        return [name for name in METRICS if any(name in tally.sums for tally in self.tallies)]


def label(plan: Plan, model: str) -> str:
    """The model's title with how it runs, as they were when the benchmark began."""
    then = plan.specs.get(model)
    return labelled(then["title"], then["mode"], then["quantization"], then["dtype"]) if then else model


def cells(plan: Plan, items: int) -> int:
    """How many answers the plan asks of so many items, warm-ups included."""
    return len(plan.models) * (items * plan.repeat + min(plan.warmup, items))


class Job:
    """One benchmark under way or over: a new one, or the one with the given id gone on with."""

    def __init__(self, arena: Arena, asked: Wanted | str) -> None:
        self._arena = arena
        self._cancel = Cancel()
        self._lock = threading.Lock()  # protects _sight
        self._sight = Sight("preparing", name=asked.name or asked.dataset if isinstance(asked, Wanted) else "")
        self._images: dict[str, str] = {}
        self._thread = threading.Thread(target=self._work, args=(asked,), daemon=True, name="benchmark")
        self._thread.start()

    @property
    def sight(self) -> Sight:
        with self._lock:
            return self._sight

    def stop(self) -> None:
        """End it soon; what has been answered stays. Returns at once."""
        self._cancel.set()
        with self._lock:
            if not self._sight.over:
                self._sight = replace(self._sight, phase="stopping")

    def join(self, seconds: float) -> bool:
        """Wait until it is over. Returns whether it is."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _see(self, **changes: Any) -> None:
        with self._lock:
            self._sight = replace(self._sight, **changes)

    def _work(self, asked: Wanted | str) -> None:
        try:
            benchmark = self._benchmark(asked)
            letters = self._count(benchmark)
            if not self._cancel.is_set():
                self._see(phase="running")
                with closing(carry_on(self._arena, benchmark.id, self._cancel)) as beats:  # type: ignore[type-var]
                    for beat in beats:
                        self._hear(beat, letters)
            ended = self._arena.benchmarks.get(benchmark.id)
            self._see(phase="done" if ended and ended.state == "done" else "stopped")
        except RunError as error:
            self._see(**({"phase": "stopped"} if error.kind == "cancelled" else {"phase": "failed", "error": error}))
        except DatasetError as error:
            told = RunError("bad_input", str(error), key=f"datasets.{error.key}", **error.params)
            self._see(phase="failed", error=told)
        except Exception:
            log.exception("a benchmark ended by a fault of the program")
            self._see(phase="failed", error=RunError("storage", key="bench_panel.fault"))

    def _benchmark(self, asked: Wanted | str) -> Benchmark:
        """What is to be filled, written down. Raises `RunError` or `DatasetError`."""
        if isinstance(asked, Wanted):
            plan = begin(
                self._arena,
                load_dataset(asked.dataset, limit=asked.limit, folders=[self._arena.settings.datasets]),
                asked.models,
                name=asked.name,
                task=asked.task,
                repeat=asked.repeat,
                warmup=asked.warmup,
                cached=asked.cached,
                cancel=self._cancel,
                told=lambda done, total: self._see(done=done, total=total),
            )
            asked = plan.id
        benchmark = self._arena.benchmarks.get(asked)
        if benchmark is None:
            raise RunError("bad_input", key="bench_panel.gone")
        return benchmark

    def _count(self, benchmark: Benchmark) -> dict[str, int]:
        """Set the tallies out, with what was answered before. Returns the place of each side's tally."""
        plan = Plan.from_dict(benchmark.plan)
        self._images = {item.item: item.image_sha256 for item in self._arena.benchmarks.items(benchmark.id)}
        each = Counter(ask.model for ask in asks(plan, self._images))
        tallies = [Tally(model, label(plan, model), each[model]) for model in plan.models]
        letters = {plan.side(model): at for at, model in enumerate(plan.models)}
        with closing(self._arena.store.iterate(RunQuery(benchmark_id=benchmark.id))) as runs:
            for run in runs:
                at = letters[run.side]
                tallies[at] = tallies[at].plus(run)
        done, total = (sum(getattr(tally, name) for tally in tallies) for name in ("done", "total"))
        name = benchmark.name or benchmark.dataset
        self._see(benchmark_id=benchmark.id, name=name, done=done, total=total, tallies=tuple(tallies))
        return letters

    def _hear(self, beat: Beat, letters: dict[str, int]) -> None:
        tallies = list(self.sight.tallies)
        if beat.run:
            at = letters[beat.run.side]
            tallies[at] = tallies[at].plus(beat.run)
        self._see(
            done=beat.done,
            total=beat.total,
            left_s=beat.left_s,
            model=beat.model,
            item=beat.item,
            image_sha256=self._images.get(beat.item, ""),
            note=beat.note,
            tallies=tuple(tallies),
        )


def estimate(arena: Arena, models: Sequence[str], task: str, answers: int) -> tuple[float, list[str]]:
    """Seconds that so many answers of each model will take, loading included, and the models of which nobody knows,
    which are left out. From the newest answers of the same model, set the same way, to the same task.

    Raises `RunError`."""
    seconds, unknown = 0.0, []
    for name in models:
        spec = arena.catalog.find(name)
        points = arena.store.points(RunQuery(models=(spec.id,), tasks=(task,), statuses=("ok",)), ENOUGH)
        alike = [each for each in points if (each["mode"], each["quantization"]) == (spec.mode, spec.quantization)]
        took = [each["generate_s"] for each in alike if each["generate_s"] is not None]
        loads = [each["load_s"] for each in alike if each["load_s"] is not None]
        if took:
            seconds += statistics.median(took) * answers + (statistics.median(loads) if loads else 0)
        else:
            unknown.append(spec.label)
    return seconds, unknown


class BenchJobs:
    """The benchmark of this program that is under way, or was the last to be."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._job: Job | None = None
        self._lock = threading.Lock()  # protects _job: two visitors must not start two
        arena.before_close.append(self.close)

    @property
    def sight(self) -> Sight | None:
        """Of the benchmark under way or the last one, None while there was none."""
        return self._job.sight if self._job else None

    def start(self, asked: Wanted | str) -> Job:
        """Begin a benchmark, or go on with the one of that id. Raises `RunError` (``busy``) while one is under way."""
        with self._lock:
            if self._job and not self._job.sight.over:
                raise RunError("busy", key="bench_panel.busy", name=self._job.sight.name)
            self._job = Job(self._arena, asked)
            return self._job

    def stop(self) -> None:
        if self._job:
            self._job.stop()

    def under_way(self, benchmark_id: str) -> bool:
        """Whether this very benchmark is being filled."""
        sight = self.sight
        return bool(sight and sight.benchmark_id == benchmark_id and not sight.over)

    def dismiss(self) -> None:
        """Nothing more is said of a benchmark that is over."""
        with self._lock:
            if self._job and self._job.sight.over:
                self._job = None

    def close(self, patience_s: float = 15.0) -> None:
        """End the one under way before what it works with is closed."""
        if self._job:
            self._job.stop()
            if not self._job.join(patience_s):
                log.warning("a benchmark did not end in %.0f s", patience_s)
