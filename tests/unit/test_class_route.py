"""The pages of a class over real HTTP: thirty pupils vote while a comparison runs, and nothing of it is lost."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from arena.access import PASS, new_pass
from arena.compare import Request, Side
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.harden import Harden
from arena.public.limits import Limits
from arena.server import listen
from arena.strings import LANGUAGES, tr
from arena.ui import class_route
from arena.ui.live import Live
from arena.ui.samples import samples
from arena.votes import OUTCOMES

CLASS = 30
SECONDS = 60.0


@dataclass
class School:
    arena: Arena
    url: str

    @property
    def room(self) -> Any:
        return self.arena.classroom

    @property
    def pass_of_teacher(self) -> dict[str, str]:
        return {PASS: new_pass("teacher", self.arena.settings)}

    def show(self, prompt: str) -> Live:
        """A comparison before the class."""
        image = self.arena.images.add(samples()["receipt"].path)
        sides = (Side(self.arena.catalog.find("fake")),) * 2
        asked = Request(sides, image, self.arena.catalog.task("ocr"), prompt)
        live = Live(self.arena, asked, "en", dict.fromkeys(LANGUAGES, "receipt"))
        live.start()
        self.room.begin(live)
        return live


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    home = str(tmp_path_factory.mktemp("school"))
    settings = load_settings(
        {"ARENA_HOME": home, "ARENA_DEV": "1", "ARENA_SCHOOL": "1", "ARENA_TEACHER_PASSWORD": "chalk"}
    )
    with arena_of(settings) as arena, listen("127.0.0.1", 0) as listener:
        assert arena.classroom
        app = FastAPI()
        app.include_router(class_route.router(arena, arena.classroom))
        app.add_middleware(Limits)
        app.add_middleware(Harden, max_upload=10**6)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield School(arena, f"http://127.0.0.1:{listener.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def clean(school: School) -> Iterator[School]:
    yield school
    school.room.stop()
    school.room.reset()
    school.room.decide(hidden=False, names=False, paused=False)


def until(said: Any, what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not said():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.01)


async def messages(client: httpx.AsyncClient, path: str = "/class/events") -> AsyncIterator[dict[str, Any]]:
    """What the server tells this browser, as it comes."""
    async with client.stream("GET", path) as stream:
        assert stream.status_code == 200
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


class Pupil:
    """A browser: it has a cookie of its own, puts the pieces of both answers together, and votes."""

    def __init__(self, url: str) -> None:
        self.client = httpx.AsyncClient(base_url=url, timeout=SECONDS, headers={"origin": url})
        self.texts = ["", ""]
        self.now: dict[str, Any] = {}

    async def come(self) -> None:
        page = await self.client.get("/class")
        assert page.status_code == 200 and len(self.client.cookies) == 1

    async def watch(self, done: Any) -> None:
        """Until `done` says so of what is seen."""
        async with asyncio.timeout(SECONDS):
            async for said in messages(self.client):
                self.now = said
                for at, side in enumerate(self.now["sides"]):
                    self.texts[at] = self.texts[at][: side["from"]] + side["more"]
                if done(self.now):
                    return

    async def vote(self, outcome: str) -> httpx.Response:
        return await self.client.post("/class/vote", json={"round": self.now["round"], "outcome": outcome})


def test_a_stream_is_let_go_when_its_page_is_closed(clean: School) -> None:
    async def one() -> None:
        pupil = Pupil(clean.url)
        await pupil.come()
        await pupil.watch(lambda now: now["phase"] == "none" and now["here"] > 0)
        await pupil.client.aclose()

    asyncio.run(one())
    until(lambda: clean.room.scene().here == 0, "nobody to be here")


@pytest.mark.battery("S12")
def test_thirty_pupils_vote_during_a_comparison_and_nothing_is_lost(clean: School) -> None:
    async def lesson() -> tuple[Live, list[Pupil], Counter[str]]:
        pupils = [Pupil(clean.url) for _ in range(CLASS)]
        await asyncio.gather(*(pupil.come() for pupil in pupils))
        live = clean.show("tokens=150 delay=0.02")
        wanted: Counter[str] = Counter()

        async def sit(number: int, pupil: Pupil) -> None:
            outcome = OUTCOMES[number % 4]
            wanted[outcome] += 1
            await pupil.watch(lambda now: now["phase"] == "open")
            first = outcome if number % 3 else "tie"
            said = await pupil.vote(first)
            assert said.status_code == 200 and said.json() == {"mine": first}
            again = await asyncio.gather(*(pupil.vote(first) for _ in range(2)))  # pressed twice, sent twice
            assert {each.status_code for each in again} == {200}
            if first != outcome:  # a third of the class changes its mind
                assert (await pupil.vote(outcome)).status_code == 200
            pupil.texts = ["", ""]
            await pupil.watch(lambda now: now["sides"] and all(side["over"] for side in now["sides"]))

        await asyncio.gather(*(sit(number, pupil) for number, pupil in enumerate(pupils)))
        for pupil in pupils:
            await pupil.client.aclose()
        return live, pupils, wanted

    live, pupils, wanted = asyncio.run(lesson())
    mine = live.request.comparison_id
    until(lambda: live.done, "the end of the comparison")
    runs = {run.side: run for run in clean.arena.store.comparison(mine)}
    assert [runs[side].status for side in "AB"] == ["ok", "ok"]
    for pupil in pupils:
        assert pupil.texts == [runs[side].text for side in "AB"], "every pupil has seen both answers whole"
        assert pupil.now["mine"], "and the page knows how he voted"
    assert clean.arena.votes.count(comparison_id=mine) == wanted == clean.room.scene().counts
    until(lambda: all(vote.run_b for vote in clean.arena.votes.iterate(comparison_id=mine)), "the ids of the runs")
    kept = list(clean.arena.votes.iterate(comparison_id=mine))
    assert len({vote.visitor for vote in kept}) == CLASS == len(kept)
    assert {(vote.run_a, vote.run_b) for vote in kept} == {(runs["A"].run_id, runs["B"].run_id)}


def test_names_are_told_after_the_vote_and_bars_only_to_the_projector(clean: School) -> None:
    live = clean.show("tokens=2")
    until(lambda: live.done, "the end")
    with httpx.Client(base_url=clean.url, headers={"origin": clean.url, "accept-language": "ru"}) as pupil:
        pupil.get("/class")
        pupil.post("/class/name", json={"name": "Маша\u202e<b>"})
        pupil.post("/class/vote", json={"round": live.request.comparison_id, "outcome": "a"})
        state = pupil.get("/class/state").json()
        assert [side["title"] for side in state["sides"]] == ["", ""], "the models have no names yet"
        assert (state["counts"], state["voted"], state["mine"], state["voters"]) == (None, 1, "a", [])
        assert state["name"] == "Маша<b>" and state["say"] == tr("lesson.say.open", "ru")
        for path in ("/class/state?board=1", "/class/events?board=1"):
            assert pupil.get(path).status_code == 403
        assert pupil.get("/class/board").headers["location"] == "/login?next=/class/board"

        board = httpx.get(f"{clean.url}/class/state?board=1", cookies=clean.pass_of_teacher).json()
        assert (board["counts"], board["voters"]) == ([1, 0, 0, 0], [])
        clean.room.decide(names=True)
        board = httpx.get(f"{clean.url}/class/state?board=1", cookies=clean.pass_of_teacher).json()
        assert board["voters"] == ["Маша<b>"]
        clean.room.reveal()
        state = pupil.get("/class/state").json()
        assert [side["title"] for side in state["sides"]] == ["Test model"] * 2
        assert state["counts"] == [1, 0, 0, 0] and state["sides"][0]["facts"]


@pytest.mark.battery("S12")
def test_a_vote_that_does_not_count_says_why(clean: School) -> None:
    live = clean.show("tokens=2")
    until(lambda: live.done, "the end")
    vote = {"round": live.request.comparison_id, "outcome": "a"}
    nameless = httpx.post(f"{clean.url}/class/vote?lang=ru", json=vote)
    assert nameless.status_code == 403 and nameless.json()["trouble"] == tr("lesson.refused.no_cookie", "ru")
    with httpx.Client(base_url=clean.url) as pupil:
        pupil.get("/class")
        for wrong in ({"outcome": "c"}, {"round": "x" * 99}):
            assert pupil.post("/class/vote", json=vote | wrong).status_code == 422
        elsewhere = {"origin": "http://elsewhere.example"}
        assert pupil.post("/class/vote", json=vote, headers=elsewhere).status_code == 403
        old = pupil.post("/class/vote", json=vote | {"round": "01ARZ3NDEKTSV4RRFFQ69G5FAV"})
        assert old.status_code == 409 and old.json()["trouble"] == tr("lesson.refused.over", "en")
        clean.room.close()
        assert pupil.post("/class/vote", json=vote).json()["trouble"] == tr("lesson.refused.vote_closed", "en")
    assert sum(clean.arena.votes.count(comparison_id=vote["round"]).values()) == 0


def test_a_hidden_picture_leaves_the_machine_blurred(clean: School) -> None:
    assert httpx.get(f"{clean.url}/class/picture.webp").status_code == 404
    live = clean.show("tokens=2")

    clear = httpx.get(f"{clean.url}/class/picture.webp").content
    clean.room.decide(hidden=True)
    hidden = httpx.get(f"{clean.url}/class/picture.webp").content
    assert len(hidden) < len(clear) / 10
    assert "-hidden" in httpx.get(f"{clean.url}/class/state").json()["picture"]
    live.stop()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_pages_are_light_and_ask_nobody_else(clean: School, lang: str) -> None:
    pupil = httpx.get(f"{clean.url}/class?lang={lang}")
    board = httpx.get(f"{clean.url}/class/board?lang={lang}", cookies=clean.pass_of_teacher)
    assert board.status_code == 200 and "<svg" in board.text and tr("lesson.board.join", lang) in board.text
    parts = [httpx.get(f"{clean.url}/class/class.{kind}") for kind in ("css", "js")]
    assert sum(len(each.content) for each in (pupil, *parts)) < 30_000
    for each in (pupil, board, *parts):
        named = re.findall(r"(?:https?:)?//[a-z0-9][\w.-]*\.[a-z]{2,}", each.text)
        assert set(named) <= {"http://www.w3.org"}
    assert f'lang="{lang}"' in pupil.text and tr("lesson.outcome.both_bad", lang) in pupil.text
    assert httpx.get(f"{clean.url}/class/class.py").status_code == 404
