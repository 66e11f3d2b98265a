"""Blind battles: who meets whom, what counts as an answer, and a battle's way from the draw to the vote.

The pair of which one more vote would tell most is chosen. Which of the two is A and which answers first is drawn
twice, so that neither says anything of the other. Until the vote the runs are in no list, plot or file.
"""

from __future__ import annotations

import random
import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal
from weakref import WeakSet

import numpy as np
from sqlalchemy import func, select

from arena.cancel import Cancel
from arena.compare import Request, compare
from arena.core import Arena
from arena.errors import RunError
from arena.spec import ModelSpec
from arena.store import Store
from arena.types import Event, Progress, Run
from arena.votes import VOTE_COUNT, Outcome, Vote, Votes

REASONS = ("accuracy", "completeness", "layout", "language", "invention")
SPREAD = 1.0  # standard deviation of the models' strengths before any vote, in logits
STEPS = 50  # of Newton's method; a handful is enough
NAMELESS = "▒▒▒"
Pair = tuple[str, str]
Phase = Literal["fighting", "voting", "decided", "open", "void", "skipped"]


@dataclass(frozen=True)
class Met:
    """How often two models have met and how many of these battles the first has won; a tie is half a win."""

    times: float = 0.0
    won: float = 0.0


def met(store: Store, task: str, language: str = "") -> dict[Pair, Met]:
    """The votes that count, by pair in alphabetical order; a language narrows them. That both are bad says of the two
    what a tie says. Raises `RunError` (``storage``)."""
    sides = (VOTE_COUNT.c.model_a, VOTE_COUNT.c.model_b, VOTE_COUNT.c.outcome)
    chosen = select(*sides, func.sum(VOTE_COUNT.c.votes)).where(VOTE_COUNT.c.votes > 0, VOTE_COUNT.c.task == task)
    if language:
        chosen = chosen.where(VOTE_COUNT.c.language == language)
    found: dict[Pair, Met] = {}
    with store.reading() as connection:
        for one, other, outcome, counted in connection.execute(chosen.group_by(*sides)):
            pair, times = (min(one, other), max(one, other)), int(counted)
            share = {"a": 1.0, "b": 0.0}.get(outcome, 0.5)
            before = found.get(pair, Met())
            won = times * (share if pair == (one, other) else 1.0 - share)
            found[pair] = Met(before.times + times, before.won + won)
    return found


def gains(models: Sequence[str], votes: Mapping[Pair, Met], pending: Iterable[Pair] = ()) -> dict[Pair, float]:
    """What one more vote on each pair would tell, in nats; by pair in alphabetical order.

    Strengths have the prior N(0, `SPREAD`²) and Bradley and Terry's likelihood, p = 1 / (1 + exp(θj - θi)). At the mode
    the information is Λ = I / SPREAD² + Σ n·p(1 - p)·ddᵀ over the pairs, with d = e_i - e_j and n times met. A vote on
    a pair adds p(1 - p)·ddᵀ, and with V = dᵀΛ⁻¹d, the variance of the difference of the two, so ½ ln(1 + p(1 - p)·V)
    of information (Laplace's approximation and the matrix determinant lemma; D-optimal design). Few votes and equal
    strengths make it large. pending: pairs that somebody is judging now, counted as met.
    """
    # Not the ratings' model (arena/rating/davidson.py): that has one unknown more, how often people tie, and is fitted
    # to whole tables of three counts a pair. To draw a pair half a win is enough, and the formula above stays short.
    place = {name: at for at, name in enumerate(sorted(set(models)))}
    seen = [(place[i], place[j], each.times, each.won) for (i, j), each in votes.items() if i in place and j in place]
    waiting = [(place[i], place[j]) for i, j in pending if i in place and j in place]
    one = np.array([each[0] for each in seen] + [each[0] for each in waiting], dtype=int)
    two = np.array([each[1] for each in seen] + [each[1] for each in waiting], dtype=int)
    times = np.array([each[2] for each in seen] + [1.0] * len(waiting))
    won = np.array([each[3] for each in seen] + [0.5] * len(waiting))
    strength = np.zeros(len(place))
    information = np.eye(len(place)) / SPREAD**2
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(strength[two] - strength[one]))
        slope, weight = -strength / SPREAD**2, times * p * (1.0 - p)
        np.add.at(slope, one, won - times * p)
        np.add.at(slope, two, times * p - won)
        information = np.eye(len(place)) / SPREAD**2
        for at, sign in (((one, one), 1), ((two, two), 1), ((one, two), -1), ((two, one), -1)):
            np.add.at(information, at, sign * weight)
        step = np.linalg.solve(information, slope)
        # Damped: the likelihood is flat far out, and a whole step from there would overshoot.
        strength += step / max(1.0, float(np.abs(step).max(initial=0.0)))
        if np.abs(step).max(initial=0.0) < 1e-8:
            break
    covariance = np.linalg.inv(information)
    found: dict[Pair, float] = {}
    for i, j in combinations(place, 2):
        a, b = place[i], place[j]
        variance = covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]
        p = 1.0 / (1.0 + np.exp(strength[b] - strength[a]))
        found[i, j] = float(0.5 * np.log1p(p * (1.0 - p) * variance))
    return found


