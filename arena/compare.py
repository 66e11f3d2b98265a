"""The main loop: one image through two models, one after the other, each answer a run, each run a row.

`compare` reads as the story: wait for the device, take the model before down and prove its memory back, bring this
one up, let it answer while a meter watches, score, save, show. The page, the command line, the API and the
benchmarks all call it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.base import Job, Output, adapter_class
from arena.advice import OutOfMemory, smaller
from arena.cancel import Cancel
from arena.catalog import ModelSpec, Task
from arena.core import Arena
from arena.errors import RunError
from arena.images import StoredImage
from arena.meter import watch
from arena.record import Answer, new_id, record
from arena.score import is_loop
from arena.slot import Lease
from arena.stop_strings import StopStrings
from arena.types import ALONE, Cell, Delta, Event, Progress, Run
from benchmarks.metrics.truth import Truth

HEARTBEAT = 0.5  # seconds between two events while a model is silent
LOOP_CHECK = 400  # characters between two looks for an endless repetition


@dataclass(frozen=True)
class Side:
    """One contestant: a model and its generation parameters. The same model may stand on both sides."""

    spec: ModelSpec
    params: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What a comparison asks: the sides in the order they run, and what every one of them gets.

    image: None for a conversation about nothing shown. language: of the document, ISO 639-1 or "". reference: the right
    answer, if it is known. anyway: try also a model that is estimated not to fit. visitor: who asked on
    the page, "" elsewhere. letters: of the sides, where they are not A, B, … in the order they run. truth: all that is
    known of the right answer, where that is more than the text in `reference`. cell: of a benchmark, the place that the
    run takes in it. seconds: the most that an answer may take, None for what the settings say.
    """

    sides: tuple[Side, ...]
    image: StoredImage | None
    task: Task
    prompt: str
    language: str = ""
    reference: str | None = None
    anyway: bool = False
    visitor: str = ""
    letters: str = ""
    truth: Truth | None = None
    cell: Cell = ALONE
    seconds: float | None = None
    comparison_id: str = field(default_factory=lambda: new_id())

    @property
    def known(self) -> Truth | None:
        return self.truth or (Truth(text=self.reference) if self.reference else None)

    def letter(self, order: int) -> str:
        return self.letters[order] if self.letters else letter_of(order)


def compare(arena: Arena, request: Request, cancel: Cancel | None = None) -> Iterator[Event]:
    """Run every side of the request, one after the other; a failed one never stops the next.

    Yields `Progress` and `Delta` as they come, at least twice a second while a model works, and one `Run` a side,
    saved before it is yielded. Never raises for a model's fault: that is a run with a status. Closing the iterator
    stops the model and records the run as cancelled.
    """
    cancel = cancel or Cancel()
    begin(arena, request)
    for order, side in enumerate(request.sides):
        following = request.sides[order + 1].spec if order + 1 < len(request.sides) else None
        yield from answer(arena, request, order, side, following, cancel)


def begin(arena: Arena, request: Request) -> None:
    """Write down whose the comparison is."""
    if request.visitor:
        with contextlib.suppress(RunError):  # each run will say that it could not be kept
            arena.comparisons.begin(request.comparison_id, request.visitor)


def answer(
    arena: Arena, request: Request, order: int, side: Side, following: ModelSpec | None, cancel: Cancel
) -> Iterator[Event]:
    """One side's events and, last, its run."""
    letter = request.letter(order)
    slot = arena.slots.for_(side.spec)
    lease = slot.lease(side.spec, cancel)
    got = Answer()
    try:
        with lease, watch(lease.pids, arena.gpus, slot.device_index) as meter:
            try:
                if request.image is None and adapter_class(side.spec.adapter).needs_image:
                    raise RunError("bad_input", key="api.needs_image", model=side.spec.id)
                arena.check(side.spec, anyway=request.anyway)
                for waiting in lease.acquire():
                    sign = waiting.sign
                    yield Progress(letter, waiting.stage, waiting.seconds, waiting.position, sign.phase, sign.log)
                if following and arena.settings.prepare:
                    arena.slots.for_(following).prepare(following)
                meter.count_energy()
                yield from generate(lease, job_of(request, side), letter, got, request.seconds)
            except RunError as error:
                got.error = error
                if error.kind == "out_of_memory":
                    got.error = OutOfMemory(error, smaller(side.spec, arena.catalog, arena.gpus))
            finally:
                got.ended = time.monotonic()
                got.energy_j = meter.energy_j()
        got.memory = meter.memory()
    except GeneratorExit:
        got.error = RunError("cancelled", "whoever asked has left")
        keep(arena, record(arena, request, order, letter, side, lease, got))
        raise
    stopped = cancel.is_set() or slot.closed
    yield keep(arena, record(arena, request, order, letter, side, lease, got), stopped=stopped)


def keep(arena: Arena, run: Run, *, stopped: bool = True) -> Run:
    """Save the run; but a benchmark's cell stays open when its answer was stopped or not even let into the queue."""
    unasked = run.error_kind == "busy" or (stopped and run.error_kind is not None)
    return run if unasked and run.cell.benchmark_id else arena.save(run)


def generate(lease: Lease, job: Job, letter: str, got: Answer, seconds: float | None = None) -> Iterator[Event]:
    """The answer as it comes, written down in `got`: its text, its times, the whole output.

    seconds: the most that it may take, None for what the settings say. It ends before the first of the strings in the
    parameter ``stop``, which is ours and no adapter's.
    """
    got.asked = said = time.monotonic()
    unchecked = 0
    yield Progress(letter, "generating", 0.0)
    stop = StopStrings(job.params.get("stop") or ())
    pieces = lease.predict(job, seconds)
    for piece in pieces:
        now = time.monotonic()
        text = stop.rest() if isinstance(piece, Output) else stop.add(piece or "")
        if text:
            got.add(text, now)
            yield Delta(letter, text)
            said = now
            unchecked += len(text)
        if isinstance(piece, Output):
            got.output, got.answered = piece, now
        elif stop.ended:
            pieces.close()  # type: ignore[attr-defined]
            got.output, got.answered = Output(got.text), now
            return
        elif unchecked > LOOP_CHECK:
            unchecked = 0
            if is_loop(got.text):
                got.looped, got.answered = True, now
                pieces.close()  # type: ignore[attr-defined]
                return
        elif now - said >= HEARTBEAT:
            said = now
            yield Progress(letter, "generating", now - got.asked)


def job_of(request: Request, side: Side) -> Job:
    """What the model is given; the same image, prompt and task for every side."""
    return Job(
        image=str(request.image.path) if request.image else "",
        prompt=request.prompt,
        task=request.task.known_as,
        language=request.language,
        params={**side.spec.params, **side.params},
    )


def letter_of(order: int) -> str:
    """A for the first side, B for the second, … AA for the twenty-seventh."""
    further, place = divmod(order, 26)
    return (letter_of(further - 1) if further else "") + chr(ord("A") + place)
