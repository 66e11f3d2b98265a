"""The class: what pupils may do, one vote each on what they look at together, and a lesson that says what is true."""

from __future__ import annotations

import errno
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
from PIL import Image

from arena.access import COOKIE, PASS, new_pass, new_token
from arena.address import address_for, lan_addresses, qr_svg
from arena.cli_school import lines, new_password, prepared
from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.errors import ArenaError, RunError
from arena.lesson import NAME, Classroom
from arena.lesson_steps import steps
from arena.strings import LANGUAGES
from arena.types import Run
from arena.ui import class_panel, kept_banner, tab_lesson
from arena.ui.class_rules import admit
from arena.ui.live import Live
from arena.ui.samples import samples

SLOW = "tokens=400 delay=0.02"


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    home = tmp_path_factory.mktemp("class")
    settings = load_settings(
        {"ARENA_HOME": str(home), "ARENA_DEV": "1", "ARENA_SCHOOL": "1", "ARENA_TEACHER_PASSWORD": "chalk"}
    )
    with arena_of(settings) as arena:
        yield arena


@pytest.fixture
def room(arena: Arena) -> Iterator[Classroom]:
    """A class of its own over the one database."""
    arena.classroom = Classroom(arena.store, arena.votes)
    yield arena.classroom
    arena.classroom.stop()
    arena.classroom.reset()


def live_of(arena: Arena, prompt: str, task: str = "ocr") -> Live:
    sides = (Side(arena.catalog.find("fake")),) * 2
    image = arena.images.add(samples()["receipt"].path)
    asked = Request(sides, image, arena.catalog.task(task), prompt, language="en")
    return Live(arena, asked, "en", dict.fromkeys(LANGUAGES, "receipt"))


def shown(room: Classroom, arena: Arena, prompt: str) -> Live:
    """A comparison before the class."""
    live = live_of(arena, prompt)
    live.start()
    room.begin(live)
    return live


def until(said: Any, what: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.01)


def caller(**cookies: str) -> Any:
    return SimpleNamespace(cookies=cookies, headers={"host": "class.local"}, client=SimpleNamespace(host="192.168.1.9"))


def why(call: Any, *arguments: Any) -> str:
    with pytest.raises(RunError) as refused:
        call(*arguments)
    for lang in LANGUAGES:
        assert bool(re.search("[а-я]{3}", refused.value.text(lang))) == (lang == "ru")
    return refused.value.key.removeprefix("lesson.refused.")


# --- the vote


@pytest.mark.battery("S12")
def test_a_vote_opens_with_the_second_answer_and_each_pupil_has_one(room: Classroom, arena: Arena) -> None:
    live = shown(room, arena, "tokens=80 delay=0.02")
    mine = live.request.comparison_id
    until(lambda: live.views[0].text, "the first answer")
    assert room.scene().phase == "running"
    assert why(room.vote, "v1", mine, "a") == "vote_running"
    until(lambda: live.views[1].text, "the second answer")
    assert room.scene().phase == "open"
    room.vote("v1", mine, "a")
    again = room.vote("v1", mine, "b")
    assert room.vote("v1", mine, "b").id == again.id, "the same vote twice is one row"
    room.vote("v2", mine, "tie")
    assert room.scene().counts == {"a": 0, "b": 1, "tie": 1, "both_bad": 0}
    assert arena.votes.count(comparison_id=mine) == room.scene().counts
    assert {vote.run_b for vote in arena.votes.iterate(comparison_id=mine)} == {""}, "the second run has no id yet"
    live.stop()
    until(lambda: all(vote.run_b for vote in arena.votes.iterate(comparison_id=mine)), "the ids of the runs")
    runs = {run.side: run.run_id for run in arena.store.comparison(mine)}
    kept = list(arena.votes.iterate(comparison_id=mine))
    assert {(vote.run_a, vote.run_b) for vote in kept} == {(runs["A"], runs["B"])}
    assert {(vote.source, vote.model_a, vote.task, vote.language) for vote in kept} == {("class", "fake", "ocr", "en")}
    room.vote("v3", mine, "both_bad")  # afterwards too
    assert sum(room.scene().counts.values()) == 3


def test_pause_close_reveal_and_reset_lose_no_vote(room: Classroom, arena: Arena) -> None:
    live = shown(room, arena, "tokens=3")
    mine = live.request.comparison_id
    until(lambda: live.done, "the end")
    room.vote("v1", mine, "a")
    room.decide(paused=True)
    assert why(room.vote, "v2", mine, "a") == "vote_paused"
    room.decide(paused=False)
    room.close()
    assert why(room.vote, "v2", mine, "a") == "vote_closed"
    room.reopen()
    room.vote("v2", mine, "b")
    assert not room.scene().told
    room.reveal()
    assert room.scene().told and room.scene().phase == "closed"
    room.reset()
    assert (room.scene().phase, room.scene().counts) == ("none", {})
    assert why(room.vote, "v3", mine, "a") == "over"
    assert arena.votes.count(comparison_id=mine) == {"a": 1, "b": 1, "tie": 0, "both_bad": 0}


