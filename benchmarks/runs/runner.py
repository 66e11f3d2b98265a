"""A benchmark from its beginning to its last cell, through whatever stops it in between.

What is done is what stands in the table of runs, and nothing else is written down about it: so a program that was
ended at any moment goes on where it was, and two programs that fill one benchmark fill every cell once.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from arena.benchmarks_kept import Benchmark, KeptItem
from arena.cancel import Cancel
from arena.catalog import Task
from arena.config import VERSION
from arena.core import Arena
from arena.errors import RunError
from arena.images import Notice, StoredImage
from arena.record import new_id
from arena.types import Run
from benchmarks.datasets import Dataset, Item, sha256
from benchmarks.engines import Engine, Waiting
from benchmarks.engines.local import Local
from benchmarks.runs.checks import checked_models, checked_param, checked_tasks
from benchmarks.runs.pace import Pace
from benchmarks.runs.plan import Ask, Plan, asks, facts


@dataclass(frozen=True)
class Beat:
    """A sign of life of a benchmark.

    done, total: cells, warm-ups among them. left_s: seconds until the last one, None while nobody knows. model, item:
    what is worked at. run: the cell that was filled just now. note: what is done meanwhile.
    """

    done: int
    total: int
    left_s: float | None = None
    model: str = ""
    item: str = ""
    run: Run | None = None
    note: Notice | None = None


def begin(
    arena: Arena,
    dataset: Dataset,
    models: Sequence[str],
    *,
    name: str = "",
    task: str = "ocr",
    repeat: int = 1,
    warmup: int = 1,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    item_seconds: float | None = None,
    cached: bool = False,
    anyway: bool = False,
    prompts: Mapping[str, str] | None = None,
    cancel: Cancel | None = None,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Plan:
    """Check everything, keep the images, write the benchmark down; nothing is asked yet.

    anyway: also of models that cannot run here or are estimated not to fit. prompts: by item, instead of the task's.
    told: how many of the images are kept. Raises `RunError` saying what is wrong, and then nothing was written.
    """
    specs = checked_models(arena, models, anyway=anyway)
    tasks = checked_tasks(arena, dataset, task, specs)
    if not 1 <= repeat <= 1000 or not 0 <= warmup <= 1000 or not (item_seconds is None or item_seconds > 0):
        raise RunError("bad_input", key="bench.bad_number")
    for given, value in (params or {}).items():
        checked_param(specs, given, value)
    kept = []
    for position, item in enumerate(dataset.items):
        if cancel and cancel.is_set():
            raise RunError("cancelled", "stopped by the user")
        kept.append(keep(arena, item, tasks[item.task or task], position, (prompts or {}).get(item.id)))
        told(position + 1, len(dataset.items))
    plan = Plan(
        id=new_id(),
        name=name or dataset.name,
        dataset=dataset.name,
        dataset_sha256=sha256(dataset),
        models=tuple(models),
        task=task,
        repeat=repeat,
        warmup=warmup,
        seed=seed,
        params=dict(params or {}),
        item_seconds=item_seconds,
        cached=cached,
        anyway=anyway,
        specs={model: facts(spec) for model, spec in zip(models, specs, strict=True)},
        versions=program(arena),
    )
    arena.benchmarks.begin(Benchmark(plan.id, plan.name, plan.dataset, plan.dataset_sha256, plan.to_dict()), kept)
    return plan


def plan_of(arena: Arena, benchmark_id: str) -> Plan:
    """Raises `RunError` (``bad_input``) when there is no such benchmark."""
    kept = arena.benchmarks.get(benchmark_id)
    if kept is None:
        raise RunError("bad_input", key="bench.unknown", id=benchmark_id[:80])
    return Plan.from_dict(kept.plan)


def carry_on(arena: Arena, benchmark_id: str, cancel: Cancel, engine: Engine | None = None) -> Iterator[Beat]:
    """Fill what is not filled. Ends with the benchmark's state ``done``, or ``stopped`` when cancelled or closed.

    Yields at least twice a second. Raises `RunError` when there is no such benchmark, the catalogue has one of its
    models no more, none of its images is on this machine, or the database fails.
    """
    plan = plan_of(arena, benchmark_id)
    items = {item.item: item for item in arena.benchmarks.items(benchmark_id)}
    every = asks(plan, items)
    filled = arena.benchmarks.filled(benchmark_id)
    left = [ask for ask in every if ask.place not in filled]
    for model in {ask.model for ask in left}:
        plan.spec(arena.catalog, model)  # raises before anything is asked
    shown = (items[ask.item].image_sha256 for ask in left)
    if left and not any(not sha256 or arena.images.get(sha256) for sha256 in shown):
        raise RunError("bad_input", key="bench.images_elsewhere", folder=arena.images.folder)
    arena.benchmarks.turn(benchmark_id, "running")
    try:
        yield Beat(len(every) - len(left), len(every))
        yield from _filled(arena, plan, items, left, len(every), cancel, engine or Local())
    finally:
        # Asked again: another program may have filled some, and a full disk may have refused others.
        missing = {ask.place for ask in every} - arena.benchmarks.filled(benchmark_id)
        arena.benchmarks.turn(benchmark_id, "stopped" if missing else "done")


def _filled(
    arena: Arena,
    plan: Plan,
    items: Mapping[str, KeptItem],
    left: Sequence[Ask],
    total: int,
    cancel: Cancel,
    engine: Engine,
) -> Iterator[Beat]:
    done, pace = total - len(left), Pace(ask.model for ask in left)
    models = {plan.side(model): model for model in plan.models}
    with closing(engine.fill(arena, plan, items, left, cancel)) as events:  # type: ignore[type-var]
        for event in events:
            if isinstance(event, Waiting):
                yield Beat(done, total, pace.left_s(event.model), event.model, event.item, note=event.note)
                continue
            done += 1
            model = models[event.side]
            pace.add(model, event.timeline.generate_s)
            yield Beat(done, total, pace.left_s(model), model, event.cell.item or "", event)


def keep(arena: Arena, item: Item, task: Task, position: int, prompt: str | None = None) -> KeptItem:
    """The item as it will be asked; one whose image cannot be read says why. Raises `RunError` (``storage``)."""
    image: StoredImage | None = None
    error = ""
    try:
        image = arena.images.add(item.image, item.page)
    except RunError as failure:
        if failure.kind != "bad_input":
            raise
        error = failure.detail
    return KeptItem(
        item=item.id,
        position=position,
        task=task.id,
        language=item.language,
        prompt=prompt if prompt is not None else item.prompt or task.prompt_for(item.language),
        truth=item.truth.to_dict(),
        tags=dict(item.tags),
        image_sha256=image.sha256 if image else "",
        error=error,
        original_width=image.original_width if image else None,
        original_height=image.original_height if image else None,
    )


def program(arena: Arena) -> dict[str, Any]:
    """What runs the benchmark, besides the models' libraries, which each run names."""
    gpu = next(iter(arena.gpus.devices()), None)
    return {
        "program": VERSION,
        "commit": arena.commit,
        "python": platform.python_version(),
        "host": platform.node(),
        "device": gpu.name if gpu else arena.cpu,
        "driver": gpu.driver if gpu else None,
    }
