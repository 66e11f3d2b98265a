"""The model behind the ratings: Bradley and Terry's with ties after Davidson, fitted to many tables of votes at once.

Of two models with strengths a and b, in natural units, the first is preferred with a probability proportional to
exp((a - b) / 2), the second to exp((b - a) / 2), and they tie in proportion to exp(t), where t is one number for all
pairs. The logarithm of the likelihood is concave, so Newton's method finds its one maximum.

R. R. Davidson, "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments", Journal of
the American Statistical Association 65 (1970), 317-328.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

STRENGTH_SD = 1.5  # of the prior on strengths, which is normal around a centre
TIES_SD = 1.0  # of the prior on t
TIES_CENTRE = float(np.log(0.5))  # two equal models tie in one vote of five
LONGEST_STEP = 1.0  # farther, the curve that Newton's method follows is no longer that of the likelihood
MOST_STEPS = 200
QUICK_STEPS = 12


@dataclass(frozen=True)
class Pairs:
    """Which models were compared. first, second: indices of models, ``(pairs,)``, each pair once, first < second."""

    models: int
    first: NDArray[np.intp]
    second: NDArray[np.intp]


@dataclass(frozen=True)
class Counts:
    """How often each pair was voted which way, in one table or more: each array is ``(tables, pairs)``."""

    wins: Numbers
    losses: Numbers
    ties: Numbers

    def of(self, tables: NDArray[np.bool_]) -> Counts:
        return Counts(self.wins[tables], self.losses[tables], self.ties[tables])


def fit(pairs: Pairs, counts: Counts, centres: Numbers, tolerance: float = 1e-6) -> Numbers:
    """The strengths and t that are the most probable after each table of votes, ``(tables, models + 1)``.

    centres: of the prior, of the same shape. tolerance: the error that is left is about the square of it.
    """
    posterior, found = _Posterior(pairs, counts, centres), centres.copy()
    for _ in range(MOST_STEPS):
        step = np.linalg.solve(posterior.curvature(found), posterior.slope(found)[:, :, None])[:, :, 0]
        length = np.abs(step).max(axis=1, keepdims=True)
        found += step * np.minimum(1.0, LONGEST_STEP / np.maximum(length, LONGEST_STEP))
        if length.max() < tolerance:
            break
    return found


def refit(
    pairs: Pairs, counts: Counts, centres: Numbers, before: Counts, start: Numbers, tolerance: float = 1e-3
) -> Numbers:
    """As `fit`, for tables that differ little from the one table `before`, whose most probable values are `start`.

    With many votes the curvature hardly differs between tables: that of `before` serves all of them, so that a step
    costs no solution of equations. Those that do not settle this way are fitted the long way.
    """
    known = _Posterior(pairs, before, centres[:1])
    inverse = np.linalg.inv(known.curvature(start[None])[0])
    posterior, found = _Posterior(pairs, counts, centres), np.tile(start, (len(centres), 1))
    length = np.full(len(found), np.inf)
    for _ in range(QUICK_STEPS):
        # einsum and not @: the threads of a matrix product wait for each other on a busy machine.
        step = np.einsum("ij,tj->ti", inverse, posterior.slope(found))
        longer, length = length, np.abs(step).max(axis=1)
        found += step
        if (length < tolerance).all() or (length > longer).any():
            break
    rest = ~(length < tolerance)
    if rest.any():
        found[rest] = fit(pairs, counts.of(rest), centres[rest], tolerance)
    return found


class _Posterior:
    """The logarithm of likelihood times prior of every table: its slope, and how it bends down."""

    def __init__(self, pairs: Pairs, counts: Counts, centres: Numbers) -> None:
        tables, models = len(centres), pairs.models
        self._pairs, self._centres = pairs, centres
        self._votes = counts.wins + counts.losses + counts.ties
        self._lead = (counts.wins - counts.losses) / 2
        self._tied = counts.ties.sum(axis=1)
        self._precision = np.full(models + 1, STRENGTH_SD**-2)
        self._precision[-1] = TIES_SD**-2
        # Only places of compared pairs are ever written to, so the same array serves every step.
        self._square = np.zeros((tables, models, models))

    def slope(self, at: Numbers) -> Numbers:
        """``(tables, models + 1)``."""
        gap, tie = self._expected(at)
        slope = self._precision * (self._centres - at)
        slope[:, :-1] += self._by_model(self._lead - self._votes * gap / 2)
        slope[:, -1] += self._tied - (self._votes * tie).sum(axis=1)
        return slope

    def curvature(self, at: Numbers) -> Numbers:
        """``(tables, models + 1, models + 1)``, positive definite."""
        gap, tie = self._expected(at)
        models, first, second = self._pairs.models, self._pairs.first, self._pairs.second
        bend = self._votes * (1 - tie - gap * gap) / 4
        curvature = np.zeros((len(at), models + 1, models + 1))
        curvature[:, first, second] = curvature[:, second, first] = -bend
        own = np.arange(models)
        curvature[:, own, own] = self._precision[:-1] - curvature[:, :-1, :-1].sum(axis=2)
        curvature[:, -1, :-1] = curvature[:, :-1, -1] = -self._by_model(self._votes * gap * tie / 2)
        curvature[:, -1, -1] = self._precision[-1] + (self._votes * tie * (1 - tie)).sum(axis=1)
        return curvature

    def _expected(self, at: Numbers) -> tuple[Numbers, Numbers]:
        """Of each pair, how much more probable the first is than the second, and how probable a tie."""
        up = np.exp((at[:, self._pairs.first] - at[:, self._pairs.second]) / 2)
        down = 1 / up
        even = np.exp(at[:, -1:])
        whole = up + down + even
        return (up - down) / whole, even / whole

    def _by_model(self, values: Numbers) -> Numbers:
        """What each model gets when its first of a pair gets the value and the second the opposite."""
        self._square[:, self._pairs.first, self._pairs.second] = values
        self._square[:, self._pairs.second, self._pairs.first] = -values
        summed: Numbers = self._square.sum(axis=2)
        return summed
