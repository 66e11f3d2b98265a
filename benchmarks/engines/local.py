"""This machine fills the cells, one after the other, through the same queue as everybody else who asks here.

The device is leased for each answer and given back, so that the page and the API are served in between; the model
stays loaded unless somebody asked for another one.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from arena.benchmarks_kept import Claims, KeptItem
from arena.cancel import Cancel
from arena.catalog import ModelSpec
from arena.compare import Request, Side, answer
from arena.core import Arena
from arena.errors import RunError
from arena.images import Notice
from arena.record import Answer, record
from arena.types import Cell, Delta, Progress, Run
from benchmarks.engines import Waiting
from benchmarks.metrics.truth import Truth
from benchmarks.runs.cached import Earlier
from benchmarks.runs.plan import Ask, Plan

BUSY_S = 0.25  # before asking again for a place in a queue that is full
# A model that could not be brought up for one item cannot be for the next; after anything else it is tried once more.
HOPELESS = {"unavailable", "start_failed", "start_timeout", "vram_not_released"}
TRIES = 2


class Local:
    """An `Engine`; see `benchmarks.engines`."""

    def fill(
        self, arena: Arena, plan: Plan, items: Mapping[str, KeptItem], asks: Sequence[Ask], cancel: Cancel
    ) -> Iterator[Run | Waiting]:
        """What another program is at is left to it, and looked at once more at the end."""
        with arena.benchmarks.claiming(plan.id) as claims:
            left = asks
            while left and not cancel.is_set():
                others: list[Ask] = []
                models = list(dict.fromkeys(ask.model for ask in left))
                for model, following in zip(models, [*models[1:], None], strict=True):
                    mine = [ask for ask in left if ask.model == model]
                    yield from one_model(arena, plan, items, mine, following, cancel, claims, others)
                if left := others:
                    yield Waiting(left[0].model, left[0].item)
                    time.sleep(BUSY_S)


def one_model(
    arena: Arena,
    plan: Plan,
    items: Mapping[str, KeptItem],
    asks: Sequence[Ask],
    following: str | None,
    cancel: Cancel,
    claims: Claims,
    others: list[Ask],
) -> Iterator[Run | Waiting]:
    """All cells of one model; while it answers the last one, the worker of the following model is prepared.

    A model that could not be brought up is not tried again: the rest of its cells say so. others: gets the cells that
    another program is at."""
    spec = plan.spec(arena.catalog, asks[0].model)
    then = plan.spec(arena.catalog, following) if following else None
    slot, earlier = arena.slots.for_(spec), Earlier(arena, plan, asks[0].model)
    failures, hopeless = 0, None
    for ask in asks:
        if cancel.is_set() or slot.closed:
            return
        with claims.on(ask.place) as ours:
            if not ours:
                others.append(ask)
                continue
            if arena.benchmarks.is_filled(plan.id, ask.place):
                continue  # by another program
            item = items[ask.item]
            if copied := earlier.answer(ask, item):
                yield copied
                continue
            request = question(arena, plan, ask, item)
            if error := unanswerable(spec, request, item) or hopeless:
                yield not_asked(arena, plan, ask, request, item, error)
                continue
            for event in answered(arena, plan, ask, request, then if ask is asks[-1] else None, cancel):
                yield event
                if isinstance(event, Run):
                    earlier.learn(event)
                    failures = failures + 1 if never_up(event) else 0
                    if event.error_kind and failures and (event.error_kind in HOPELESS or failures == TRIES):
                        hopeless = RunError(event.error_kind, key="bench.not_tried", why=event.error_detail)


def answered(
    arena: Arena, plan: Plan, ask: Ask, request: Request, following: ModelSpec | None, cancel: Cancel
) -> Iterator[Run | Waiting]:
    """Signs of life, then the cell's run; no run when it was stopped."""
    (side,) = request.sides
    slot = arena.slots.for_(side.spec)
    while not cancel.is_set():
        for event in answer(arena, request, plan.order(ask.model), side, following, cancel):
            if not isinstance(event, Run):
                yield Waiting(ask.model, ask.item, note_of(event))
            elif event.error_kind != "busy":
                if event.error_kind is None or not (cancel.is_set() or slot.closed):
                    yield event
                return
        yield Waiting(ask.model, ask.item, Notice("stages.queued"))
        time.sleep(BUSY_S)


def not_asked(arena: Arena, plan: Plan, ask: Ask, request: Request, item: KeptItem, error: RunError) -> Run:
    """The cell's run, saved, where the model is not even tried."""
    (side,) = request.sides
    lease = arena.slots.for_(side.spec).lease(side.spec, Cancel())
    run = record(arena, request, plan.order(ask.model), ask.side, side, lease, Answer(error=error))
    return arena.save(replace(run, image_sha256=item.image_sha256 or None))


def question(arena: Arena, plan: Plan, ask: Ask, item: KeptItem) -> Request:
    """What `compare` would be asked for this cell."""
    spec = plan.spec(arena.catalog, ask.model)
    side = Side(spec, plan.params_for(spec, ask.repeat))
    image = arena.images.get(item.image_sha256)
    if image and item.original_width and item.original_height:
        image = replace(image, original_width=item.original_width, original_height=item.original_height)
    return Request(
        sides=(side,),
        image=image,
        task=arena.catalog.task(item.task),
        prompt=item.prompt,
        language=item.language,
        truth=Truth.from_dict(item.truth),
        anyway=plan.anyway,
        cell=Cell(plan.id, item.item, ask.repeat, platform.node()),
        seconds=plan.item_seconds,
        comparison_id=plan.comparison(item.item, ask.repeat),
    )


def unanswerable(spec: ModelSpec, request: Request, item: KeptItem) -> RunError | None:
    """Why no model, or not this one, can be asked."""
    if item.error:
        return RunError("bad_input", item.error)
    if request.image is None:
        return RunError("bad_input", key="bench.image_gone")
    if item.task not in spec.tasks:
        return RunError("bad_input", key="models.no_task", model=spec.id, task=item.task)
    return None


def never_up(run: Run) -> bool:
    """Whether the model could not even be asked."""
    return run.error_kind not in (None, "bad_input") and run.timeline.generate_s is None


def note_of(event: Progress | Delta) -> Notice:
    return Notice("stages.generating" if isinstance(event, Delta) else f"stages.{event.stage}")
