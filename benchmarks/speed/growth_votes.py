"""Votes in the database, 1,000 to 1,000,000: the standings on the Ratings page, whether they still hold, a new vote."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.rating import stored
from arena.ui.tab_ratings import Ratings
from arena.votes import OUTCOMES, VOTE, Vote
from benchmarks.speed.growth import grown, grown_memory
from benchmarks.speed.ratings import drawn
from benchmarks.speed.rows import Row

SIZES = (1000, 100_000, 1_000_000)
MODELS = 15
FEW = SIZES[0]
TASKS, LANGUAGES = ("ocr", "ocr", "question"), ("ru", "en")
NOBODY: Any = None  # who asks: read in English


def measure() -> list[Row]:
    """The page is worked out anew each time, as when a vote came since."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        arenas = {}
        for size in SIZES:
            arenas[size] = opened.enter_context(arena_of(load_settings({"ARENA_HOME": str(Path(name) / str(size))})))
            fill(arenas[size], size)

        def over(work: Callable[[Arena], Any]) -> Mapping[int, Callable[[], Any]]:
            return {size: partial(work, arena) for size, arena in arenas.items()}

        page = over(lambda arena: Ratings(arena).voted("", "", NOBODY))
        one_task = over(lambda arena: Ratings(arena).voted("ocr", "ru", NOBODY))
        return [
            grown("the Ratings page", "votes", page, "flat"),
            grown("the Ratings page of one task and language", "votes", one_task, "flat"),
            grown("whether it still holds", "votes", over(lambda arena: stored.stamp(arena.store)), "flat"),
            grown(
                "a new vote", "votes", over(lambda arena: arena.votes.cast(vote("model-001", "model-002", 0))), "flat"
            ),
            grown_memory("memory of the Ratings page", "votes", page, "flat"),
        ]


def vote(first: str, second: str, number: int, outcome: int = 0) -> Vote:
    return Vote(
        comparison_id=f"comparison-{number}",
        run_a=f"a-{number}",
        run_b=f"b-{number}",
        model_a=first,
        model_b=second,
        task=TASKS[number % 3],
        language=LANGUAGES[number % 2],
        outcome=OUTCOMES[outcome],
    )


def fill(arena: Arena, size: int) -> None:
    """A thousand votes, and copies of them."""
    models, first, second, outcomes = drawn(MODELS, FEW)
    votes = [vote(models[first[at]], models[second[at]], at, outcomes[at]) for at in range(FEW)]
    names = [column.name for column in VOTE.c]
    values = ", ".join("id || '-' || n" if name == "id" else name for name in names)
    copies = f"WITH RECURSIVE copy(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM copy WHERE n < {size // FEW - 1})"  # noqa: S608
    with arena.store.writing() as connection:
        connection.execute(insert(VOTE), [{**asdict(each), "reasons": []} for each in votes])
        if size > FEW:
            more = f"INSERT INTO vote ({', '.join(names)}) {copies} SELECT {values} FROM copy, vote"  # noqa: S608
            connection.execute(text(more))
