"""A turn of a conversation: what each side hears, what is kept of its answer, how it looks, who gets the file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from arena.access import COOKIE, new_token, visitor_of
from arena.cancel import Cancel
from arena.chat import LIVELY, answering, heard, request_of, takes_several
from arena.config import load_settings
from arena.conversations import Answer, Conversation, Conversations, Turn, fresh
from arena.core import Arena, arena_of
from arena.images import StoredImage
from arena.spec import ModelSpec
from arena.strings import LANGUAGES
from arena.types import Delta, Run
from arena.ui import chat_list, chat_pictures, chat_view
from arena.ui.chat_panel import known_to
from arena.ui.chat_route import as_json, as_markdown, router
from arena.ui.image_panel import Chosen


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    home = str(tmp_path_factory.mktemp("home"))
    with arena_of(load_settings({"ARENA_HOME": home, "ARENA_DEV": "1", "ARENA_PASSWORD": "x"})) as arena:
        yield arena


@pytest.fixture
def kept(arena: Arena) -> Conversations:
    return Conversations(arena.store)


@pytest.fixture
def fake(arena: Arena) -> ModelSpec:
    return arena.catalog.find("fake")


def picture(arena: Arena, tmp_path: Path, colour: str) -> str:
    path = tmp_path / f"{colour}.png"
    Image.new("RGB", (40, 30), colour).save(path)
    return arena.images.add(path).sha256


def said(text: str) -> Answer:
    return Answer(text, "fake", f"run-{text}")


def ask(
    arena: Arena, kept: Conversations, conversation: Conversation, models: dict[str, ModelSpec], **more: object
) -> list[Run]:
    """The runs of the last turn, which is asked and answered."""
    first = len(conversation.turns) == 1 and not kept.list(conversation.visitor)
    write = partial(kept.begin, conversation) if first else partial(kept.ask, conversation, conversation.visitor)
    order = request_of(arena, conversation, models, {}, visitor=conversation.visitor, **more)  # type: ignore[arg-type]
    events = list(answering(kept, write, conversation, arena, order, Cancel()))
    return [event for event in events if isinstance(event, Run)]


def test_a_side_hears_its_own_answers_and_every_picture() -> None:
    turns = [
        Turn("one", ("red",), {"A": said("a1"), "B": said("b1")}),
        Turn("two", ("blue",), {"A": said("a2"), "B": said(" ")}),
        Turn("three", (), {"B": said("b3")}),
        Turn("four", ("green", "grey")),
    ]
    assert heard(turns, "A") == (
        [["one", "a1"], ["two", "a2"]],
        [(0, "red"), (1, "blue"), (2, "green"), (2, "grey")],
    )
    assert heard(turns, "B") == (
        [["one", "b1"], ["three", "b3"]],
        [(0, "red"), (1, "blue"), (2, "green"), (2, "grey")],
    )
    assert heard(turns[:1], "A") == ([], [(0, "red")]), "what is asked now has no answer yet, or is asked once more"


def test_only_who_takes_several_pictures_is_given_them(arena: Arena, fake: ModelSpec, tmp_path: Path) -> None:
    red, blue = (picture(arena, tmp_path, colour) for colour in ("red", "blue"))
    qwen, phi = arena.catalog.find("qwen2_vl_2b"), arena.catalog.find("phi35_vision")
    served = arena.catalog.find("qwen2_vl_2b:vllm")
    assert [takes_several(spec) for spec in (fake, qwen, served, phi)] == [True, True, False, False]
    turns = (Turn("one", (red,), {"A": said("a1"), "B": said("b1")}), Turn("two", (blue,)))
    talk = replace(fresh("v", "one", {"system": " Be brief. "}), turns=turns)
    order = request_of(arena, talk, {"A": qwen, "B": phi}, {"A": {"seed": 7}}, visitor="v")
    assert order.image == arena.images.get(blue) and order.prompt == "two" and order.visitor == "v"
    one, two = (side.params for side in order.sides)
    assert one == {
        "seed": 7,
        "system": "Be brief.",
        "history": [["one", "a1"]],
        "image_turn": 1,
        "earlier_images": [[0, f"../{red[:2]}/{red}.png"]],
    }
    assert (arena.images.get(blue).path.parent / one["earlier_images"][0][1]).is_file()  # type: ignore[index,union-attr]
    assert two == {"system": "Be brief.", "history": [["one", "b1"]], "image_turn": 1}


def test_another_answer_is_sampled_unless_a_temperature_was_given(arena: Arena, fake: ModelSpec) -> None:
    talk = fresh("v", "one", {})
    plain, lively, own = (
        request_of(arena, talk, {"B": fake}, params, visitor="v", again=again).sides[0].params.get("temperature")
        for params, again in (({}, False), ({}, True), ({"B": {"temperature": 0.1}}, True))
    )
    assert (plain, lively, own) == (None, LIVELY, 0.1)


def test_a_conversation_goes_on_with_one_model_or_with_two(
    arena: Arena, kept: Conversations, fake: ModelSpec, tmp_path: Path
) -> None:
    red = picture(arena, tmp_path, "red")
    talk = fresh("two models", "say=a", {"system": "Sir,"}, (red,))
    runs = ask(arena, kept, talk, {"A": fake, "B": fake})
    assert [(run.side, run.text, run.task) for run in runs] == [("A", "a ", "chat"), ("B", "a ", "chat")]
    talk = replace(talk, turns=(*kept.load(talk.id, "two models").turns, Turn("say=b")))
    (run,) = ask(arena, kept, talk, {"B": fake})
    assert (run.side, run.text) == ("B", "b ")
    talk = replace(talk, turns=(*kept.load(talk.id, "two models").turns, Turn("recall=1", (red,))))
    one, two = ask(arena, kept, talk, {"A": fake, "B": fake})
    first, last = "[picture] Sir,\n\nsay=a → a  | ", "[picture] recall=1 →  | "
    assert (one.text, two.text) == (first + last, first + "say=b → b  | " + last)
    found = kept.load(talk.id, "two models")
    assert [sorted(turn.answers) for turn in found.turns] == [["A", "B"], ["B"], ["A", "B"]]
    assert found.turns[2].answers["B"] == Answer(two.text, "fake", two.run_id)
    assert arena.comparisons.visitor(one.comparison_id) == "two models"


def test_what_failed_or_was_stopped_is_kept_as_far_as_it_came(
    arena: Arena, kept: Conversations, fake: ModelSpec
) -> None:
    talk = fresh("stopped", "tokens=1000 delay=0.02", {})
    cancel = Cancel()
    order = request_of(arena, talk, {"A": fake, "B": fake}, {}, visitor="stopped")
    for event in answering(kept, partial(kept.begin, talk), talk, arena, order, cancel):
        if isinstance(event, Delta):
            cancel.set()
    answers = kept.load(talk.id, "stopped").turns[0].answers
    assert answers["A"].text and answers["B"].text == ""
    talk = replace(talk, turns=(*kept.load(talk.id, "stopped").turns, Turn("raise=fault")))
    (run,) = ask(arena, kept, talk, {"A": fake})
    found = kept.load(talk.id, "stopped")
    assert run.status == "error" and found.turns[1].answers["A"].run_id == run.run_id
    for lang in LANGUAGES:
        html = chat_view.transcript(found, known_to(arena, found), lang)
        assert html.count('class="trouble cancelled"') == 2 and html.count('class="trouble error"') == 1


def test_what_was_deleted_meanwhile_takes_no_answer(arena: Arena, kept: Conversations, fake: ModelSpec) -> None:
    talk = fresh("deleted", "tokens=3", {})
    order = request_of(arena, talk, {"A": fake}, {}, visitor="deleted")
    events = answering(kept, partial(kept.begin, talk), talk, arena, order, Cancel())
    next(events)
    assert kept.delete(talk.id, "deleted")
    assert [event.status for event in events if isinstance(event, Run)] == ["ok"]
    assert kept.list("deleted") == []


HOSTILE = "<img src=x onerror=alert(1)> & \u202e<script>alert(1)</script>"


def test_no_text_of_a_visitor_or_a_model_becomes_markup(arena: Arena, fake: ModelSpec) -> None:
    talk = fresh("v", HOSTILE, {"system": HOSTILE})
    talk = replace(talk, turns=(Turn(HOSTILE, (), {"A": Answer(HOSTILE, HOSTILE, HOSTILE)}),))
    for lang in LANGUAGES:
        for html in (
            chat_view.transcript(talk, known_to(arena, talk), lang),
            chat_list.kept([talk], talk.id, lang),
            chat_view.pictures([HOSTILE], lang),
            chat_pictures.attached([Chosen(StoredImage(HOSTILE, Path(), 1, 1, 1, 1, ()), HOSTILE, pages=3)], lang),
        ):
            assert "<script" not in html and "<img src=x" not in html and "\u202e" not in html


def test_the_files_hold_everything(arena: Arena, kept: Conversations, fake: ModelSpec, tmp_path: Path) -> None:
    red = picture(arena, tmp_path, "red")
    talk = fresh("files", "say=Сорок_два & raise", {"system": "Кратко."}, (red,))
    (run,) = ask(arena, kept, talk, {"B": fake})
    found = kept.load(talk.id, "files")
    told = json.loads(as_json(found, known_to(arena, found)))
    (turn,) = told["turns"]
    assert turn["question"] == talk.turns[0].text and turn["images"] == [red] and told["setup"] == talk.setup
    assert turn["answers"]["B"]["text"] == "Сорок два " and turn["answers"]["B"]["run"]["run_id"] == run.run_id
    russian, english = (as_markdown(found, known_to(arena, found), lang) for lang in ("ru", "en"))
    assert "### B: " in russian and "Сорок два" in russian and "Системный промпт" in russian and "Вы" in russian
    assert red[:12] in english and "System prompt" in english and "first text" in english
    arena.store.delete([run.run_id])
    gone = json.loads(as_json(found, known_to(arena, found)))
    assert gone["turns"][0]["answers"]["B"]["run"] is None and "Сорок два" in as_markdown(
        found, known_to(arena, found), "en"
    )


def test_only_whose_it_is_gets_the_file(arena: Arena, kept: Conversations, fake: ModelSpec) -> None:
    token = new_token()
    owner = visitor_of(httpx_request(token))
    talk = fresh(owner, "say=secret", {})
    ask(arena, kept, talk, {"A": fake})
    app = FastAPI()
    app.include_router(router(arena))

    async def get(path: str, cookie: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            return await client.get(path, headers={"Cookie": f"{COOKIE}={cookie}"} if cookie else {})

    def fetched(path: str, cookie: str) -> httpx.Response:
        with ThreadPoolExecutor(1) as thread:  # that of the tests may have a loop of a browser's
            return thread.submit(asyncio.run, get(path, cookie)).result()

    for kind, form in (("md", "text/markdown; charset=utf-8"), ("json", "application/json")):
        mine = fetched(f"/chat/{talk.id}.{kind}", token)
        assert mine.status_code == 200 and "secret" in mine.text and mine.headers["content-type"] == form
        assert (
            mine.headers["cache-control"] == "no-store" and f"{talk.id}.{kind}" in mine.headers["content-disposition"]
        )
        for other in (new_token(), ""):
            refused = fetched(f"/chat/{talk.id}.{kind}", other)
            assert refused.status_code == 404 and "secret" not in refused.text
    assert fetched("/chat/unknown.md", token).status_code == 404
    assert fetched(f"/chat/{talk.id}.html", token).status_code == 422


def httpx_request(token: str) -> object:
    from starlette.requests import Request

    return Request({"type": "http", "headers": [(b"cookie", f"{COOKIE}={token}".encode())]})