def test_one_comparison_is_before_the_class_at_a_time(room: Classroom, arena: Arena) -> None:
    live = shown(room, arena, SLOW)
    second = live_of(arena, "tokens=1")
    assert why(room.begin, second) == "running"
    live.stop()
    until(lambda: live.done, "the end")
    assert room.scene().phase == "void", "stopped before there were two answers"
    assert why(room.vote, "v1", live.request.comparison_id, "a") == "vote_void"
    second.start()
    room.begin(second)
    until(lambda: second.done, "the end of the second")
    assert room.scene().phase == "open"


def test_names_are_short_and_a_pupil_without_one_is_a_number(room: Classroom) -> None:
    room.see("v1")
    room.see("v2", "  Маша \n Петрова " + "я" * 100)
    assert room.who("v1") == "№ 1"
    assert room.who("v2").startswith("Маша Петрова") and len(room.who("v2")) == NAME
    room.see("v2")
    assert room.name("v2"), "being seen again keeps the name"
    room.see("v2", "")
    assert room.who("v2") == "№ 2"
    assert room.scene().here == 2


# --- what pupils may do


@pytest.mark.parametrize(
    ("changes", "prompt", "task", "refused"),
    [
        ({"locked": True}, "", "ocr", "locked"),
        ({"paused": True}, "", "ocr", "paused"),
        ({"tasks": frozenset({"question"})}, "", "ocr", "task"),
        ({"models": frozenset({"tesseract"})}, "", "ocr", "model"),
        ({"own_prompts": False}, "say=hello", "ocr", "prompt"),
        ({"own_pictures": False}, "", "ocr", "picture"),
    ],
)
def test_pupils_are_refused_on_the_server_and_the_teacher_is_not(
    room: Classroom, arena: Arena, tmp_path: Path, changes: dict[str, Any], prompt: str, task: str, refused: str
) -> None:
    asked = live_of(arena, prompt, task).request
    if refused == "picture":
        Image.new("RGB", (60, 40), "white").save(tmp_path / "own.png")
        asked = replace(asked, image=arena.images.add(tmp_path / "own.png"))
    pupil = caller(**{COOKIE: new_token()})
    teacher = caller(**{COOKIE: new_token(), PASS: new_pass("teacher", arena.settings)})
    admit(arena, asked, pupil)
    room.decide(**changes)
    assert why(admit, arena, asked, pupil) == refused
    admit(arena, asked, teacher)
    forged = caller(**{PASS: new_pass("teacher", replace(arena.settings, teacher_password="other"))})
    assert why(admit, arena, asked, forged) == refused


def test_ready_prompts_and_samples_stay_open(room: Classroom, arena: Arena) -> None:
    room.decide(own_prompts=False, own_pictures=False)
    for lang in LANGUAGES:
        prompts = [arena.catalog.task("ocr").prompt_for(lang), samples()["receipt"].question[lang]]
        for prompt in prompts:
            admit(arena, live_of(arena, prompt).request, caller())


def test_the_teacher_sees_who_waits_and_takes_them_out(room: Classroom, arena: Arena) -> None:
    room.see("someone", "Маша")
    lives = []
    for _ in range(2):
        live = live_of(arena, SLOW)
        live.request = replace(live.request, visitor="someone")
        live.start()
        lives.append(live)
    until(lambda: [each.position for each in room.queue()] == [None, 1], "one is served, one waits")
    assert [each.who for each in room.queue()] == ["Маша", "Маша"]
    room.stop(room.queue()[0].id)
    until(lambda: len(room.queue()) == 1, "the first to leave")
    room.stop()
    until(lambda: not room.queue(), "all to leave")
    assert all(live.done for live in lives)


def test_every_action_of_the_panel_asks_who_acts(room: Classroom, arena: Arena) -> None:
    tab = tab_lesson.LessonTab(arena, room, *("door", "lesson", "live", "rules"))  # type: ignore[arg-type]
    event: Any = SimpleNamespace(_data={"value": "locked", "on": "1"})
    pupil, teacher = caller(), caller(**{PASS: new_pass("teacher", arena.settings)})
    assert set(tab.act(event, pupil).values()) == {""}
    assert not room.rules.locked
    assert tab.watch(pupil) == "" and set(list(tab.show(pupil).values())[1:]) == {""}
    found = tab.act(event, teacher)
    assert room.rules.locked and 'aria-pressed="true"' in found["rules"]
    tab.act(SimpleNamespace(_data={"value": "model:tesseract", "on": "0"}), teacher)  # type: ignore[arg-type]
    assert room.rules.models is not None and "tesseract" not in room.rules.models and "rapidocr" in room.rules.models
    tab.act(SimpleNamespace(_data={"value": "model:tesseract", "on": "1"}), teacher)  # type: ignore[arg-type]
    assert room.rules.models is None, "all again"
    tab.act(SimpleNamespace(_data={"side": "1", "value": "fake"}), teacher)  # type: ignore[arg-type]
    assert room.plan.models[1] == "fake"
    tab.act(SimpleNamespace(_data={"value": "next"}), teacher)  # type: ignore[arg-type]
    assert (room.plan.step, room.plan.models) == (1, steps()[1].models)


