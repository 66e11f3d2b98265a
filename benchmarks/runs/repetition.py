"""One row of a benchmark once more, with the same settings, and what differed: answer, scores, times, versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from arena.cancel import Cancel
from arena.compare import Request, compare
from arena.core import Arena
from arena.errors import RunError
from arena.rerun import Outcome, again, reproduces
from arena.types import Event, Run
from benchmarks.metrics.truth import Truth
from benchmarks.runs.runner import plan_of


@dataclass(frozen=True)
class Repetition:
    """A row before and after. outcome: see `arena.rerun`. scores: before and after, by metric, of those that differ."""

    outcome: Outcome
    scores: dict[str, tuple[float | None, float | None]]

    @property
    def same(self) -> bool:
        """Whether the answer came out the same, and with it its scores."""
        return self.outcome.same and not self.scores

    @property
    def ratios(self) -> dict[str, float]:
        """The times as multiples of those before."""
        return {name: after / before for name, before, after in self.outcome.times if before and after is not None}

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        found = self.outcome
        return {
            "run_id": found.before.run_id,
            "again": found.after.run_id,
            "model": found.after.model,
            "item": found.before.cell.item,
            "same": self.same,
            "edits": found.edits,
            "places": [asdict(place) for place in found.places],
            "scores": {name: {"before": one, "after": other} for name, (one, other) in self.scores.items()},
            "times": {name: {"before": one, "after": other} for name, one, other in found.times},
            "ratios": self.ratios,
            "changes": [asdict(change) for change in found.changes],
        }


def request_of(arena: Arena, before: Run) -> Request:
    """What the row asked. A warm answer is asked for twice, for the first one now may be cold.

    Raises `RunError` (``bad_input``) saying what is no longer there."""
    request = again(arena, before.run_id)
    truth, seconds, anyway = request.truth, None, False
    if before.cell.benchmark_id and arena.benchmarks.get(before.cell.benchmark_id):
        plan = plan_of(arena, before.cell.benchmark_id)
        seconds, anyway = plan.item_seconds, plan.anyway
        kept = (item for item in arena.benchmarks.items(plan.id) if item.item == before.cell.item)
        truth = next((Truth.from_dict(item.truth) for item in kept), truth)
    sides = request.sides * (2 if before.timeline.cold is False else 1)
    return replace(request, sides=sides, truth=truth, seconds=seconds, anyway=anyway)


def repeat(arena: Arena, run_id: str, cancel: Cancel) -> Iterator[Event | Repetition]:
    """Ask it again: the events of the answer, then what differed, unless it was stopped.

    Raises `RunError` (``bad_input``) when there is no such run, or not all that it needs."""
    before = arena.store.get(run_id)
    if before is None:
        raise RunError("bad_input", key="report.unknown", name=run_id[:80])
    after: Run | None = None
    for event in compare(arena, request_of(arena, before), cancel):
        yield event
        after = event if isinstance(event, Run) else after
    if after is None or cancel.is_set():
        return
    (outcome,) = reproduces([before], [after])
    names = sorted({*before.scores, *after.scores})
    pairs = {name: (before.scores.get(name), after.scores.get(name)) for name in names}
    yield Repetition(outcome, {name: pair for name, pair in pairs.items() if pair[0] != pair[1]})
