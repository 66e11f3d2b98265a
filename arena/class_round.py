"""One comparison before a class: what it must be, in which phase its vote is, and who has voted how."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from arena.votes import Outcome, Vote

# running: there is no second answer to judge yet. void: it ended without one.
Phase = Literal["none", "running", "open", "paused", "closed", "void"]


class Work(Protocol):
    """A comparison under way. request: an `arena.compare.Request`. views: of its two sides, each with its text so far,
    its place in the queue and at last its run. version: grows with whatever happens."""

    request: Any
    views: Any
    version: int

    @property
    def done(self) -> bool: ...
    def join(self) -> None: ...
    def stop(self) -> None: ...


@dataclass
class Round:
    """One comparison before the class. votes: the one that counts of each visitor."""

    work: Work
    blind: bool
    votes: dict[str, Vote] = field(default_factory=dict)
    closed: bool = False
    revealed: bool = False

    @property
    def id(self) -> str:
        return str(self.work.request.comparison_id)

    @property
    def judged(self) -> bool:
        """Whether there are two answers to judge, or the beginning of the second."""
        return all(view.text.strip() for view in self.work.views)


def phase_of(now: Round, *, paused: bool) -> Phase:
    if not now.judged:
        return "void" if now.work.done else "running"
    if now.closed:
        return "closed"
    return "paused" if paused else "open"


def position_of(work: Work) -> int | None:
    """Its place in the queue of the device, None for one that is served."""
    return next((view.position for view in work.views if view.run is None), None)


def run_ids(work: Work) -> tuple[str, str]:
    """Of A and B, "" for one that has not ended."""
    one, two = (view.run.run_id if view.run else "" for view in work.views)
    return one, two


def vote_on(work: Work, visitor: str, outcome: Outcome, name: str) -> Vote:
    asked = work.request
    run_a, run_b = run_ids(work)
    model_a, model_b = (side.spec.id for side in asked.sides)
    return Vote(
        comparison_id=asked.comparison_id,
        run_a=run_a,
        run_b=run_b,
        model_a=model_a,
        model_b=model_b,
        task=asked.task.id,
        outcome=outcome,
        language=asked.language,
        source="class",
        visitor=visitor,
        name=name,
    )
