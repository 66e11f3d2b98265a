"""What keeps strangers within bounds: quotas, rates, sessions, no paths."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse
from gradio.utils import get_upload_folder

import arena.core
from arena.access import COOKIE, PASS, new_pass
from arena.config import Settings, load_settings
from arena.errors import RunError
from arena.public.limits import OPEN_AT_ONCE, RATES, TOGETHER, Limits
from arena.public.pathless import Pathless
from arena.public.sessions import LONGEST, Sessions
from arena.public.visits import AT_ONCE, Visits

pytest_plugins = ("postgres",)


class Work:
    """A comparison that ends when it is told to."""

    def __init__(self) -> None:
        self.done = False

    def stop(self) -> None:
        self.done = True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_visitor_has_so_many_comparisons_an_hour_and_is_told_when_the_next_may_start() -> None:
    clock = Clock()
    visits = Visits(clock)
    for _ in range(3):
        work = Work()
        assert visits.begin("v", "here", work, lambda: True, 3)
        work.done = True
        clock.now += 600
    started: list[int] = []
    with pytest.raises(RunError) as caught:
        visits.begin("v", "here", Work(), lambda: bool(started.append(1)), 3)
    assert caught.value.kind == "busy" and not started
    assert "30 minutes" in caught.value.text("en") and "через 30 минут" in caught.value.text("ru")
    assert visits.begin("w", "here", Work(), lambda: True, 3), "others may"
    assert visits.begin("teacher", "here", Work(), lambda: True, None)
    clock.now += 1801
    assert visits.begin("v", "here", Work(), lambda: True, 3) is True


def test_a_refused_start_is_not_counted() -> None:
    visits = Visits()
    for _ in range(5):
        assert not visits.begin("v", "here", Work(), lambda: False, 1)
    assert visits.begin("v", "here", Work(), lambda: True, 1)


@pytest.mark.battery("W5")
def test_an_address_is_counted_too_for_who_changes_his_cookie() -> None:
    visits = Visits()
    for number in range(TOGETHER):
        work = Work()
        assert visits.begin(f"visitor {number}", "here", work, lambda: True, 1)
        work.done = True
    with pytest.raises(RunError):
        visits.begin("a fresh cookie", "here", Work(), lambda: True, 1)
    assert visits.begin("a fresh cookie", "elsewhere", Work(), lambda: True, 1)
    assert visits.begin("", "elsewhere", Work(), lambda: True, 1), "one without a cookie has an address"


@pytest.mark.battery("W5")
def test_a_visitor_runs_a_few_at_a_time_until_they_end_or_are_ended() -> None:
    visits = Visits()
    running = [Work() for _ in range(AT_ONCE)]
    for work in running:
        assert visits.begin("v", "here", work, lambda: True, 60)
    for _ in range(50 - AT_ONCE):
        with pytest.raises(RunError) as caught:
            visits.begin("v", "here", Work(), lambda: True, 60)
        assert caught.value.key == "public.at_once"
    assert visits.begin("w", "elsewhere", Work(), lambda: True, 60), "others may"
    assert visits.end("v") == running and all(work.done for work in running)
    assert visits.begin("v", "here", Work(), lambda: True, 60)
    assert visits.end("nobody") == []


@pytest.mark.battery("W5")
def test_many_starts_at_once_pass_one_by_one() -> None:
    visits, begun = Visits(), []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        try:
            begun.append(visits.begin("v", "here", Work(), lambda: True, 60))
        except RunError:
            begun.append(False)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(begun) == AT_ONCE


def test_a_session_is_the_first_visitors_who_named_it() -> None:
    sessions = Sessions()
    assert sessions.belongs("abc", "v") and sessions.belongs("abc", "v")
    assert not sessions.belongs("abc", "w") and not sessions.belongs("abc", "")
    assert sessions.belongs("def", "w")
    assert not sessions.belongs("x" * (LONGEST + 1), "v")


def ask(app: Any, *paths: str, cookie: str = "", **headers: str) -> list[httpx.Response]:
    """The answers of an application; in a thread of its own, for that of the tests may have a loop of a browser's."""

    async def ask_all() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, client=("203.0.113.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://arena.example") as client:
            client.headers.update({"cookie": cookie} | headers)
            return [await client.get(path) for path in paths]

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, ask_all()).result()


