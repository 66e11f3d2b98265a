"""Where the cells of a benchmark are filled: on this machine, or on many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from arena.benchmarks_kept import KeptItem
from arena.cancel import Cancel
from arena.core import Arena
from arena.images import Notice
from arena.types import Run
from benchmarks.runs.plan import Ask, Plan


@dataclass(frozen=True)
class Waiting:
    """Nothing has ended yet. model, item: what is worked at, "" where that is not one thing. note: what is done now."""

    model: str = ""
    item: str = ""
    note: Notice | None = None


class Engine(Protocol):
    """What fills cells."""

    def fill(
        self, arena: Arena, plan: Plan, items: Mapping[str, KeptItem], asks: Sequence[Ask], cancel: Cancel
    ) -> Iterator[Run | Waiting]:
        """Fill every cell of `asks`: yields its run, which is in the database by then, and something at least twice a
        second. Ends early when cancelled or closed; an answer that is cut off by that fills nothing."""
        ...
