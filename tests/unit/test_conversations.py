"""What is kept of a conversation, whose it is, and what a change of a question leaves of it; on every database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from arena.conversations import Answer, Conversation, Conversations, Turn, fresh, title_of
from arena.errors import RunError
from arena.store import Store

pytest_plugins = ("postgres",)
SETUP = {"who": "AB", "models": {"A": "one", "B": "two"}, "system": "Кратко.", "params": {"temperature": "0,7"}}


@pytest.fixture
def kept(url: str) -> Iterator[Conversations]:
    store = Store(url)
    yield Conversations(store)
    store.close()


def begun(kept: Conversations, visitor: str = "v", text: str = "Что на снимке?") -> Conversation:
    first = fresh(visitor, text, SETUP, ("abc", "def"))
    kept.begin(first)
    return first


def asked(kept: Conversations, conversation: Conversation, text: str, position: int | None = None) -> Conversation:
    turns = kept.load(conversation.id, None).turns
    longer = replace(conversation, turns=(*turns[:position], Turn(text)))
    kept.ask(longer, conversation.visitor)
    return longer


def answer(text: str, side: str = "A") -> Answer:
    return Answer(text, f"model-{side}", f"run-{text}")


def test_what_was_said_is_kept_in_its_order(kept: Conversations) -> None:
    first = begun(kept, text="Что на снимке? \x00")
    assert kept.answered(first.id, 0, "B", answer("Чек", "B")) and kept.answered(first.id, 0, "A", answer("Касса"))
    asked(kept, first, "А сумма?")
    found = kept.load(first.id, "v")
    assert found.setup == SETUP and found.title == "Что на снимке? \N{REPLACEMENT CHARACTER}"
    assert [turn.images for turn in found.turns] == [("abc", "def"), ()]
    assert found.turns[0].text.startswith("Что на снимке?") and found.turns[1] == Turn("А сумма?")
    assert {side: each.text for side, each in found.turns[0].answers.items()} == {"A": "Касса", "B": "Чек"}
    assert found.turns[0].answers["B"] == Answer("Чек", "model-B", "run-Чек")
    assert found.updated_at > first.updated_at == found.created_at


def test_an_edited_question_replaces_all_that_followed(kept: Conversations) -> None:
    first = begun(kept)
    for position, text in enumerate(("one", "two", "three")):
        if position:
            asked(kept, first, text)
        kept.answered(first.id, position, "A", answer(text))
    asked(kept, first, "two, but better", position=1)
    turns = kept.load(first.id, "v").turns
    assert [turn.text for turn in turns] == ["Что на снимке?", "two, but better"]
    assert list(turns[0].answers) == ["A"] and turns[1].answers == {}


def test_an_answer_comes_once_and_only_to_a_question_that_is_there(kept: Conversations) -> None:
    first = begun(kept)
    assert kept.answered(first.id, 0, "A", answer("first"))
    assert not kept.answered(first.id, 0, "A", answer("second")), "of a comparison before, which was slower"
    assert not kept.answered(first.id, 5, "A", answer("x")) and not kept.answered("unknown", 0, "A", answer("x"))
    assert kept.load(first.id, "v").turns[0].answers == {"A": answer("first")}


def test_a_shortened_conversation_takes_no_question_beyond_its_end(kept: Conversations) -> None:
    first = begun(kept)
    beyond = replace(first, turns=(*first.turns, Turn("two"), Turn("three")))
    with pytest.raises(RunError) as error:
        kept.ask(beyond, "v")
    assert error.value.kind == "bad_input" and len(kept.load(first.id, "v").turns) == 1


def test_each_reaches_his_own_and_who_may_see_all_reaches_all(kept: Conversations) -> None:
    mine, other = begun(kept), begun(kept, "w")
    assert [each.id for each in kept.list("v")] == [mine.id] and kept.list("nobody") == []
    assert [each.id for each in kept.list(None)] == [other.id, mine.id]
    for forbidden in (
        lambda: kept.load(other.id, "v"),
        lambda: kept.rename(other.id, "v", "mine now"),
        lambda: kept.ask(replace(other, turns=(Turn("mine now"),)), "v"),
        lambda: kept.load("unknown", None),
    ):
        with pytest.raises(RunError):
            forbidden()
    assert not kept.delete(other.id, "v")
    assert kept.load(other.id, "w").title == "Что на снимке?" and kept.load(other.id, None).turns == other.turns


def test_the_last_used_comes_first_and_a_deleted_one_is_gone_with_all_it_held(kept: Conversations) -> None:
    first, second = begun(kept), begun(kept)
    assert [each.id for each in kept.list("v")] == [second.id, first.id]
    asked(kept, first, "И ещё?")
    assert [each.id for each in kept.list("v")] == [first.id, second.id] and len(kept.list("v", limit=1)) == 1
    kept.rename(first.id, "v", "  Кассовый   чек ")
    assert kept.load(first.id, "v").title == "Кассовый чек"
    assert kept.delete(first.id, "v") and not kept.delete(first.id, "v")
    assert not kept.answered(first.id, 0, "A", answer("too late"))
    assert [each.id for each in kept.list("v")] == [second.id]


def test_the_title_is_the_first_words() -> None:
    assert title_of("Какая сумма стоит в самом низу этого чека, и в какой валюте она указана?") == (
        "Какая сумма стоит в самом низу этого чека, и в какой валюте…"
    )
    assert title_of("x" * 200) == "x" * 60 + "…" and title_of(" \n ") == "…"
