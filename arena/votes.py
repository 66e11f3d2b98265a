"""Votes: which of two answers a person, or their sameness, found better; kept, taken back and read for the ratings.

A vote holds what a rating needs, so ratings outlive the runs; its run ids lead to what was voted on while that is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, insert, select, update
from ulid import ULID

from arena.store import Store
from arena.tables import METADATA, Bag, CleanText, Moment

Outcome = Literal["a", "b", "tie", "both_bad"]
OUTCOMES: tuple[Outcome, ...] = ("a", "b", "tie", "both_bad")
Source = Literal["battle", "compare", "class"]
BATCH = 5000


@dataclass(frozen=True)
class Vote:
    """One judgement on two runs of one comparison.

    run_a, run_b: run ids, A the one shown first. model_a, model_b: ids of the catalogue. reasons: keys the
    voter chose. automatic: nobody voted, the two answers are the same. visitor, name: who voted, as far as is known; a
    name is what a pupil called himself. source: where the vote was cast.
    """

    comparison_id: str
    run_a: str
    run_b: str
    model_a: str
    model_b: str
    task: str
    outcome: Outcome
    language: str = ""
    reasons: tuple[str, ...] = ()
    automatic: bool = False
    source: Source = "battle"
    visitor: str = ""
    name: str = ""
    id: str = field(default_factory=lambda: str(ULID()))
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


TEXTS = (
    "id",
    "comparison_id",
    "run_a",
    "run_b",
    "model_a",
    "model_b",
    "task",
    "language",
    "outcome",
    "source",
    "visitor",
)
VOTE = Table(
    "vote",
    METADATA,
    *(Column(name, Text, nullable=False, primary_key=name == "id") for name in TEXTS),
    Column("name", CleanText, nullable=False),
    Column("reasons", Bag, nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
)
Index("ix_vote_comparison_id", VOTE.c.comparison_id, VOTE.c.visitor)
Index("ix_vote_visitor", VOTE.c.visitor)
# How many votes there are of each kind that count, and how many were taken back; the database keeps it.
VOTE_COUNT = Table(
    "vote_count",
    METADATA,
    *(Column(name, Text, primary_key=True) for name in ("source", "task", "language", "model_a", "model_b", "outcome")),
    Column("automatic", Boolean, primary_key=True),
    Column("votes", BigInteger, nullable=False),
    Column("withdrawn", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
COLUMNS = [VOTE.c[each.name] for each in fields(Vote)]


class Votes:
    """The votes in a store's database. Every method raises `RunError` (``storage``)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def cast(self, vote: Vote) -> Vote:
        """Keep the vote. The one that this visitor cast on the same comparison before is taken back with it."""
        with self._store.writing() as connection:
            if vote.visitor:
                mine = (VOTE.c.comparison_id == vote.comparison_id) & (VOTE.c.visitor == vote.visitor)
                connection.execute(_taken_back().where(mine, VOTE.c.withdrawn_at.is_(None)))
            connection.execute(insert(VOTE), {**asdict(vote), "reasons": list(vote.reasons)})
        return vote

    def take_back(self, vote_id: str, visitor: str | None = None) -> bool:
        """Whether there was such a vote that counted, of this visitor where one is named; it counts no more."""
        changed = _taken_back().where(VOTE.c.id == vote_id, VOTE.c.withdrawn_at.is_(None))
        if visitor is not None:
            changed = changed.where(VOTE.c.visitor == visitor)
        with self._store.writing() as connection:
            return connection.execute(changed).rowcount > 0

    def count(self, *, comparison_id: str = "", visitor: str = "") -> dict[Outcome, int]:
        """Votes that count, by outcome."""
        found: dict[Outcome, int] = dict.fromkeys(OUTCOMES, 0)
        for vote in self.iterate(comparison_id=comparison_id, visitor=visitor):
            found[vote.outcome] += 1
        return found

    def iterate(
        self, *, comparison_id: str = "", visitor: str = "", task: str = "", language: str = ""
    ) -> Iterator[Vote]:
        """The votes that count, oldest first; an empty filter lets everything through."""
        chosen = select(*COLUMNS).where(VOTE.c.withdrawn_at.is_(None)).order_by(VOTE.c.id)
        wanted = {"comparison_id": comparison_id, "visitor": visitor, "task": task, "language": language}
        for name, value in wanted.items():
            if value:
                chosen = chosen.where(VOTE.c[name] == value)
        with (
            self._store.reading() as connection,
            connection.execute(chosen, execution_options={"yield_per": BATCH}) as rows,
        ):
            for row in rows:
                yield _vote(row)


def _taken_back() -> Any:
    return update(VOTE).values(withdrawn_at=datetime.now(UTC))


def _vote(row: Any) -> Vote:
    values = dict(row._mapping)
    return Vote(**{**values, "reasons": tuple(values["reasons"])})
