"""Davidson's model: the maximum that an independent search finds, and ratings that are what the truth says they are."""

from __future__ import annotations

import numpy as np
import pytest

from arena.rating import Tally, rate
from arena.rating.davidson import STRENGTH_SD, TIES_CENTRE, TIES_SD, Counts, Pairs, fit, refit
from arena.rating.standings import CENTRE, POINTS

Table = tuple[np.ndarray, np.ndarray, np.ndarray]


def every_pair(models: int) -> Pairs:
    return Pairs(models, *np.triu_indices(models, 1))


def probabilities(pairs: Pairs, strengths: np.ndarray, tie: float) -> np.ndarray:
    """As Davidson writes them, with the strengths' exponentials: first preferred, second, tied; ``(3, pairs)``."""
    one, other = np.exp(strengths[pairs.first]), np.exp(strengths[pairs.second])
    middle = np.exp(tie) * np.sqrt(one * other)
    return np.stack([one, other, middle]) / (one + other + middle)


def drawn(chance: np.random.Generator, pairs: Pairs, strengths: np.ndarray, tie: float, votes: int) -> np.ndarray:
    """Votes on pairs taken at random, ``(3, pairs)``."""
    share = probabilities(pairs, strengths, tie) / len(pairs.first)
    return chance.multinomial(votes, share.ravel()).reshape(3, -1)


def tally(pairs: Pairs, table: np.ndarray) -> Tally:
    none = np.zeros(len(pairs.first), dtype=np.int64)
    return Tally(tuple(f"m{index}" for index in range(pairs.models)), pairs.first, pairs.second, *table, none)


def centres(tables: int, models: int) -> np.ndarray:
    return np.hstack([np.zeros((tables, models)), np.full((tables, 1), TIES_CENTRE)])


def test_the_fit_is_the_maximum_that_another_search_finds() -> None:
    from scipy.optimize import minimize

    pairs = every_pair(4)
    wins, losses, ties = np.array([[5, 9, 3, 4, 7, 1], [2, 1, 3, 4, 0, 6], [1, 0, 4, 2, 2, 3]], dtype=float)

    def unlikely(at: np.ndarray) -> float:
        won, lost, tied = np.log(probabilities(pairs, at[:-1], at[-1]))
        prior = (at[:-1] ** 2).sum() / STRENGTH_SD**2 + ((at[-1] - TIES_CENTRE) / TIES_SD) ** 2
        return float(prior / 2 - (wins * won + losses * lost + ties * tied).sum())

    found = minimize(unlikely, np.zeros(5), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    found = minimize(unlikely, found.x, method="BFGS", options={"gtol": 1e-9})
    ours = fit(pairs, Counts(wins[None], losses[None], ties[None]), centres(1, 4))[0]
    assert ours == pytest.approx(found.x, abs=1e-5)
    assert unlikely(ours) <= found.fun + 1e-9


def test_without_a_prior_to_speak_of_the_expected_wins_are_those_that_were() -> None:
    """The equations of Davidson's paper: at the maximum, a model's wins and half its ties are what was expected."""
    chance, pairs = np.random.default_rng(1), every_pair(5)
    truth = np.array([1.0, 0.5, 0.0, -0.5, -1.0])
    table = drawn(chance, pairs, truth, np.log(0.7), 2_000_000)
    found = fit(pairs, Counts(*table[:, None].astype(float)), centres(1, 5))[0]
    expected = probabilities(pairs, found[:-1], found[-1]) * table.sum(axis=0)
    counted, foreseen = (
        np.bincount(pairs.first, won + tied / 2, 5) + np.bincount(pairs.second, lost + tied / 2, 5)
        for won, lost, tied in (table, expected)
    )
    assert counted == pytest.approx(foreseen, rel=1e-5)
    assert table[2].sum() == pytest.approx(expected[2].sum(), rel=1e-5)
    assert found[:-1] == pytest.approx(truth, abs=0.01)
    assert found[-1] == pytest.approx(np.log(0.7), abs=0.01)


@pytest.mark.parametrize("votes", [12, 60, 5000])
def test_the_quick_way_of_refitting_ends_where_the_long_one_does(votes: int) -> None:
    chance, pairs = np.random.default_rng(votes), every_pair(6)
    table = drawn(chance, pairs, chance.normal(0, 1, 6), np.log(0.5), votes)
    before = Counts(*table[:, None].astype(float))
    start = fit(pairs, before, centres(1, 6))[0]
    again = Counts(*(chance.poisson(each, (200, 15)).astype(float) for each in table))
    around = centres(200, 6) + chance.normal(0, 1, (200, 7))
    quick, long = refit(pairs, again, around, before, start), fit(pairs, again, around, 1e-8)
    assert np.abs(quick - long).max() < 0.005, "a point at the most"


def test_on_many_votes_the_true_order_and_distances_are_recovered() -> None:
    chance, pairs = np.random.default_rng(2), every_pair(8)
    truth = np.linspace(1.4, -1.4, 8)
    standings = rate(tally(pairs, drawn(chance, pairs, truth, np.log(0.4), 20_000)), bootstraps=200)
    assert [each.model for each in standings.ratings] == [f"m{index}" for index in range(8)]
    assert [each.rating for each in standings.ratings] == pytest.approx(list(CENTRE + POINTS * truth), abs=25)
    assert standings.tie_share == pytest.approx(0.4 / 2.4, abs=0.01)
    assert {each.tier for each in standings.ratings} == {"established"}
    assert [each.rank for each in standings.ratings] == list(range(1, 9))


@pytest.mark.parametrize(("models", "votes"), [(4, 18), (6, 200), (6, 1000)])
def test_intervals_of_95_percent_hold_the_truth_about_as_often(models: int, votes: int) -> None:
    chance, pairs = np.random.default_rng(votes), every_pair(models)
    held = 0
    rounds = 100
    for _ in range(rounds):
        truth = chance.normal(0, 0.8, models)
        truth -= truth.mean()
        standings = rate(tally(pairs, drawn(chance, pairs, truth, np.log(0.5), votes)), bootstraps=300)
        for each in standings.ratings:
            true = CENTRE + POINTS * truth[int(each.model[1:])]
            held += each.low is None or each.high is None or each.low <= true <= each.high
    # The models of one round hang together, so four standard errors of the rounds alone are a wide allowance.
    assert held / (rounds * models) == pytest.approx(0.95, abs=0.04)