def test_names_of_pupils_are_text(room: Classroom) -> None:
    room.see("v1", "<b>x")
    html = class_panel.live(replace(room.scene(), voters=(room.who("v1"),)), [], "ru")
    assert "<b>x" not in html and "&lt;b&gt;x" in html


# --- the lesson


def test_the_lesson_is_whole_in_both_languages(arena: Arena) -> None:
    assert {step.sample for step in steps()} == set(samples()) - {"line", "figures"}  # those are for the small model
    for step in steps():
        for model in step.models:
            assert arena.status(arena.catalog.find(model)).ready, "the lesson needs no download"
            assert step.task in arena.catalog.find(model).tasks
        english, russian = (step.words[lang] for lang in ("en", "ru"))
        assert len(english.look) == len(russian.look) and len(english.ask) == len(russian.ask)
        for said in (russian.title, *russian.look, *russian.ask, russian.insight):
            assert re.search("[а-я]{3}", said)
        for said in (english.title, *english.look, *english.ask, english.insight):
            assert not re.search("[а-яА-Я]", said)


def test_what_the_lesson_says_of_tesseract_is_so(arena: Arena) -> None:
    said: dict[str, str] = {}
    for name in ("receipt", "form", "photo"):
        sample = samples()[name]
        side = Side(arena.catalog.find("tesseract"))
        asked = Request((side,), arena.images.add(sample.path), arena.catalog.task("ocr"), "", sample.language)
        (run,) = [event for event in compare(arena, asked) if isinstance(event, Run)]
        said[name] = run.text
    assert "Flat white" in said["receipt"] and not re.search(r"7\.00|5\.10|29\.26", said["receipt"])
    assert "ЗАЯВКА" in said["form"] and "обычная" in said["form"]
    assert "BAKERY" not in said["photo"] and "20:00" not in said["photo"] and "Rye bread" in said["photo"]


# --- the way there


def test_the_code_holds_the_address() -> None:
    import cv2

    address = address_for("192.168.1.20:7860")
    svg = qr_svg(address, "code")
    side = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])  # type: ignore[index]
    picture = numpy.full((side, side), 255, numpy.uint8)
    for x, y in re.findall(r"M(\d+) (\d+)h1v1", svg):
        picture[int(y), int(x)] = 0
    read, *_ = cv2.QRCodeDetector().detectAndDecode(cv2.resize(picture, None, fx=8, fy=8, interpolation=0))
    assert read == address == "http://192.168.1.20:7860/class"


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1:7860", "0.0.0.0:7860", "[::1]:7860", "<b>:7860"])
def test_the_address_is_that_of_the_network(host: str) -> None:
    here = next(iter(lan_addresses()), "localhost")
    assert not here.startswith("127.")
    assert address_for(host) == f"http://{here}:7860/class"


def test_the_address_is_found_without_a_way_out_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    before = lan_addresses()

    def no_route(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", no_route)
    assert sorted(lan_addresses()) == sorted(before)


def test_a_password_is_made_up_only_where_it_is_shown_on_a_terminal(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = replace(arena.settings, teacher_password="", school=False, host="127.0.0.1")
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    with pytest.raises(ArenaError, match="ARENA_TEACHER_PASSWORD"):
        prepared(bare, None, {})
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    made = prepared(bare, None, {})
    assert (made.school, made.host) == (True, "0.0.0.0") and re.fullmatch(r"(\w{4}-){2}\w{4}", made.teacher_password)
    assert new_password() != new_password() and "password" not in repr(made)
    assert prepared(bare, None, {"ARENA_HOST": "10.0.0.2"}).host == "10.0.0.2"
    for lang in LANGUAGES:
        said = list(lines(made, 7860, lang, made=True))
        assert sum(made.teacher_password in line for line in said) == 1
        assert any("/class" in line for line in said) or not lan_addresses()
        assert any("127.0.0.1" in line for line in lines(replace(made, host="127.0.0.1"), 7860, lang, made=False))


def test_what_a_pupil_left_is_gone_from_the_class_as_well(arena: Arena, room: Classroom) -> None:
    room.see("masha", "Masha")
    room.see("john", "John")
    live = shown(room, arena, "tokens=3")
    until(lambda: room.scene().phase == "open", "two answers")
    for visitor in ("masha", "john"):
        room.vote(visitor, live.request.comparison_id, "a")
    live.join()
    kept_banner.forget(arena, "masha")
    scene = room.scene()
    assert room.name("masha") == "" and room.who("masha") == "№ 1"
    assert scene.voters == ("№ 1", "John") and scene.counts["a"] == 2
    assert scene.round and {vote.name for vote in scene.round.votes.values()} == {"", "John"}
    assert "Masha" not in repr(vars(room))
    kept_banner.forget(arena, "nobody who was here")
