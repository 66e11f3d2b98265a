"""The votes that count, added up by the database: not those taken back, nor those cast when the names were known."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from arena.rating.tally import Cell
from arena.store import Store
from arena.votes import VOTE, Source

OPEN: Source = "compare"  # where the voter saw which model was which


def cells(store: Store, task: str = "", language: str = "") -> list[Cell]:
    """One for every two sides and outcome; an empty filter lets everything through. Raises `RunError` (``storage``)."""
    sides = (VOTE.c.model_a, VOTE.c.model_b, VOTE.c.outcome)
    counting = _counting(select(*sides, func.count()), task, language).group_by(*sides)
    with store.reading() as connection:
        return [(a, b, outcome, count) for a, b, outcome, count in connection.execute(counting)]


def automatic(store: Store, task: str = "", language: str = "") -> int:
    """How many of them nobody cast: ties of two answers that are the same."""
    counting = _counting(select(func.count()), task, language).where(VOTE.c.automatic)
    with store.reading() as connection:
        return connection.scalar(counting) or 0


def stamp(store: Store) -> tuple[Any, ...]:
    """Equal as long as no vote came and none was taken back or deleted."""
    with store.reading() as connection:
        row = connection.execute(select(func.count(), func.count(VOTE.c.withdrawn_at), func.max(VOTE.c.id))).one()
    return tuple(row)


def _counting(chosen: Select[Any], task: str, language: str) -> Select[Any]:
    chosen = chosen.where(VOTE.c.withdrawn_at.is_(None), VOTE.c.source != OPEN)
    for name, value in (("task", task), ("language", language)):
        if value:
            chosen = chosen.where(VOTE.c[name] == value)
    return chosen
