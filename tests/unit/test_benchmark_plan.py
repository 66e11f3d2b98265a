"""The plan of a benchmark: every cell once, each model in one piece, and an order that is fair to all items."""

import json
from collections import Counter
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from arena.compare import letter_of
from arena.spec import ModelSpec
from benchmarks.runs.plan import Plan, asks, facts


def plan(models=("one", "two"), **fields):
    told = {"id": str(ULID()), "name": "n", "dataset": "d", "dataset_sha256": "0", "models": tuple(models)}
    return Plan(**{**told, **fields})


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 3), st.integers(0, 12), st.integers())
def test_every_cell_is_asked_once_and_no_model_comes_twice(models, items, repeat, warmup, seed):
    made = plan([f"m{number}" for number in range(models)], repeat=repeat, warmup=warmup, seed=seed)
    found = asks(made, [f"i{number}" for number in range(items)])
    cells = [ask.place for ask in found]
    assert len(set(cells)) == len(cells) == made.size(items) == models * (items * repeat + min(warmup, items))
    assert [model for model, _ in groupby(ask.model for ask in found)] == list(made.models)
    for ask in found:
        assert ask.side == letter_of(made.models.index(ask.model)) == made.side(ask.model)
    for model in made.models:
        repeats = [ask.repeat for ask in found if ask.model == model]
        assert repeats == sorted(repeats), "warm-ups come first, then one pass after the other"


@given(st.integers(1, 9), st.integers(0, 99))
def test_what_drifts_falls_on_all_items_alike(items, seed):
    """Over two passes, of one model or of two, every item stands in the same place on the average."""
    for made in (plan(repeat=2, warmup=0, seed=seed, models=["one"]), plan(warmup=0, seed=seed)):
        places = Counter()
        for place, ask in enumerate(asks(made, [f"i{number}" for number in range(items)])):
            places[ask.item] += place
        assert len(set(places.values())) == 1


def test_a_warm_up_is_not_what_is_measured_next():
    for _, mine in groupby(asks(plan(), "abcdef"), key=lambda ask: ask.model):
        warmup, first, *_ = mine
        assert warmup.repeat == 0 and warmup.item != first.item


def test_the_order_is_drawn_from_the_seed_alone():
    items = [f"i{number}" for number in range(20)]
    one, same, other = (asks(plan(seed=seed), items) for seed in (1, 1, 2))
    assert one == same and one != other
    assert [ask.item for ask in one if ask.side == "A"] != items


def test_a_plan_is_the_same_after_the_database():
    made = plan(
        params={"temperature": 0.5}, item_seconds=2.0, specs={"one": {"mode": "embedded"}}, versions={"a": None}
    )
    assert Plan.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_the_answers_of_all_models_to_one_item_are_one_comparison():
    made, other = plan(), plan()
    ids = {made.comparison(item, repeat) for item in ("a", "b", "日本\ud800") for repeat in (0, 1, 2)}
    assert len(ids) == 9 and made.comparison("a", 1) in ids
    assert all(ULID.from_str(each).milliseconds == ULID.from_str(made.id).milliseconds for each in ids)
    assert other.comparison("a", 1) not in ids


def test_parameters_reach_the_models_they_are_meant_for_and_sampling_has_a_seed_for_each_repetition():
    one, two = (ModelSpec(id=name, title=name, adapter="fake", source="") for name in ("one", "two"))
    made = plan(seed=7, params={"max_new_tokens": 9, "one.temperature": 0.5})
    assert made.params_for(two, 1) == {"max_new_tokens": 9}
    assert [made.params_for(one, repeat)["seed"] for repeat in (0, 1, 2, 3)] == [7, 7, 8, 9]
    assert plan(params={"temperature": 1, "seed": 3}).params_for(one, 2)["seed"] == 3


def test_letters_go_on_after_z():
    assert [letter_of(order) for order in (0, 25, 26, 27, 52, 701, 702)] == ["A", "Z", "AA", "AB", "BA", "ZZ", "AAA"]


def test_what_a_model_was_tells_two_ways_of_loading_apart():
    one = ModelSpec(id="m", title="m", adapter="fake", source="")
    other = ModelSpec(id="m", title="m", adapter="fake", source="", options={"psm": 6})
    assert facts(one) == facts(one) and facts(one)["key"] != facts(other)["key"]
