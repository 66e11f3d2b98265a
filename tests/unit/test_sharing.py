"""Which worker takes which cell, and what becomes of those that nobody could fill."""

from collections import Counter

import pytest

from arena.errors import RunError
from benchmarks.engines.ray import Ray
from benchmarks.engines.sharing import CHANCES, Cells
from benchmarks.runs.plan import Ask


def cells(**counts):
    return Cells(
        Ask(model, "AB"[at], f"{n}", 1) for at, (model, count) in enumerate(counts.items()) for n in range(count)
    )


def test_a_worker_keeps_the_model_it_has_loaded_and_takes_its_cells_in_their_order():
    left = cells(one=5, two=50)
    taken = [left.take({"one", "two"}, "one", {}) for _ in range(5)]
    assert [ask.item for ask in taken] == ["0", "1", "2", "3", "4"] and {ask.model for ask in taken} == {"one"}
    assert left.take({"one", "two"}, "one", {}).model == "two" and left.models() == ["two"]


def test_a_model_is_loaded_by_a_further_worker_only_where_enough_is_left_for_both():
    assert cells(one=8).take({"one"}, None, Counter(one=1)) is not None
    assert cells(one=7).take({"one"}, None, Counter(one=1)) is None
    assert cells(one=1).take({"one"}, None, Counter()) is not None
    assert cells(one=40, two=9).take({"one", "two"}, None, Counter(one=3)).model == "one"
    assert cells(one=20, two=9).take({"one", "two"}, None, Counter(one=3)).model == "two"


def test_a_worker_is_given_nothing_that_it_cannot_run():
    left = cells(one=5, two=2)
    assert left.take({"two"}, None, {}).model == "two" and left.take(set(), None, {}) is None


def test_a_cell_over_which_workers_are_lost_is_not_given_out_for_ever():
    left = cells(one=3)
    for attempt in range(CHANCES):
        ask = left.take({"one"}, None, {})
        assert ask.item == "0"
        assert left.give_back(ask, lost=True) is (attempt == CHANCES - 1)
    assert left.take({"one"}, None, {}).item == "1"
    again = Ask("one", "A", "1", 1)
    assert not any(left.give_back(again, lost=False) for _ in range(10)), "whose worker is there has lost nothing"


def test_without_ray_the_command_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(RunError) as caught:
        Ray()
    assert caught.value.kind == "unavailable"
    assert all(
        "pip install -r" in caught.value.text(lang) and "ray.txt" in caught.value.text(lang) for lang in ("en", "ru")
    )