def next_pair(gain: Mapping[Pair, float], chance: random.Random) -> Pair:
    """The pair that tells most, one of the best by lot, in an order by lot: the first is A."""
    most = max(gain.values())
    best = sorted(pair for pair, value in gain.items() if value > most - 1e-9)
    one, two = chance.choice(best)
    return (one, two) if chance.random() < 0.5 else (two, one)


def answered(run: Run) -> bool:
    """Whether there is an answer to judge, be it cut off or without end."""
    return run.status in ("ok", "truncated", "loop") and bool(run.text.strip())


def same(one: str, other: str) -> bool:
    """Whether two answers are the same but for white space and the way their letters are composed (NFC).

    >>> same("Й  1\\n", "\\u0418\\u0306 1"), same("A B", "AB")
    (True, False)
    """
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def nameless(text: str, models: Iterable[ModelSpec]) -> str:
    """The text with `NAMELESS` for whatever names a model: an answer may say who gives it, or what that is a kind of.

    A model's names are its title, its id where that is no plain word, and its repository's, whose first letters are the
    family's. How they are divided makes no difference.
    """
    patterns: set[str] = set()
    for spec in models:
        repository = spec.source.rpartition("/")[2]
        names = {spec.title, spec.id if not spec.id.isalpha() else "", repository}
        patterns |= {r"[\W_]*".join(parts) for name in names if (parts := re.findall(r"[^\W_]+", name))}
        if family := re.match("[A-Z][A-Za-z]{3,}", repository):  # in small letters it may be a plain word
            patterns.add(rf"{family[0]}[\w.-]*")
    listed = "|".join(sorted(patterns, key=lambda each: (-len(each), each)))
    return re.sub(rf"(?<![^\W_])(?:{listed})(?![^\W_])", NAMELESS, text, flags=re.IGNORECASE) if listed else text