def test_requests_are_limited_by_visitor_and_by_address_and_fill_again() -> None:
    clock = Clock()
    limits = Limits(FastAPI(), clock)
    most, per_s = RATES["upload"].most, RATES["upload"].per_s
    assert [limits.wait_s("v", "upload") for _ in range(int(most))] == [0.0] * int(most)
    assert limits.wait_s("v", "upload") == pytest.approx(1 / per_s)
    assert limits.wait_s("v", "event") == limits.wait_s("w", "upload") == 0.0
    clock.now += 1 / per_s
    assert limits.wait_s("v", "upload") == 0.0 < limits.wait_s("v", "upload")
    assert not any(limits.wait_s("here", "upload", TOGETHER) for _ in range(int(most) * TOGETHER))
    assert limits.wait_s("here", "upload", TOGETHER) > 0


def test_who_asks_too_often_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()

    @app.get("/page")
    def page() -> str:
        return "page"

    @app.get("/health")
    def health() -> str:
        return "ok"

    limited = Limits(app)
    for kind, rate in RATES.items():
        monkeypatch.setitem(RATES, kind, replace(rate, most=3, per_s=0.1))
    answers = ask(limited, *["/page"] * 4, "/health", cookie=f"{COOKIE}=v")
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 200]
    assert 1 <= int(answers[3].headers["retry-after"]) <= 10
    assert ask(limited, "/page", cookie=f"{COOKIE}=w")[0].status_code == 200
    assert not limited._open, "nothing is counted as open that is answered"


def test_open_streams_are_bounded() -> None:
    gone = asyncio.Event()

    async def hanging(scope: Any, receive: Any, send: Any) -> None:
        await gone.wait()

    async def open_many() -> list[int]:
        limited, said = Limits(hanging), list[int]()
        scope = {"type": "http", "method": "GET", "path": "/s", "headers": [(b"cookie", f"{COOKIE}=v".encode())]}

        async def send(message: Any) -> None:
            said.append(message.get("status", 0))

        async def receive() -> Any:
            return {"type": "http.request"}

        waiting = [asyncio.create_task(limited(scope, receive, send)) for _ in range(OPEN_AT_ONCE)]
        await asyncio.sleep(0)
        await limited(scope, receive, send)
        gone.set()
        await asyncio.gather(*waiting)
        return said

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, open_many()).result()[0] == 429


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    secret = {"ARENA_PASSWORD": "open sesame", "ARENA_TEACHER_PASSWORD": "chalk and board"}
    return load_settings({"ARENA_HOME": str(tmp_path / "home")} | secret)


@pytest.fixture
def pathless(settings: Settings) -> Pathless:
    app = FastAPI()
    said = (
        f'File "{settings.home}/images/a.png", {sys.prefix}/lib/x.py; {Path.home()}: {Path(arena.__file__).parents[1]}'
    )

    @app.get("/text")
    def text() -> PlainTextResponse:
        return PlainTextResponse(said)

    @app.get("/json")
    def data() -> dict[str, str]:
        return {"error": said, "upload": f"{get_upload_folder()}/0/a.png"}

    @app.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse((f"data: {said} {number}\n\n" for number in range(2)), media_type="text/event-stream")

    @app.get("/picture")
    def picture() -> PlainTextResponse:
        return PlainTextResponse(said, media_type="image/webp")

    return Pathless(app, settings)


@pytest.mark.parametrize("path", ["/text", "/json", "/stream"])
def test_strangers_are_told_no_path(pathless: Pathless, settings: Settings, path: str) -> None:
    (answer,) = ask(pathless, path, cookie=f"{PASS}={new_pass('visitor', settings)}", **{"accept-encoding": "gzip"})
    assert answer.status_code == 200 and "…/images/a.png" in answer.text and "…/lib/x.py" in answer.text
    for place in (settings.home, sys.prefix, Path.home(), Path(arena.__file__).parents[1]):
        assert f"{place}/images" not in answer.text and f"{place}/lib" not in answer.text
    if path == "/json":
        upload = answer.json()["upload"]
        assert upload == f"{get_upload_folder()}/0/a.png", "what a visitor uploads is found under its path"


def test_who_answers_for_the_arena_is_told_everything(pathless: Pathless, settings: Settings) -> None:
    (answer,) = ask(pathless, "/text", cookie=f"{PASS}={new_pass('teacher', settings)}")
    assert f"{settings.home}/images/a.png" in answer.text


def test_what_is_no_text_is_left_alone(pathless: Pathless, settings: Settings) -> None:
    (answer,) = ask(pathless, "/picture")
    assert str(settings.home).encode() in answer.content
