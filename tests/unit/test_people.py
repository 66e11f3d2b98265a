"""What people leave in the database: votes, whose a comparison is, who brought which picture; on every database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from runs import make_run
from starlette.requests import Request as HttpRequest

from arena.access import COOKIE, new_token, visitor_of, whose
from arena.comparisons import Comparisons
from arena.config import load_settings
from arena.pictures import Pictures
from arena.store import RunQuery, Store
from arena.votes import Vote, Votes

pytest_plugins = ("postgres",)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store(url)
    yield store
    store.close()


def vote(**more: object) -> Vote:
    told = {"comparison_id": "c1", "run_a": "r1", "run_b": "r2", "model_a": "m1", "model_b": "m2", "task": "ocr"}
    return Vote(**{**told, "outcome": "a", **more})  # type: ignore[arg-type]


def test_a_vote_is_kept_as_it_was_cast(store: Store) -> None:
    votes = Votes(store)
    cast = votes.cast(vote(reasons=("complete", "exact"), visitor="v", name="Маша\x00", language="ru"))
    (kept,) = votes.iterate()
    assert (kept.reasons, kept.language, kept.id) == (("complete", "exact"), "ru", cast.id)
    assert kept.created_at == cast.created_at and kept.name.startswith("Маша")


def test_a_visitor_has_one_vote_on_a_comparison(store: Store) -> None:
    votes = Votes(store)
    votes.cast(vote(visitor="v"))
    votes.cast(vote(visitor="v", outcome="b"))
    votes.cast(vote(visitor="w", outcome="tie"))
    votes.cast(vote(visitor="v", comparison_id="c2"))
    assert votes.count(comparison_id="c1") == {"a": 0, "b": 1, "tie": 1, "both_bad": 0}
    assert votes.count(visitor="v") == {"a": 1, "b": 1, "tie": 0, "both_bad": 0}


def test_a_vote_is_taken_back_by_who_cast_it(store: Store) -> None:
    votes = Votes(store)
    mine = votes.cast(vote(visitor="v"))
    assert not votes.take_back(mine.id, "w")
    assert votes.take_back(mine.id, "v") and not votes.take_back(mine.id, "v")
    assert list(votes.iterate()) == []


def test_votes_are_found_by_task_and_language(store: Store) -> None:
    votes = Votes(store)
    for task, language in (("ocr", "ru"), ("ocr", "en"), ("question", "ru")):
        votes.cast(vote(task=task, language=language))
    assert len(list(votes.iterate(task="ocr"))) == 2 and len(list(votes.iterate(task="ocr", language="ru"))) == 1


def test_a_visitor_is_shown_his_own_runs(store: Store) -> None:
    comparisons = Comparisons(store)
    mine, other = make_run(1), make_run(2)
    for run, visitor in ((mine, "v"), (other, "w")):
        comparisons.begin(run.comparison_id, visitor)
        store.save(run)
    store.save(make_run(3))
    assert store.page(RunQuery(visitor="v")).runs == [mine]
    assert store.comparison("") == [], "no id is nobody's comparison, not everybody's"
    assert store.count(RunQuery()) == 3 and store.count(RunQuery(visitor="nobody")) == 0
    assert comparisons.visitor(other.comparison_id) == "w" and comparisons.of("v") == [mine.comparison_id]


def test_a_comparison_is_shared_until_it_is_not(store: Store) -> None:
    comparisons = Comparisons(store)
    comparisons.begin("c", "v")
    assert not comparisons.is_shared("c")
    assert comparisons.share("c") and comparisons.is_shared("c")
    assert comparisons.share("c", shared=False) and not comparisons.is_shared("c")
    assert not comparisons.share("unknown")


def test_a_picture_is_seen_by_who_brought_it(store: Store) -> None:
    pictures = Pictures(store)
    for visitor in ("v", "v", "w"):
        pictures.brought(visitor, "abc")
    assert pictures.may_see("v", "abc") and pictures.may_see("w", "abc")
    assert not pictures.may_see("x", "abc") and not pictures.may_see("v", "abd")


def asked(cookie: str = "") -> HttpRequest:
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())] if cookie else []
    return HttpRequest({"type": "http", "headers": headers})


def test_a_browser_is_one_visitor_and_its_secret_is_not_told() -> None:
    token = new_token()
    assert visitor_of(asked(token)) == visitor_of(asked(token)) != visitor_of(asked(new_token()))
    assert visitor_of(asked(token)) not in token and visitor_of(asked()) == "" == visitor_of(None)


@pytest.mark.parametrize("variable", ["ARENA_SHARE", "ARENA_SCHOOL", "ARENA_PASSWORD"])
def test_strangers_are_kept_apart(variable: str) -> None:
    alone, apart = load_settings({}), load_settings({variable: "1"})
    token = new_token()
    assert whose(asked(token), alone) is None
    assert whose(asked(token), apart) == visitor_of(asked(token))
    assert whose(asked(), apart) not in (None, "")
