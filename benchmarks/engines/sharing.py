"""Who of several workers takes which cell next, and what becomes of a cell that a worker could not fill."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable

from benchmarks.runs.plan import Ask

WORTH = 4  # cells that a worker should get out of loading a model that another one has loaded already
CHANCES = 3  # workers that may be lost over one cell


class Cells:
    """The cells that nobody works at, by model in the order of the plan.

    >>> cells = Cells([Ask("a", "A", f"{n}", 1) for n in range(9)] + [Ask("b", "B", "0", 1)])
    >>> cells.take({"a", "b"}, None, {}).model, cells.take({"a", "b"}, None, {"a": 1}).model
    ('a', 'b')
    """

    def __init__(self, asks: Iterable[Ask]) -> None:
        self._left: dict[str, deque[Ask]] = {}
        for ask in asks:
            self._left.setdefault(ask.model, deque()).append(ask)
        self._lost: Counter[Ask] = Counter()

    def models(self) -> list[str]:
        """Those with cells left."""
        return [model for model, left in self._left.items() if left]

    def take(self, able: Collection[str], loaded: str | None, others: Counter[str] | dict[str, int]) -> Ask | None:
        """The next cell for a worker. able: models it can run. loaded: the one it has. others: how many other workers
        are at a model; a further one loads it only where enough is left for both."""
        models = [model for model in self.models() if model in able]
        if loaded not in models:
            share = {model: len(self._left[model]) / (others.get(model, 0) + 1) for model in models}
            worth = [model for model in models if not others.get(model) or share[model] >= WORTH]
            loaded = max(worth, key=lambda model: share[model], default=None)
        return self._left[loaded].popleft() if loaded is not None else None

    def give_back(self, ask: Ask, *, lost: bool) -> bool:
        """Somebody else shall fill it. lost: the worker did not come back. Returns whether it has had all its chances:
        then it is not given out again."""
        self._lost[ask] += lost
        if self._lost[ask] >= CHANCES:
            return True
        self._left[ask.model].appendleft(ask)
        return False
