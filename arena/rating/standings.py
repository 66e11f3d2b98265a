"""From a tally to the standings: each model's rating with its interval, its rank, and how much that can be trusted.

The prior on strengths keeps a model finite that never lost or never won. Each bootstrap votes anew by drawing how often
every judgement occurred, from a Poisson distribution around how often it did, and it draws the centres of the prior
as well: so the interval of a model that only the prior holds is as wide as the prior, not as narrow as equal votes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arena.rating.davidson import STRENGTH_SD, TIES_CENTRE, TIES_SD, Counts, Pairs, fit, refit
from arena.rating.tally import Tally

METHOD = "davidson-1"  # changes whenever the same votes would give other numbers
BOOTSTRAPS = 1000
LEVEL = 0.95
SEED = 1970  # the same votes give the same standings, today and tomorrow
CENTRE, POINTS = 1000.0, 400 / float(np.log(10))  # on Elo's scale 400 points are odds of ten to one
AT_ONCE = 2**17  # pairs times bootstraps whose arrays fit a processor's cache

Tier = Literal["preliminary", "usable", "established"]
# From how many deciding votes, and up to which half-width of the interval in points.
CRITERIA: dict[Tier, tuple[int, float]] = {"established": (100, 50.0), "usable": (30, 100.0)}


@dataclass(frozen=True)
class Rating:
    """One model. rating, low, high: points; None when no vote compares it with another, as is its group and rank.

    rank: one more than the models of its group that are better in at least 97.5 % of the bootstraps. group: 0 for the
    largest; ratings of two groups cannot be compared. votes: those that decide, which both_bad do not.
    """

    model: str
    rating: float | None
    low: float | None
    high: float | None
    rank: int | None
    group: int | None
    tier: Tier
    votes: int
    wins: int
    losses: int
    ties: int
    both_bad: int


@dataclass(frozen=True)
class Standings:
    """ratings: by group, the best first. tie_share: how often two equal models tie, None without a deciding vote."""

    ratings: tuple[Rating, ...]
    tally: Tally
    groups: int
    tie_share: float | None
    method: str = METHOD
    bootstraps: int = BOOTSTRAPS


def rate(tally: Tally, bootstraps: int = BOOTSTRAPS, seed: int = SEED) -> Standings:
    """The standings after these votes. Neither the order of the votes nor which side a model stood on matters."""
    groups, decided = tally.groups(), tally.decided
    if not decided.any():
        return Standings(tuple(_unrated(tally)), tally, 0, None, bootstraps=bootstraps)
    strengths, ties = _most_probable(tally)
    drawn = _centred(_bootstrapped(tally, np.append(strengths, ties), bootstraps, seed), groups)
    points = CENTRE + POINTS * _centred(strengths[None], groups)[0]
    edge = (1 - LEVEL) / 2
    low, high = CENTRE + POINTS * np.quantile(drawn, [edge, 1 - edge], axis=0)
    ratings = [
        _rating(
            each,
            float(points[place]),
            float(min(low[place], points[place])),
            float(max(high[place], points[place])),
            _rank(drawn[:, groups == groups[place]], drawn[:, place], 1 - edge),
            int(groups[place]),
        )
        if groups[place] >= 0
        else each
        for place, each in enumerate(_unrated(tally))
    ]
    last = len(ratings)
    ratings.sort(key=lambda one: (last if one.group is None else one.group, -(one.rating or 0), one.model))
    even = float(np.exp(ties))
    return Standings(tuple(ratings), tally, int(groups.max()) + 1, even / (2 + even), bootstraps=bootstraps)


def _unrated(tally: Tally) -> list[Rating]:
    """Every model with its votes alone."""
    columns = (
        tally.by_model(tally.decided, tally.decided),
        tally.by_model(tally.wins, tally.losses),
        tally.by_model(tally.losses, tally.wins),
        tally.by_model(tally.ties, tally.ties),
        tally.by_model(tally.both_bad, tally.both_bad),
    )
    rows = zip(tally.models, *(column.tolist() for column in columns), strict=True)
    return [Rating(model, None, None, None, None, None, "preliminary", *counts) for model, *counts in rows]


def _rating(votes: Rating, points: float, low: float, high: float, rank: int, group: int) -> Rating:
    tier: Tier = next(
        (tier for tier, (least, widest) in CRITERIA.items() if votes.votes >= least and (high - low) / 2 <= widest),
        "preliminary",
    )
    counts = (votes.votes, votes.wins, votes.losses, votes.ties, votes.both_bad)
    return Rating(votes.model, points, low, high, rank, group, tier, *counts)


def _most_probable(tally: Tally) -> tuple[NDArray[np.float64], float]:
    found = fit(_pairs(tally), _counts(tally), _centres(1, len(tally.models)), tolerance=1e-8)[0]
    return found[:-1], float(found[-1])


def _bootstrapped(tally: Tally, start: NDArray[np.float64], bootstraps: int, seed: int) -> NDArray[np.float64]:
    """The strengths of the models in each bootstrap, ``(bootstraps, models)``."""
    chance, counts = np.random.default_rng(seed), _counts(tally)
    models, parts = len(tally.models), []
    chunk = max(1, AT_ONCE // len(tally.first))
    for begin in range(0, bootstraps, chunk):
        tables = min(chunk, bootstraps - begin)
        shape = (tables, len(tally.first))
        drawn = Counts(*(chance.poisson(each, shape).astype(float) for each in (tally.wins, tally.losses, tally.ties)))
        centres = _centres(tables, models)
        centres[:, :-1] += chance.normal(0, STRENGTH_SD, (tables, models))
        centres[:, -1] += chance.normal(0, TIES_SD, tables)
        parts.append(refit(_pairs(tally), drawn, centres, counts, start)[:, :-1])
    return np.concatenate(parts)


def _counts(tally: Tally) -> Counts:
    return Counts(*(each[None].astype(float) for each in (tally.wins, tally.losses, tally.ties)))


def _pairs(tally: Tally) -> Pairs:
    return Pairs(len(tally.models), tally.first, tally.second)


def _centres(tables: int, models: int) -> NDArray[np.float64]:
    centres = np.zeros((tables, models + 1))
    centres[:, -1] = TIES_CENTRE
    return centres


def _centred(strengths: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Strengths against the mean of their group: no vote says anything of the place of the group itself."""
    centred = strengths.copy()
    for group in range(int(groups.max()) + 1):
        own = groups == group
        centred[:, own] -= strengths[:, own].mean(axis=1, keepdims=True)
    return centred


def _rank(rivals: NDArray[np.float64], own: NDArray[np.float64], surely: float) -> int:
    return 1 + int(((rivals > own[:, None]).mean(axis=0) >= surely).sum())
