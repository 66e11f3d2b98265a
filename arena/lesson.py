"""A class before one machine: what pupils may do, the comparison they look at together and vote on, and the lesson.

One `Classroom` a program. Whatever a teacher or a pupil does comes here from many threads at once; the votes that count
are in the database before anybody is told so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import update

from arena.class_round import Phase, Round, Work, phase_of, position_of, run_ids, vote_on
from arena.errors import RunError
from arena.lesson_steps import steps
from arena.store import Store
from arena.votes import OUTCOMES, VOTE, Outcome, Vote, Votes

log = logging.getLogger(__name__)
HERE_S = 12.0  # a page that was not heard of for so long is closed
MOST = 1000  # browsers whose number and name are remembered; the one longest unseen is forgotten first
NAME = 30  # characters of a name


@dataclass(frozen=True)
class Rules:
    """What the teacher has decided.

    models, tasks: which pupils may use; None for all. own_prompts: beside the ready ones. own_pictures: beside the
    samples. locked: pupils start nothing. paused: nor do they vote. hidden: the class sees the picture blurred.
    blind: the models' names are told after the vote. names: who has voted is shown by name.
    """

    models: frozenset[str] | None = None
    tasks: frozenset[str] | None = None
    own_prompts: bool = True
    own_pictures: bool = True
    locked: bool = False
    paused: bool = False
    hidden: bool = False
    blind: bool = True
    names: bool = False


@dataclass(frozen=True)
class Plan:
    """What is compared next: a step of the lesson with two models."""

    step: int
    models: tuple[str, str]


@dataclass(frozen=True)
class Scene:
    """The class at one moment. version: differs when anything in it does. voters: names, or numbers without one."""

    version: tuple[object, ...]
    rules: Rules
    phase: Phase
    plan: Plan
    here: int
    round: Round | None = None
    counts: dict[Outcome, int] = field(default_factory=dict)
    voters: tuple[str, ...] = ()

    @property
    def told(self) -> bool:
        """Whether the models' names are known."""
        return self.round is not None and (not self.round.blind or self.round.revealed)


@dataclass(frozen=True)
class Waiting:
    """One who compares or waits for it. id: of the comparison. who: name or number. position: None for one served."""

    id: str
    who: str
    position: int | None


