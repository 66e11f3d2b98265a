"""The main loop: two models, one after the other; every run has a status and is stored before it is shown."""

import contextlib
import random
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PIL import Image

from adapters.fake import alive_now
from arena.cancel import Cancel
from arena.catalog import ModelSpec
from arena.compare import Request, Side, compare
from arena.core import arena_of
from arena.record import Answer
from arena.store import Store
from arena.types import Delta, Progress, Run


@pytest.fixture
def arena(settings):
    with arena_of(settings) as opened:
        yield opened


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    Image.new("RGB", (320, 200), "white").save(path)
    return path


def fake(name="fake", **options):
    return ModelSpec(id=name, title=name.title(), adapter="fake", source="", tasks=("ocr", "question"), options=options)


def request(arena, picture, *specs, prompt="tokens=5", **fields):
    return Request(
        sides=tuple(spec if isinstance(spec, Side) else Side(spec) for spec in specs),
        image=arena.images.add(picture),
        task=arena.catalog.task("ocr"),
        prompt=prompt,
        **fields,
    )


def runs_of(events):
    return [event for event in events if isinstance(event, Run)]


def test_a_answers_is_unloaded_and_b_answers(arena, picture):
    events = list(compare(arena, request(arena, picture, fake("one"), fake("two"), reference="abcd")))
    a, b = runs_of(events)
    assert (a.side, a.order, b.side, b.order) == ("A", 0, "B", 1)
    assert a.status == b.status == "ok" and a.comparison_id == b.comparison_id and a.run_id != b.run_id
    assert a.text == b.text == "".join(e.text for e in events if isinstance(e, Delta) and e.side == "A")
    assert a.image_sha256 == b.image_sha256 and (a.image_width, a.image_height) == (320, 200)
    assert a.timeline.cold and a.timeline.unload_s is None and b.timeline.unload_s > 0
    for run in (a, b):
        line = run.timeline
        assert 0 < line.first_token_s <= line.generate_s <= line.total_s
        stages = (line.queue_s, line.unload_s, line.start_s, line.load_s, line.generate_s)
        assert line.total_s == pytest.approx(sum(stage for stage in stages if stage is not None))
        assert run.memory.peak_ram_mb > 1 and run.output_tokens == 5 and run.scores["cer"] > 0
        assert run.library_versions["fake"] == "1"
    sides = [event.side for event in events]
    assert sides == sorted(sides), "B must not begin before A is done"
    stages = [e.stage for e in events if isinstance(e, Progress) and e.side == "B"]
    assert stages.index("unloading" if "unloading" in stages else "loading") < stages.index("generating")


def test_every_run_is_stored_before_it_is_shown(arena, picture):
    for event in compare(arena, request(arena, picture, fake("one"), fake("two"))):
        if isinstance(event, Run):
            assert arena.store.get(event.run_id).text == event.text
    assert [run.side for run in arena.store.comparison(event.comparison_id)] == ["A", "B"]


@pytest.mark.battery("G1", "G3", "G4")
@pytest.mark.parametrize(
    ("prompt", "status", "kind"),
    [
        ("crash=11", "error", "worker_died"),
        ("exit=3", "error", "worker_died"),
        ("oom=1", "oom", "out_of_memory"),
        ("raise=bug", "error", "model_error"),
        ("bad_input=1", "error", "bad_input"),
        ("empty=1", "empty", None),
        ("loop=1", "loop", None),
        ("hang=1", "timeout", "timeout"),
    ],
)
def test_a_failed_a_is_a_row_and_never_stops_b(settings, picture, prompt, status, kind):
    with arena_of(replace(settings, run_timeout_s=1.0)) as arena:
        a, b = runs_of(compare(arena, request(arena, picture, fake("one"), fake("two"), prompt=prompt)))
        assert (a.status, a.error_kind) == (b.status, b.error_kind) == (status, kind)
        if kind:
            assert a.error_detail and a.error_text["ru"] != a.error_text["en"]
        assert runs_of(compare(arena, request(arena, picture, fake("one"))))[0].status == "ok"


def test_a_limit_on_tokens_is_truncated(arena, picture):
    side = Side(fake(), {"max_new_tokens": 3, "seed": 7})
    (run,) = runs_of(compare(arena, request(arena, picture, side, prompt="tokens=10")))
    assert (run.status, run.output_tokens, run.seed, run.params["max_new_tokens"]) == ("truncated", 3, 7, 3)


