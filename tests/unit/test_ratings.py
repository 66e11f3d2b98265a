"""Standings of votes: what must not matter does not, few votes stay modest, and both-bad is never a tie."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.rating import CRITERIA, METHOD, Cell, Rating, Standings, Tally, rate
from arena.votes import OUTCOMES, Outcome, Vote

FEW = 60  # bootstraps, where the interval is not what is tested
SWAPPED: dict[Outcome, Outcome] = {"a": "b", "b": "a", "tie": "tie", "both_bad": "both_bad"}
models = st.sampled_from(["qwen", "got", "rapidocr", "tesseract", "moondream"])
cells = st.lists(st.tuples(models, models, st.sampled_from(OUTCOMES), st.integers(1, 40)), max_size=12)


def vote(a: str, b: str, outcome: Outcome, **more: object) -> Vote:
    said = {"comparison_id": "c", "run_a": "r1", "run_b": "r2", "model_a": a, "model_b": b, "task": "ocr"}
    return Vote(**{**said, "outcome": outcome, **more})  # type: ignore[arg-type]


def one_by_one(votes: list[Vote]) -> Tally:
    return Tally.of_cells((each.model_a, each.model_b, each.outcome, 1) for each in votes)


def by_model(standings: Standings) -> dict[str, Rating]:
    return {each.model: each for each in standings.ratings}


# Four models, three votes on every pair: one never lost, one never won.
CLASS: list[Cell] = [
    ("top", "second", "a", 3),
    ("third", "top", "b", 3),
    ("top", "last", "a", 3),
    ("second", "third", "a", 2),
    ("second", "third", "b", 1),
    ("last", "second", "b", 3),
    ("third", "last", "a", 3),
]


@pytest.mark.battery("S13")
def test_eighteen_votes_with_an_undefeated_and_a_winless_model_stay_modest() -> None:
    standings = rate(Tally.of_cells(CLASS))
    assert standings.tally.votes == 18
    assert [each.model for each in standings.ratings] == ["top", "second", "third", "last"]
    for each in standings.ratings:
        assert each.rating is not None and each.low is not None and each.high is not None
        assert 300 < each.rating < 1700
        assert each.low < each.rating < each.high
        assert each.high - each.low > 200, "certainty that eighteen votes cannot give"
        assert each.tier == "preliminary"
    assert (by_model(standings)["top"].losses, by_model(standings)["last"].wins) == (0, 0)


@settings(max_examples=30, deadline=None)
@given(cells, st.randoms(use_true_random=False))
def test_neither_the_order_of_votes_nor_the_sides_matter(given_cells: list[Cell], chance: random.Random) -> None:
    votes = [vote(a, b, outcome) for a, b, outcome, count in given_cells for _ in range(count)]
    told = rate(one_by_one(votes), FEW)
    chance.shuffle(votes)
    turned = [
        replace(each, model_a=each.model_b, model_b=each.model_a, outcome=SWAPPED[each.outcome])
        if chance.random() < 0.5
        else each
        for each in votes
    ]
    assert rate(one_by_one(turned), FEW).ratings == told.ratings


@settings(max_examples=30, deadline=None)
@given(cells)
def test_the_names_of_models_do_not_matter(given_cells: list[Cell]) -> None:
    names = {"qwen": "z", "got": "y", "rapidocr": "x", "tesseract": "w", "moondream": "v"}
    told = by_model(rate(Tally.of_cells(given_cells), FEW))
    renamed = by_model(rate(Tally.of_cells((names[a], names[b], outcome, n) for a, b, outcome, n in given_cells), FEW))
    for model, each in told.items():
        other = renamed[names[model]]
        assert other.votes == each.votes and other.both_bad == each.both_bad
        assert (each.rating is None) == (other.rating is None)
        if each.rating is not None:
            assert other.rating == pytest.approx(each.rating, abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(cells)
def test_every_rating_lies_in_its_interval_and_groups_average_1000(given_cells: list[Cell]) -> None:
    standings = rate(Tally.of_cells(given_cells), FEW)
    for group in range(standings.groups):
        own = [each for each in standings.ratings if each.group == group]
        assert len(own) > 1
        assert sum(each.rating or 0 for each in own) / len(own) == pytest.approx(1000)
        assert own[0].rank == 1
    for each in standings.ratings:
        assert each.votes == each.wins + each.losses + each.ties
        if each.rating is None:
            assert each.votes == 0 and each.low is None and each.rank is None and each.group is None
        else:
            assert each.low is not None and each.high is not None and each.low <= each.rating <= each.high


def test_to_exchange_two_models_everywhere_exchanges_their_ratings() -> None:
    other = {"top": "last", "last": "top"}
    mirrored = [(other.get(a, a), other.get(b, b), outcome, count) for a, b, outcome, count in CLASS]
    told, turned = by_model(rate(Tally.of_cells(CLASS))), by_model(rate(Tally.of_cells(mirrored)))
    assert turned["last"].rating == pytest.approx(told["top"].rating)
    assert turned["top"].rating == pytest.approx(told["last"].rating)


def test_both_bad_is_counted_and_changes_no_rating() -> None:
    bad: list[Cell] = [("top", "last", "both_bad", 5), ("second", "other", "both_bad", 2)]
    without, with_them = by_model(rate(Tally.of_cells(CLASS))), by_model(rate(Tally.of_cells(CLASS + bad)))
    assert with_them["top"].both_bad == 5 and with_them["top"].ties == 0
    assert with_them["top"].rating == pytest.approx(without["top"].rating)
    unrated = with_them["other"]
    assert (unrated.rating, unrated.low, unrated.rank, unrated.group) == (None, None, None, None)
    assert unrated.both_bad == 2 and unrated.tier == "preliminary"


def test_a_tie_of_identical_answers_is_a_tie() -> None:
    said = [vote("x", "y", "a"), vote("x", "y", "tie", automatic=True)]
    standings = rate(one_by_one(said), FEW)
    assert [(each.wins, each.losses, each.ties) for each in standings.ratings] == [(1, 0, 1), (0, 1, 1)]


def test_ties_draw_two_models_together() -> None:
    apart = rate(Tally.of_cells([("x", "y", "a", 10)]), FEW).ratings[0].rating
    closer = rate(Tally.of_cells([("x", "y", "a", 10), ("x", "y", "tie", 30)]), FEW).ratings[0].rating
    assert apart is not None and closer is not None and 1000 < closer < apart


@pytest.mark.battery("S13")
def test_nothing_but_ties_is_a_rating_alike_for_all() -> None:
    standings = rate(Tally.of_cells([("x", "y", "tie", 50), ("y", "z", "tie", 2)]))
    assert [each.rating for each in standings.ratings] == pytest.approx([1000] * 3)
    assert all(each.low < 1000 < each.high for each in standings.ratings if each.low and each.high)
    assert standings.tie_share is not None and 0.5 < standings.tie_share < 1


@pytest.mark.battery("S13")
def test_models_that_nobody_connected_are_told_apart() -> None:
    standings = rate(Tally.of_cells([*CLASS, ("far", "away", "a", 2)]))
    assert standings.groups == 2
    groups = {each.model: each.group for each in standings.ratings}
    assert groups == {"top": 0, "second": 0, "third": 0, "last": 0, "far": 1, "away": 1}
    assert [each.group for each in standings.ratings] == [0, 0, 0, 0, 1, 1]
    joined = rate(Tally.of_cells([*CLASS, ("far", "away", "a", 2), ("away", "last", "tie", 1)]))
    assert joined.groups == 1


@pytest.mark.battery("S13")
def test_a_model_against_itself_says_nothing() -> None:
    assert rate(Tally.of_cells([("x", "x", "a", 9)])).ratings == ()
    assert rate(Tally.of_cells([])).ratings == () and rate(Tally.of_cells([])).tie_share is None


def test_trust_grows_with_the_votes() -> None:
    def tiers(times: int) -> set[str]:
        # Every pair of four votes 5 to 3 with two ties.
        pairs = [("w", "x"), ("w", "y"), ("w", "z"), ("x", "y"), ("x", "z"), ("y", "z")]
        counts: list[tuple[Outcome, int]] = [("a", 5), ("b", 3), ("tie", 2)]
        said = [(a, b, outcome, count * times) for a, b in pairs for outcome, count in counts]
        return {each.tier for each in rate(Tally.of_cells(said), 200).ratings}

    # 30 votes a model are enough in number but not in width; at 75 and 600 the intervals are narrow enough.
    assert [tiers(times) for times in (1, 3, 20)] == [{"preliminary"}, {"usable"}, {"established"}]
    assert CRITERIA["established"][0] > CRITERIA["usable"][0] and CRITERIA["established"][1] < CRITERIA["usable"][1]


@pytest.mark.battery("S13")
def test_a_million_votes_for_one_side_are_finite() -> None:
    standings = rate(Tally.of_cells([("x", "y", "a", 10**6), ("x", "z", "tie", 1)]), FEW)
    assert all(each.rating is not None and abs(each.rating) < 10_000 for each in standings.ratings)


def test_the_same_votes_give_the_same_standings_with_the_method_named() -> None:
    first, again = rate(Tally.of_cells(CLASS)), rate(Tally.of_cells(CLASS))
    assert first.ratings == again.ratings
    assert first.method == METHOD and first.bootstraps == 1000