class Classroom:
    """The state of the class. Every method may be called from any thread."""

    def __init__(self, store: Store, votes: Votes) -> None:
        self._store, self._votes = store, votes
        self._rules = Rules()
        self._plan = Plan(0, steps()[0].models)
        self._round: Round | None = None
        self._works: list[Work] = []
        self._known: OrderedDict[str, tuple[int, str]] = OrderedDict()  # visitor: number, name
        self._seen: dict[str, float] = {}
        self._count = 0
        self._version = 0
        self._lock = threading.Lock()  # protects all above; nothing is waited for under it
        self._voting = threading.Lock()  # one vote at a time goes to the database

    # --- the teacher

    @property
    def rules(self) -> Rules:
        return self._rules

    @property
    def plan(self) -> Plan:
        return self._plan

    def decide(self, **changes: Any) -> Rules:
        """Change some of the rules; they hold from now on."""
        with self._lock:
            self._rules = replace(self._rules, **changes)
            self._version += 1
            return self._rules

    def turn_to(self, step: int) -> Plan:
        """A step of the lesson, with the models that it is written for."""
        at = min(max(step, 0), len(steps()) - 1)
        return self.prepare(Plan(at, steps()[at].models))

    def prepare(self, plan: Plan) -> Plan:
        with self._lock:
            self._plan = plan
            self._version += 1
        return plan

    def begin(self, work: Work) -> Round:
        """Show a comparison that has been started to the class. Raises `RunError` while the one before runs."""
        with self._lock:
            if self._round and not self._round.work.done:
                raise RunError("busy", key="lesson.refused.running")
            self._round = begun = Round(work, self._rules.blind)
            self._version += 1
        threading.Thread(target=self._settle, args=(begun,), daemon=True, name=f"class {begun.id}").start()
        return begun

    def close(self) -> None:
        """No more votes on what is shown."""
        self._mark(closed=True)

    def reopen(self) -> None:
        self._mark(closed=False)

    def reveal(self) -> None:
        """Tell which model is which, and let nobody vote who knows it."""
        self._mark(closed=True, revealed=True)

    def reset(self) -> None:
        """Clear the board. What was answered and voted stays in the database."""
        with self._lock:
            before, self._round = self._round, None
            self._version += 1
        if before:
            before.work.stop()

    def stop(self, comparison_id: str = "") -> None:
        """Stop one comparison, or all that the class has not looked at together."""
        with self._lock:
            shown = self._round.work if self._round else None
            found = [work for work in self._works if work is not shown or comparison_id]
        for work in found:
            if not comparison_id or work.request.comparison_id == comparison_id:
                work.stop()

    def queue(self) -> list[Waiting]:
        """Who has a comparison under way, in the order they will be served."""
        with self._lock:
            self._works = [work for work in self._works if not work.done]
            works = list(self._works)
        found = [
            Waiting(work.request.comparison_id, self.who(work.request.visitor), position_of(work)) for work in works
        ]
        return sorted(found, key=lambda each: each.position or 0)

    # --- the pupils

    def enter(self, work: Work) -> None:
        """Somebody has started a comparison of his own."""
        with self._lock:
            self._works = [each for each in self._works if not each.done] + [work]

    def see(self, visitor: str, name: str | None = None) -> None:
        """A pupil's page is open, and what he calls himself there."""
        if not visitor:
            return
        with self._lock:
            number, called = self._known.get(visitor, (0, ""))
            if not number:
                self._count += 1
                number = self._count
            self._known[visitor] = (number, called if name is None else " ".join(name.split())[:NAME])
            self._known.move_to_end(visitor)
            if len(self._known) > MOST:
                gone, _ = self._known.popitem(last=False)
                self._seen.pop(gone, None)
            if name is not None:
                self._version += 1
            self._seen[visitor] = time.monotonic()

    def leave(self, visitor: str) -> None:
        """A pupil's page was closed; another of his is seen again at once."""
        with self._lock:
            self._seen.pop(visitor, None)

    def forget(self, visitor: str) -> None:
        """What a pupil called himself; his vote counts on without it."""
        with self._lock:
            if visitor in self._known:
                self._known[visitor] = (self._known[visitor][0], "")
            if self._round and (vote := self._round.votes.get(visitor)):
                self._round.votes[visitor] = replace(vote, visitor="", name="")
            self._version += 1

    def name(self, visitor: str) -> str:
        return self._known.get(visitor, (0, ""))[1]

    def who(self, visitor: str) -> str:
        """The name of a pupil, or his number."""
        number, name = self._known.get(visitor, (0, ""))
        return name or (f"№ {number}" if number else "")

    def admit(self, models: list[str], task: str, *, own_prompt: bool, own_picture: bool) -> None:
        """Whether a pupil may start this now. Raises `RunError` with the reason."""
        rules = self._rules
        for refused, why in (
            (rules.paused, "paused"),
            (rules.locked, "locked"),
            (rules.tasks is not None and task not in rules.tasks, "task"),
            (own_prompt and not rules.own_prompts, "prompt"),
            (own_picture and not rules.own_pictures, "picture"),
        ):
            if refused:
                raise RunError("bad_input", key=f"lesson.refused.{why}")
        for model in models:
            if rules.models is not None and model not in rules.models:
                allowed = ", ".join(sorted(rules.models)) or "—"
                raise RunError("bad_input", key="lesson.refused.model", model=model, allowed=allowed)

    def vote(self, visitor: str, comparison_id: str, outcome: Outcome) -> Vote:
        """Count a pupil's vote on what is shown, in the place of one that he cast on it before.

        Raises `RunError`: ``bad_input`` when it does not count now, ``storage`` when it could not be kept.
        """
        with self._voting:
            scene = self.scene()
            now = scene.round
            if now is None or now.id != comparison_id:
                raise RunError("bad_input", key="lesson.refused.over")
            if scene.phase != "open":
                raise RunError("bad_input", key=f"lesson.refused.vote_{scene.phase}")
            before, name = now.votes.get(visitor), self.name(visitor)
            if before and (before.outcome, before.name) == (outcome, name):
                return before
            vote = self._votes.cast(vote_on(now.work, visitor, outcome, name))
            with self._lock:
                now.votes[visitor] = vote
                self._version += 1
            return vote

    # --- what everybody sees

    def scene(self) -> Scene:
        """The class now."""
        with self._lock:
            now, rules, plan, version = self._round, self._rules, self._plan, self._version
            late = time.monotonic() - HERE_S
            here = sum(seen > late for seen in self._seen.values())
            votes = dict(now.votes) if now else {}
        if now is None:
            return Scene((version, here), rules, "none", plan, here)
        phase = phase_of(now, paused=rules.paused)
        counts: dict[Outcome, int] = dict.fromkeys(OUTCOMES, 0)
        for vote in votes.values():
            counts[vote.outcome] += 1
        voters = tuple(self.who(visitor) for visitor in votes)
        return Scene((version, here, now.work.version, phase), rules, phase, plan, here, now, counts, voters)

    def _mark(self, **changes: bool) -> None:
        with self._lock:
            if self._round:
                for name, value in changes.items():
                    setattr(self._round, name, value)
                self._version += 1

    def _settle(self, ended: Round) -> None:
        """Once the comparison is over, the votes cast before its second run had an id get it."""
        ended.work.join()
        with self._voting:
            ids = run_ids(ended.work)
            early = [VOTE.c.comparison_id == ended.id, (VOTE.c.run_a == "") | (VOTE.c.run_b == "")]
            try:
                with self._store.writing() as connection:
                    connection.execute(update(VOTE).where(*early).values(run_a=ids[0], run_b=ids[1]))
            except RunError:
                log.exception("the votes on %s stay without the ids of their runs", ended.id)
        with self._lock:
            self._version += 1
