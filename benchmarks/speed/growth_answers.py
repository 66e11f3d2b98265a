"""The length of an answer, 100 to 100,000 characters: showing it, its differences and its scores, and keeping it."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from arena.score import is_loop, score
from arena.store import Store
from arena.ui.answer import finished
from arena.ui.difference import How, panes
from arena.ui.live import View
from benchmarks.metrics.truth import Truth
from benchmarks.speed.growth import grown, grown_memory
from benchmarks.speed.rows import Row
from benchmarks.speed.stored import PIECES, run

SIZES = (100, 1000, 10_000, 100_000)


def measure() -> list[Row]:
    """Answers of which every twentieth word is misread."""
    texts = {size: written(size) for size in SIZES}
    fresh = count()
    with tempfile.TemporaryDirectory() as name:
        store = Store(f"sqlite:///{Path(name) / 'arena.db'}")

        def show(said: str, wanted: str) -> None:
            answer = replace(run(0, random.Random(1)), text=said, boxes=())
            finished(View("A", "A model", run=answer), "en")

        def keep(said: str, wanted: str) -> None:
            usual = run(0, random.Random(1))
            store.save(replace(usual, run_id=f"run-{next(fresh)}", text=said, boxes=()))

        def differ(said: str, wanted: str) -> None:
            panes((said,), ("A model",), wanted, How("words", False), "en")

        def by_letters(said: str, wanted: str) -> None:
            panes((said,), ("A model",), wanted, How("characters", False), "en")

        def scored(said: str, wanted: str) -> None:
            score(said, (), Truth(wanted), ("cer", "wer"))

        def looping(said: str, wanted: str) -> None:
            is_loop(said)

        def over(work: Callable[[str, str], Any]) -> Mapping[int, Callable[[], Any]]:
            return {size: partial(work, *both) for size, both in texts.items()}

        rows = [
            grown("showing it", "characters", over(show), "linear"),
            grown("its differences by words", "characters", over(differ), "edits"),
            grown("its differences by characters", "characters", over(by_letters), "edits", 3),
            grown("CER and WER", "characters", over(scored), "edits"),
            grown("whether it is a loop", "characters", over(looping), "linear"),
            grown("keeping it", "characters", over(keep), "linear"),
            grown_memory("memory of its differences", "characters", over(differ), "linear"),
        ]
        store.close()
    return rows


def written(size: int) -> tuple[str, str]:
    """What a model said, and what it should have said, of `size` characters."""
    chance = random.Random(1)
    wanted: list[str] = []
    length = 0
    while length < size:
        wanted.append(chance.choice(PIECES))
        length += len(wanted[-1]) + 1
    said = [word if chance.random() > 0.05 else word[::-1] + "x" for word in wanted]
    return " ".join(said)[:size], " ".join(wanted)[:size]
