"""The votes that count, added up by the database: not those taken back, nor those cast when the names were known."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from arena.rating.tally import Cell
from arena.store import Store
from arena.votes import VOTE, VOTE_COUNT, Source

OPEN: Source = "compare"  # where the voter saw which model was which


def cells(store: Store, task: str = "", language: str = "") -> list[Cell]:
    """One for every two sides and outcome; an empty filter lets everything through. Raises `RunError` (``storage``)."""
    sides = (VOTE_COUNT.c.model_a, VOTE_COUNT.c.model_b, VOTE_COUNT.c.outcome)
    counting = _counting(select(*sides, func.sum(VOTE_COUNT.c.votes)), task, language).group_by(*sides)
    with store.reading() as connection:
        return [(a, b, outcome, int(count)) for a, b, outcome, count in connection.execute(counting)]


def automatic(store: Store, task: str = "", language: str = "") -> int:
    """How many of them nobody cast: ties of two answers that are the same."""
    counting = _counting(select(func.sum(VOTE_COUNT.c.votes)), task, language).where(VOTE_COUNT.c.automatic)
    with store.reading() as connection:
        return int(connection.scalar(counting) or 0)


def stamp(store: Store) -> tuple[Any, ...]:
    """Equal as long as no vote came and none was taken back or deleted."""
    with store.reading() as connection:
        counts = connection.execute(select(func.sum(VOTE_COUNT.c.votes), func.sum(VOTE_COUNT.c.withdrawn))).one()
        return (*counts, connection.scalar(select(func.max(VOTE.c.id))))


def _counting(chosen: Select[Any], task: str, language: str) -> Select[Any]:
    chosen = chosen.where(VOTE_COUNT.c.votes > 0, VOTE_COUNT.c.source != OPEN)
    for name, value in (("task", task), ("language", language)):
        if value:
            chosen = chosen.where(VOTE_COUNT.c[name] == value)
    return chosen