@pytest.mark.battery("X10", "W5")
@pytest.mark.parametrize(
    ("prompt", "stop", "text", "status"),
    [
        ("say=one_two_three delay=0.01", ["o th"], "one tw", "ok"),
        ("say=one_two_three", ["four", "e "], "on", "ok"),
        ("say=one_two_three", ["threefold"], "one two three ", "ok"),
        ("say=one_two", ["one"], "", "empty"),
        ("tokens=1000000", ["1 "], None, "ok"),
    ],
)
def test_an_answer_ends_before_a_stop_string_and_is_saved_as_it_was_sent(arena, picture, prompt, stop, text, status):
    events = list(compare(arena, request(arena, picture, Side(fake(), {"stop": stop}), prompt=prompt)))
    (run,) = runs_of(events)
    assert run.text == "".join(event.text for event in events if isinstance(event, Delta))
    assert run.status == status and (run.text == text if text is not None else len(run.text) < 100)
    assert arena.store.get(run.run_id).text == run.text
    again = runs_of(compare(arena, request(arena, picture, fake(), prompt="tokens=2")))[0]
    assert again.status == "ok" and again.timeline.cold is False, "the model was ended and not only stopped"


def test_a_run_without_an_image_is_one_with_nothing_shown(arena, picture):
    asked = replace(request(arena, picture, fake(), arena.catalog.find("rapidocr")), image=None)
    chat, reader = runs_of(compare(arena, asked))
    assert chat.status == "ok" and chat.text
    assert (reader.status, reader.error_kind) == ("error", "bad_input") and reader.timeline.queue_s is None
    for run in (chat, reader):
        stored = arena.store.get(run.run_id)
        assert (stored.image_sha256, stored.image_width, stored.original_height) == (None, None, None)


def test_the_same_model_twice_differs_only_in_parameters_and_is_loaded_once(arena, picture):
    short, long = Side(fake(), {"max_new_tokens": 2}), Side(fake(), {"max_new_tokens": 6})
    a, b = runs_of(compare(arena, request(arena, picture, short, long, prompt="tokens=6")))
    assert a.timeline.cold and b.timeline.cold is False and b.timeline.load_s is None
    assert b.text.startswith(a.text) and len(b.text) > len(a.text)


def test_a_model_that_cannot_run_here_says_what_would_help(arena, picture):
    spec = arena.catalog.find("qwen3_vl_2b")
    (run,) = runs_of(compare(arena, request(arena, picture, spec)))
    assert (run.status, run.error_kind) == ("error", "unavailable")
    assert run.error_text["en"] and run.error_text["ru"] != run.error_text["en"]


def test_stop_ends_both_sides_at_once(arena, picture):
    cancel = Cancel()
    events = compare(
        arena, request(arena, picture, fake("one"), fake("two"), prompt="tokens=100000 delay=0.02"), cancel
    )
    said = []
    for event in events:
        if isinstance(event, Delta):
            said.append(event.text)
            break
    cancel.set()
    start = time.monotonic()
    a, b = runs_of(events)
    assert time.monotonic() - start < 10
    assert (a.status, b.status) == ("cancelled", "cancelled")
    assert a.text.startswith(said[0]) and b.text == "" and b.timeline.load_s is None
    assert not arena.slots.status()[0]["busy"]


@pytest.mark.battery("G10")
def test_a_visitor_who_leaves_frees_the_slot_and_is_recorded(arena, picture):
    asked = request(arena, picture, fake("one"), fake("two"), prompt="tokens=100000 delay=0.02")
    events = compare(arena, asked)
    while not isinstance(next(events), Delta):
        pass
    events.close()
    assert not arena.slots.status()[0]["busy"]
    (run,) = arena.store.comparison(asked.comparison_id)
    assert run.status == "cancelled"


def test_something_comes_all_the_time_while_a_model_is_silent(arena, picture):
    """Twice a second while it loads and while it answers; a machine under load may manage half of that."""
    slow = fake("slow", load_delay=2)
    events = list(compare(arena, request(arena, picture, slow, prompt="tokens=2 delay=2")))
    stages = Counter(event.stage for event in events if isinstance(event, Progress))
    assert stages["loading"] >= 3 and stages["generating"] >= 4


