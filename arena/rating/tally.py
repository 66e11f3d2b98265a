"""Votes added up: how often each pair of models was judged which way. A rating depends on nothing else of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.votes import OUTCOMES, Outcome

Whole = NDArray[np.int64]
Cell = tuple[str, str, Outcome, int]  # model_a, model_b, outcome, how many such votes
TIE, BOTH_BAD = OUTCOMES.index("tie"), OUTCOMES.index("both_bad")


@dataclass(frozen=True)
class Tally:
    """models: sorted. first, second: indices into them, ``(pairs,)``, each pair once and first < second.

    wins, losses, ties, both_bad: votes of each pair, ``(pairs,)``; a win is one of the first.
    """

    models: tuple[str, ...]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    wins: Whole
    losses: Whole
    ties: Whole
    both_bad: Whole

    @classmethod
    def of_cells(cls, cells: Iterable[Cell]) -> Tally:
        """Cells of the same two sides and outcome add up. A model against itself says nothing of it and is left out."""
        kept = [cell for cell in cells if cell[0] != cell[1]]
        models = sorted({model for cell in kept for model in cell[:2]})
        index = {model: place for place, model in enumerate(models)}
        columns = [(index[a], index[b], OUTCOMES.index(outcome), count) for a, b, outcome, count in kept]
        first, second, outcomes, counts = np.array(columns, dtype=np.int64).reshape(-1, 4).T
        return cls.of_arrays(models, first, second, outcomes, counts)

    @classmethod
    def of_arrays(
        cls, models: Sequence[str], first: Whole, second: Whole, outcomes: Whole, counts: Whole | None = None
    ) -> Tally:
        """Votes as arrays of equal length: indices into `models`, of `OUTCOMES`, and how often each occurred."""
        size = len(models)
        places = (first * size + second) * len(OUTCOMES) + outcomes
        summed = np.bincount(places, counts, minlength=size * size * len(OUTCOMES)).astype(np.int64)
        table = summed.reshape(size, size, len(OUTCOMES))
        # A second row of the same pair, with its sides exchanged, says the same with wins and losses exchanged.
        table = table + table.transpose(1, 0, 2)[:, :, [1, 0, TIE, BOTH_BAD]]
        rows, columns = np.nonzero(np.triu(table.sum(axis=2), 1))
        return cls(tuple(models), rows, columns, *table[rows, columns].T)

    @property
    def votes(self) -> int:
        return int((self.decided + self.both_bad).sum())

    @property
    def decided(self) -> Whole:
        """Votes of each pair that compare its two models: all but both-bad."""
        return self.wins + self.losses + self.ties

    def by_model(self, first: Whole, second: Whole) -> Whole:
        """What each model has, ``(models,)``, when of each pair its first gets `first` and its second `second`."""
        size = len(self.models)
        summed = np.bincount(self.first, first, size) + np.bincount(self.second, second, size)
        return summed.astype(np.int64)

    def groups(self) -> Whole:
        """The group of each model, ``(models,)``: who is connected by votes that decide has the same number.

        0 is the group with the most such votes; -1 is a model that has none.
        """
        leader = list(range(len(self.models)))

        def lead(model: int) -> int:
            while leader[model] != model:
                leader[model] = model = leader[leader[model]]
            return model

        decided = self.decided
        for first, second in zip(self.first[decided > 0], self.second[decided > 0], strict=True):
            leader[lead(int(second))] = lead(int(first))
        leaders = np.array([lead(model) for model in range(len(self.models))], dtype=np.int64)
        own = self.by_model(decided, decided)
        weight = np.bincount(leaders, own, len(self.models))
        order = [int(group) for group in np.argsort(-weight, kind="stable") if weight[group] > 0]
        number = {group: place for place, group in enumerate(order)}
        return np.array([number.get(int(group), -1) for group in leaders], dtype=np.int64)
