"""Figures with their uncertainty: means, medians, shares and quantiles, as pure functions of numpy arrays.

Intervals are at 95 %. What is drawn again is a whole item, never a run: the repeats of an item are not independent, so
they are one value, their mean; items that were made of one picture (`groups`) are drawn together for the same reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Codes = NDArray[np.intp]
NORMAL = NormalDist()
Z = NORMAL.inv_cdf(0.975)
RESAMPLES = 2000
AT_ONCE = 4_000_000  # values that are drawn and held at a time
# Items from which on the limit of the bootstrap is used instead of drawing: it differs by less than another seed does.
MANY = 2000
FEWEST = 5  # items or groups below which there is no interval to speak of
LEAST = {0.9: 10, 0.99: 100}  # values below which a quantile would be the largest value under another name


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; n: of how many items. None where there are none, or too few for an interval."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0


@dataclass(frozen=True)
class Share:
    """So many of so many, with the interval of the share."""

    count: int
    of: int
    low: float | None
    high: float | None

    @property
    def value(self) -> float | None:
        return self.count / self.of if self.of else None


@dataclass(frozen=True)
class Spread:
    """What n values are like; a quantile is None below a sensible n."""

    n: int = 0
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


def known(values: Numbers) -> Numbers:
    return values[np.isfinite(values)]


def mean(values: Numbers, groups: Codes | None = None, seed: int = 0) -> Estimate:
    """The mean of a value per item, and its interval by the BCa bootstrap (Efron 1987).

    NaN is left out. groups: a number per item, the same for items that belong together. From `MANY` groups on the
    interval is the limit of the same method: normal with the skewness kept (Cornish and Fisher 1938), nothing drawn.

    >>> mean(np.array([0.1, 0.2, 0.3, 0.4]))
    Estimate(value=0.25, low=None, high=None, n=4)
    >>> mean(np.array([1.0, 1.0, 1.0, 1.0, 1.0]))
    Estimate(value=1.0, low=1.0, high=1.0, n=5)
    """
    sums, counts = grouped(values, groups)
    k, n = len(sums), int(counts.sum())
    if not n:
        return Estimate()
    centre = float(sums.sum() / n)
    off = sums - centre * counts  # what each group adds to the error of the mean, to the first order
    square = float((off**2).sum())
    if k < FEWEST:
        return Estimate(centre, None, None, n)
    if math.sqrt(square) <= 1e-12 * n * max(1.0, abs(centre)):
        return Estimate(centre, centre, centre, n)
    skew = float((off**3).sum()) / (6 * square**1.5)  # the acceleration of BCa
    if k >= MANY:
        error = math.sqrt(square * k / (k - 1)) / n
        points = (_moved(z, skew, skew) for z in (-Z, Z))
        low, high = (centre + error * (z + (z * z - 1) * skew) for z in points)
        return Estimate(centre, low, high, n)
    drawn = _drawn_means(sums, counts, seed)
    below = float(((drawn < centre).sum() + 0.5 * (drawn == centre).sum()) / RESAMPLES)
    bias = NORMAL.inv_cdf(min(max(below, 0.5 / RESAMPLES), 1 - 0.5 / RESAMPLES))
    low, high = np.quantile(drawn, [NORMAL.cdf(_moved(z, bias, skew)) for z in (-Z, Z)])
    return Estimate(centre, float(low), float(high), n)


def median(values: Numbers, seed: int = 0) -> Estimate:
    """The median of a value per item, and its interval by the percentile bootstrap (Efron 1979).

    From `MANY` items on the interval is between the order statistics that the bootstrap tends to.

    >>> median(np.array([3.0, 1.0, 2.0, np.nan])).value
    2.0
    """
    values = known(values)
    n = len(values)
    if not n:
        return Estimate()
    centre = float(np.median(values))
    if n < FEWEST:
        return Estimate(centre, None, None, n)
    if n >= MANY:
        half = Z * math.sqrt(n) / 2
        low, high = np.quantile(values, [0.5 - half / n, 0.5 + half / n])
        return Estimate(centre, float(low), float(high), n)
    chance = np.random.default_rng(seed)
    drawn = [np.median(values[chance.integers(0, n, (some, n))], axis=1) for some in _portions(n)]
    low, high = np.quantile(np.concatenate(drawn), [0.025, 0.975])
    return Estimate(centre, float(low), float(high), n)


def wilson(count: int, of: int) -> Share:
    """A share with Wilson's interval (1927), which is sound for few and for none.

    >>> share = wilson(0, 10)
    >>> round(share.low, 3), round(share.high, 3)
    (0.0, 0.278)
    """
    if not of:
        return Share(0, 0, None, None)
    share, square = count / of, Z * Z
    centre = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return Share(count, of, max(0.0, centre - half), min(1.0, centre + half))


def spread(values: Numbers) -> Spread:
    """Mean and quantiles (linear between values, Hyndman and Fan 1996, type 7).

    >>> spread(np.arange(1.0, 12.0))
    Spread(n=11, mean=6.0, p50=6.0, p90=10.0, p99=None)
    """
    values = known(values)
    n = len(values)
    if not n:
        return Spread()
    p50, p90, p99 = (float(value) for value in np.quantile(values, [0.5, 0.9, 0.99]))
    return Spread(n, float(values.mean()), p50, p90 if n >= LEAST[0.9] else None, p99 if n >= LEAST[0.99] else None)


def grouped(values: Numbers, groups: Codes | None) -> tuple[Numbers, Numbers]:
    """The sum of each group's known values and how many they are; without groups every value is one of its own."""
    there = np.isfinite(values)
    if groups is None:
        return values[there], np.ones(int(there.sum()))
    counts = np.bincount(groups[there])
    sums: Numbers = np.bincount(groups[there], values[there]).astype(float)
    return sums[counts > 0], counts[counts > 0].astype(float)


def _moved(z: float, bias: float, skew: float) -> float:
    """Where BCa reads the bootstrap's distribution instead of at `z`."""
    return bias + (bias + z) / (1 - skew * (bias + z))


def _drawn_means(sums: Numbers, counts: Numbers, seed: int) -> Numbers:
    chance, k = np.random.default_rng(seed), len(sums)
    alike = bool((counts == 1).all())
    means = []
    for some in _portions(k):
        drawn = chance.integers(0, k, (some, k))
        means.append(sums[drawn].sum(axis=1) / (k if alike else counts[drawn].sum(axis=1)))
    return np.concatenate(means)


def _portions(size: int) -> list[int]:
    """`RESAMPLES` in portions that fit `AT_ONCE`."""
    some = max(1, min(RESAMPLES, AT_ONCE // size))
    return [some] * (RESAMPLES // some) + ([RESAMPLES % some] if RESAMPLES % some else [])