@pytest.mark.battery("S4", "S7")
@pytest.mark.parametrize("trouble", ["away", "locked", "full"])
def test_a_run_that_cannot_be_stored_is_shown_and_kept(arena, picture, trouble):
    arena.store.close()
    database = Path(arena.settings.home / "arena.db")
    arena.store = Store(f"sqlite:///{database}", timeout_s=0.1)
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        if trouble == "away":
            arena.store.close()
            database.rename(database.with_suffix(".away"))
            database.mkdir()
        elif trouble == "locked":
            other.execute("BEGIN IMMEDIATE")
        else:
            with arena.store.reading() as connection:  # the only one in the pool
                connection.exec_driver_sql("PRAGMA max_page_count = 1")
        prompt = "tokens=20000" if trouble == "full" else "tokens=5"
        (run,) = runs_of(compare(arena, request(arena, picture, fake(), prompt=prompt)))
    assert run.status == "ok" and run.text and run.error_text["ru"]
    if trouble == "away":
        database.rmdir()
        database.with_suffix(".away").rename(database)
    arena.store.close()
    (later,) = runs_of(compare(arena, request(arena, picture, fake())))
    assert not later.error_text
    assert [arena.store.get(one.run_id).text for one in (run, later)] == [run.text, later.text]


PROMPTS = ["tokens=3", "crash=9", "tokens=3", "raise=x", "tokens=3", "exit=1", "tokens=3", "tokens=999 delay=0.01"]
PROMPTS += ["tokens=3"] * 4 + ["hang=1"]


def test_twenty_visitors_and_everything_that_can_go_wrong(settings, picture, tmp_path):
    """20 threads x 3 comparisons over 3 models with cancels, crashes and hangs: never two models on the device,
    none left, every comparison ended in a status, nothing leaked. What each does is dealt out, so that every fault
    comes up, and each of them about as often."""
    record = tmp_path / "record.txt"
    record.touch()
    statuses: Counter[str] = Counter()
    settings = replace(settings, run_timeout_s=0.4, queue_size=100)
    specs = [fake(name, record=str(record), child=name == "three") for name in ("one", "two", "three")]
    with arena_of(settings) as arena:
        image = arena.images.add(picture)
        task = arena.catalog.task("ocr")
        for spec in specs:
            list(compare(arena, Request((Side(spec),), image, task, "tokens=2")))
        me = psutil.Process()
        before = me.num_fds(), threading.active_count()

        def visitor(number):
            chance = random.Random(number)
            for turn in range(3):
                prompt = PROMPTS[(number * 3 + turn) % len(PROMPTS)]
                cancel = Cancel()
                if chance.random() < 0.2:
                    threading.Timer(chance.random(), cancel.set).start()
                sides = tuple(Side(spec) for spec in chance.sample(specs, 2))
                events = compare(arena, Request(sides, image, task, prompt), cancel)
                if chance.random() < 0.1:
                    next(events)
                    events.close()  # a closed tab
                    statuses["left"] += 2
                    continue
                statuses.update(run.status for run in runs_of(events))

        visitors = [threading.Thread(target=visitor, args=(number,)) for number in range(20)]
        for thread in visitors:
            thread.start()
        for thread in visitors:
            thread.join(300)
        assert not any(thread.is_alive() for thread in visitors)
        assert sum(statuses.values()) == 20 * 3 * 2
        assert set(statuses) == {"ok", "error", "timeout", "cancelled", "left"} and statuses["ok"] > 20
        loads = [line.split() for line in record.read_text().splitlines() if line.startswith("load ")]
        assert len(loads) > 10
        assert all(alive == "-" for _, _, alive in loads), "a model was loaded while another was alive"
        deadline = time.monotonic() + 10
        arena.slots.unload_all()
        while (me.num_fds(), threading.active_count()) > before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert me.num_fds() <= before[0] + 2 and threading.active_count() <= before[1] + 1
        assert not arena.slots.pids()
    pids = {int(line.split()[1]) for line in record.read_text().splitlines()}
    deadline = time.monotonic() + 5
    while any(alive_now(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(alive_now(pid) for pid in pids)


def test_the_text_that_is_kept_has_its_letters_in_one_piece():
    assert Answer(pieces=["мои", "\u0306 дом"]).text == "мой дом"
