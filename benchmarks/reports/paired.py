"""Two models on the same items: how far apart they are, whether chance alone would do it, and who wins how often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.metrics import Better
from benchmarks.reports.intervals import MANY, NORMAL, Codes, Estimate, Numbers, grouped, mean

DRAWS = 9_999
AT_ONCE = 1_000  # draws that are held at a time
SAME = 1e-9  # scores that are no further apart are a tie


@dataclass(frozen=True)
class Paired:
    """One model against another on the items that both were asked.

    difference: mean of first minus second, in the metric's unit, n common items. p: two-sided, of the sign-flip test;
    adjusted: by Holm among the tests made together. effect: Cohen's d of paired differences, None where they do not
    vary. wins, ties, losses: items on which the first is better, as good, worse.
    """

    first: str
    second: str
    metric: str
    difference: Estimate
    p: float | None
    adjusted: float | None
    effect: float | None
    wins: int
    ties: int
    losses: int


def paired(
    first: str,
    second: str,
    metric: str,
    better: Better,
    values: tuple[Numbers, Numbers],
    groups: Codes | None = None,
) -> Paired:
    """values: a score per item of each model, in the same order; NaN where there is none.

    >>> found = paired("a", "b", "cer", "lower", (np.array([0.1, 0.2, 0.3]), np.array([0.2, 0.2, 0.5])))
    >>> found.wins, found.ties, found.losses, found.difference.n, found.p
    (2, 1, 0, 3, 0.5)
    """
    off = values[0] - values[1]
    there = np.isfinite(off)
    gain = -off[there] if better == "lower" else off[there]
    deviation = float(off[there].std(ddof=1)) if there.sum() > 1 else 0.0
    effect = float(off[there].mean()) / deviation if deviation > SAME else None
    wins, losses = int((gain > SAME).sum()), int((gain < -SAME).sum())
    p = sign_flip(grouped(off, groups)[0])
    return Paired(
        first, second, metric, mean(off, groups), p, p, effect, wins, int(there.sum()) - wins - losses, losses
    )


def sign_flip(differences: Numbers, seed: int = 0) -> float | None:
    """The two-sided p of the permutation test of a paired mean (Fisher 1935): every difference could as well have had
    the other sign.

    All signs where they are at most `DRAWS`; drawn ones up to `MANY` differences, the sample itself counted among them
    (Phipson and Smyth 2010); the normal limit beyond. It asks about the mean, which is what the tables show, and many
    equal scores do not trouble it as they do a test of ranks.

    >>> sign_flip(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    0.03125
    """
    size = len(differences)
    if not size:
        return None
    seen = abs(float(differences.sum())) * (1 - 1e-12)
    if seen == 0:
        return 1.0
    if size >= MANY:
        return 2 * NORMAL.cdf(-seen / math.sqrt(float((differences**2).sum())))
    if 2**size <= DRAWS:
        signs = 1 - 2 * ((np.arange(2**size)[:, None] >> np.arange(size)) & 1)
        return float((np.abs(signs @ differences) >= seen).mean())
    chance = np.random.default_rng(seed)
    reached = 1
    for start in range(0, DRAWS, AT_ONCE):
        bits = chance.integers(0, 256, (min(AT_ONCE, DRAWS - start), -(-size // 8)), dtype=np.uint8)
        flips = np.unpackbits(bits, axis=1, count=size)
        reached += int((np.abs(differences.sum() - 2 * (flips @ differences)) >= seen).sum())
    return reached / (1 + DRAWS)


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Adjusted so that among all of them a false alarm is as rare as in one (Holm 1979).

    >>> holm([0.01, 0.04, None, 0.03])
    [0.03, 0.06, None, 0.06]
    """
    order = sorted((p, at) for at, p in enumerate(values) if p is not None)
    adjusted: list[float | None] = [None] * len(values)
    most = 0.0
    for place, (p, at) in enumerate(order):
        most = max(most, min(1.0, p * (len(order) - place)))
        adjusted[at] = most
    return adjusted