@dataclass(eq=False)
class Battle:
    """One battle. Its phases: fighting; voting, as long as nobody knows who is who; decided, by a vote or because the
    answers are the same; open, once a vote was taken back: the names are known, and a new vote is no blind one; void,
    where somebody gave no answer or was stopped; skipped. None but a vote that counts is kept.

    pair: the models that are A and B. runs: by letter. error: why the tie could not be kept.
    """

    store: Store
    votes: Votes
    request: Request
    pair: Pair
    phase: Phase = "fighting"
    runs: dict[str, Run] = field(default_factory=dict)
    vote: Vote | None = None
    error: RunError | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)  # protects the phase

    @property
    def undecided(self) -> bool:
        return self.phase in ("fighting", "voting")

    @property
    def revealed(self) -> bool:
        return self.phase in ("decided", "open")

    def fight(self, arena: Arena, request: Request, cancel: Cancel) -> Iterator[Event]:
        """`compare`, told without a clock: whose turn it is, the place in the queue, and both runs at the end."""
        self.store.veil(request.comparison_id)
        runs: list[Run] = []
        said: tuple[str, int | None] | None = None
        try:
            for event in compare(arena, request, cancel):
                if isinstance(event, Run):
                    runs.append(event)
                elif isinstance(event, Progress) and said != (event.side, event.position):
                    said = event.side, event.position
                    yield Progress(event.side, "queued" if event.position else "generating", 0.0, event.position)
            yield from runs
        finally:
            self.settle(runs)

    def settle(self, runs: Iterable[Run]) -> None:
        """Both have come to their end: somebody may vote, unless there is nothing to vote on."""
        with self._lock:
            self.runs = {run.side: run for run in runs}
            a, b = self.runs.get("A"), self.runs.get("B")
            if a is None or b is None or not (answered(a) and answered(b)):
                self._end("void")
            elif same(a.text, b.text):
                try:
                    self.vote = self._keep("tie", automatic=True)
                except RunError as error:
                    self.error = error
                self._end("decided")
            else:
                self.phase = "voting"

    def cast(self, outcome: Outcome, reasons: Iterable[str] = ()) -> None:
        """The visitor's vote; nothing when there is none to cast. Raises `RunError` (``storage``), and may be called
        again then."""
        with self._lock:
            if self.phase in ("voting", "open"):
                self.vote = self._keep(outcome, tuple(each for each in REASONS if each in set(reasons)))
                self._end("decided")

    def take_back(self) -> None:
        """The vote counts no more, and another may be cast. Raises `RunError` (``storage``)."""
        with self._lock:
            if self.phase == "decided" and self.vote and not self.vote.automatic:
                self.votes.take_back(self.vote.id)
                self.phase, self.vote = "open", None

    def skip(self) -> None:
        """There will be no vote: the visitor does not want to judge, or has left."""
        with self._lock:
            if self.phase == "voting":
                self._end("skipped")

    def _end(self, phase: Phase) -> None:
        self.phase = phase
        self.store.veil(self.request.comparison_id, veiled=False)

    def _keep(self, outcome: Outcome, reasons: tuple[str, ...] = (), *, automatic: bool = False) -> Vote:
        return self.votes.cast(
            Vote(
                comparison_id=self.request.comparison_id,
                run_a=self.runs["A"].run_id,
                run_b=self.runs["B"].run_id,
                model_a=self.pair[0],
                model_b=self.pair[1],
                task=self.request.task.id,
                outcome=outcome,
                language=self.request.language,
                reasons=reasons,
                automatic=automatic,
                source="compare" if self.phase == "open" else "battle",
                visitor=self.request.visitor,
            )
        )


class Battles:
    """The battles of this program: draws them, and knows those that are not decided yet."""

    def __init__(self, store: Store, votes: Votes, chance: random.Random | None = None) -> None:
        self._store, self._votes = store, votes
        self._chance = chance or random.SystemRandom()
        self._drawn: WeakSet[Battle] = WeakSet()  # forgotten with the pages that hold them
        self._lock = threading.Lock()  # protects _drawn

    def draw(self, models: Sequence[str], task: str, language: str) -> tuple[Pair, str]:
        """Who is A and who is B, and their letters in the order they answer.

        Raises `RunError`: ``bad_input`` where fewer than two can meet, ``storage``.
        """
        if len(set(models)) < 2:
            raise RunError("bad_input", key="battle.too_few")
        votes = met(self._store, task, language)
        with self._lock:
            judged = [each.pair for each in self._drawn if each.undecided and each.request.task.id == task]
        pending = [(min(pair), max(pair)) for pair in judged]
        pair = next_pair(gains(models, votes, pending), self._chance)
        return pair, self._chance.choice(("AB", "BA"))

    def battle(self, request: Request, pair: Pair) -> Battle:
        """The battle that `request` runs, whose letters and sides follow the draw."""
        drawn = Battle(self._store, self._votes, request, pair)
        with self._lock:
            self._drawn.add(drawn)
        return drawn
