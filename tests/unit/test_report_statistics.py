"""The statistics of reports: against scipy, against values that are known, and on samples whose truth is known."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from benchmarks.reports import difference, intervals, markdown, paired, plots, wording
from benchmarks.reports.intervals import MANY, Numbers, mean, median, spread, wilson
from benchmarks.reports.paired import DRAWS, holm, sign_flip

SCORES = arrays(float, st.integers(5, 40), elements=st.floats(0, 10))


@pytest.mark.parametrize(
    "module", [difference, intervals, markdown, paired, plots, wording], ids=lambda it: it.__name__
)
def test_the_examples_in_the_descriptions_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def skewed(seed: int, size: int) -> Numbers:
    """Like error rates: many small, some large. The true mean is 0.5."""
    return np.random.default_rng(seed).gamma(0.8, 0.5 / 0.8, size)


@pytest.mark.parametrize("size", [12, 60, 400])
def test_the_interval_of_a_mean_is_that_of_scipy(size: int) -> None:
    values = skewed(size, size)
    found = mean(values)
    other = stats.bootstrap((values,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(1))
    low, high = other.confidence_interval
    width = high - low
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(low, abs=0.06 * width)
    assert found.high == pytest.approx(high, abs=0.06 * width)


def test_the_limit_for_many_items_is_where_the_drawing_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    values = skewed(3, MANY)
    limit = mean(values)
    monkeypatch.setattr(intervals, "MANY", MANY + 1)
    drawn = mean(values)
    width = drawn.high - drawn.low  # type: ignore[operator]
    assert limit.low == pytest.approx(drawn.low, abs=0.06 * width)
    assert limit.high == pytest.approx(drawn.high, abs=0.06 * width)


def test_the_interval_of_a_median_is_that_of_scipy() -> None:
    values = skewed(9, 101)
    found = median(values)
    other = stats.bootstrap((values,), np.median, n_resamples=9999, method="percentile", rng=np.random.default_rng(1))
    assert (found.low, found.high) == pytest.approx(tuple(other.confidence_interval), abs=0.02)


@pytest.mark.parametrize("size", [30, MANY])
def test_intervals_hold_the_true_mean_about_as_often_as_they_say(size: int) -> None:
    """95 of 100, of skewed scores somewhat less: the limits leave no room for an interval that is simply wrong."""
    trials = 300
    held = 0
    for trial in range(trials):
        found = mean(skewed(1000 + trial, size), seed=trial)
        assert found.low is not None and found.high is not None
        held += found.low <= 0.5 <= found.high
    assert 0.90 <= held / trials <= 0.985


def test_pictures_of_one_original_are_drawn_together() -> None:
    """Ten originals, each shown twenty times with the same score: that is ten values and not two hundred."""
    originals = skewed(4, 10)
    groups = np.repeat(np.arange(10), 20)
    together, apart = mean(np.repeat(originals, 20), groups), mean(np.repeat(originals, 20))
    alone = mean(originals)
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high))
    assert together.high - together.low > 3 * (apart.high - apart.low)  # type: ignore[operator]
    assert together.n == 200


@given(SCORES)
def test_an_interval_lies_around_its_mean_and_within_the_values(values: Numbers) -> None:
    found = mean(values)
    assert found.low is not None and found.high is not None and found.value is not None
    slack = 1e-9 * (1 + abs(values).max())
    assert values.min() - slack <= found.low <= found.value + slack
    assert found.value - slack <= found.high <= values.max() + slack


def test_a_few_values_have_no_interval_and_none_have_no_mean() -> None:
    assert mean(np.array([np.nan, np.nan])) == intervals.Estimate()
    assert mean(np.array([1.0, 2.0, np.nan])) == intervals.Estimate(1.5, None, None, 2)
    assert median(np.array([])) == intervals.Estimate()
    assert spread(np.array([np.nan])) == intervals.Spread()


@pytest.mark.parametrize(("count", "of"), [(0, 20), (3, 20), (20, 20), (57, 1000)])
def test_the_interval_of_a_share_is_that_of_scipy(count: int, of: int) -> None:
    low, high = stats.binomtest(count, of).proportion_ci(method="wilson")
    found = wilson(count, of)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_quantiles_are_told_from_a_sensible_number_on() -> None:
    few, more, many = spread(np.arange(9.0)), spread(np.arange(99.0)), spread(np.arange(100.0))
    assert (few.p50, few.p90, few.p99) == (4.0, None, None)
    assert more.p90 is not None and more.p99 is None
    assert many.p99 == pytest.approx(np.quantile(np.arange(100.0), 0.99))


@pytest.mark.parametrize("size", [6, 12])
def test_all_signs_give_the_p_of_scipy(size: int) -> None:
    off = np.random.default_rng(size).normal(0.4, 1, size)
    other = stats.permutation_test((off,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(off) == pytest.approx(other.pvalue)


def test_drawn_signs_and_the_limit_give_the_p_of_a_t_test() -> None:
    off = np.random.default_rng(5).normal(0.12, 1, 300)
    expected = stats.ttest_1samp(off, 0).pvalue
    assert sign_flip(off) == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / DRAWS) + 0.004)
    many = np.random.default_rng(6).normal(0.04, 1, MANY)
    assert sign_flip(many) == pytest.approx(stats.ttest_1samp(many, 0).pvalue, abs=0.003)


def test_without_a_difference_p_is_small_as_seldom_as_it_should_be() -> None:
    chance = np.random.default_rng(8)
    found = [sign_flip(chance.gamma(1, 1, 20) * chance.choice([-1, 1], 20), seed) for seed in range(300)]
    assert np.mean([p <= 0.05 for p in found if p is not None]) == pytest.approx(0.05, abs=0.035)
    assert sign_flip(np.zeros(7)) == 1.0
    assert sign_flip(np.array([])) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_no_more_than_bonferroni_and_keeps_the_order(values: list[float]) -> None:
    found = holm(values)
    for before, after in zip(values, found, strict=True):
        assert after is not None and before <= after <= min(1.0, before * len(values))
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(np.array(found, dtype=float)[order]) >= 0)
