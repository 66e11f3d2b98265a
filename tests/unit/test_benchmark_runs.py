"""A benchmark from its first cell to its last: each model loaded once, every failure a row, every row once."""

import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from PIL import Image, ImageDraw, ImageFont

from arena.cancel import Cancel
from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import arena_of
from arena.errors import RunError
from arena.public.retention import forget_older
from arena.query import RunQuery
from arena.types import Run, Timeline
from benchmarks.datasets import Dataset, Item
from benchmarks.metrics.truth import Truth
from benchmarks.runs.lock import answered_by, chosen, differences, locked, models_of, read, write
from benchmarks.runs.plan import asks
from benchmarks.runs.repetition import Repetition, repeat
from benchmarks.runs.runner import begin, carry_on


def fakes(home: Path, **options) -> None:
    """Models of the test's own, each with what it is loaded with."""
    home.mkdir(parents=True, exist_ok=True)
    entry = {"adapter": "fake", "modes": {"embedded": {}}, "tasks": ["ocr", "question"], "licence": "MIT"}
    models = {name: {**entry, "title": name, "options": given} for name, given in options.items()}
    (home / "models.yaml").write_text(yaml.safe_dump({"models": models}), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("benchmark")


@pytest.fixture(scope="module")
def arena(folder):
    record = {name: {"record": str(folder / f"{name}.txt")} for name in ("one", "two", "three")}
    record["broken"] = {"load_raise": "no weights", "record": str(folder / "broken.txt")}
    record["crashing"] = {"load_crash": 1, "record": str(folder / "crashing.txt")}
    fakes(folder, **record)
    with arena_of(load_settings({"ARENA_HOME": str(folder), "ARENA_DEV": "1"})) as opened:
        yield opened


def image(text="", size=(60, 40)):
    made = Image.new("RGB", size, "white")
    ImageDraw.Draw(made).text((12, 12), text, fill="black", font=ImageFont.load_default(size=28))
    return made


def item(folder, name, prompt="tokens=3", **fields):
    path = folder / f"{name}.png"
    if not path.exists():
        image(size=(60 + len(list(folder.glob("*.png"))), 40)).save(path)
    return Item(name, path, **{"truth": Truth(text="abcd"), "language": "en", "prompt": prompt, **fields})


def ask(arena, items, models, **fields):
    return begin(arena, Dataset("set", items), models, **fields)


def filled(arena, plan, cancel=None):
    """All beats of going on to the end, and the rows there are then, by cell."""
    beats = list(carry_on(arena, plan.id, cancel or Cancel()))
    return beats, rows(arena, plan)


def rows(arena, plan):
    found = {(run.cell.item, run.side, run.cell.repeat): run for run in runs(arena, plan)}
    assert len(found) == len(runs(arena, plan))
    return found


def runs(arena, plan):
    return list(arena.store.iterate(RunQuery(benchmark_id=plan.id, descending=False)))


def loads(folder, name):
    record = folder / f"{name}.txt"
    return record.read_text().count("load ") if record.exists() else 0


def test_three_models_are_loaded_once_each_and_every_cell_is_a_row(arena, folder):
    items = [item(folder, f"i{number}") for number in range(4)]
    before = {name: loads(folder, name) for name in ("one", "two", "three")}
    plan = ask(arena, items, ["one", "two", "three"], repeat=2, warmup=2)
    beats, found = filled(arena, plan)
    assert {name: loads(folder, name) - before[name] for name in before} == {"one": 1, "two": 1, "three": 1}
    assert set(found) == {each.place for each in asks(plan, [each.id for each in items])}
    assert arena.benchmarks.get(plan.id).state == "done"
    assert [beat.done for beat in beats if beat.run] == list(range(1, 31)) and beats[-1].left_s == 0
    assert {beat.total for beat in beats} == {30}
    for (name, side, number), run in found.items():
        assert run.status == "ok" and run.scores["cer"] is not None and run.reference == "abcd"
        assert run.cell.host and run.cell.benchmark_id == plan.id and run.cell.cached_from is None
        assert run.comparison_id == plan.comparison(name, number) and run.model == plan.models["ABC".index(side)]
        assert (run.order, run.side) == ("ABC".index(side), side)
    cold = [run for run in found.values() if run.timeline.cold]
    assert sorted(run.side for run in cold) == ["A", "B", "C"] and {run.cell.repeat for run in cold} == {0}
    side_by_side = arena.store.comparison(plan.comparison("i1", 1))
    assert [run.side for run in side_by_side] == ["A", "B", "C"]
    assert not [beat for beat in carry_on(arena, plan.id, Cancel()) if beat.run], "nothing is asked again"


FAULTS = {
    "crash": ("crash=9", "error", "worker_died"),
    "raise": ("raise=nonsense", "error", "model_error"),
    "oom": ("oom=1", "oom", "out_of_memory"),
    "loop": ("loop=1", "loop", None),
    "empty": ("empty=1", "empty", None),
    "late": ("tokens=100000 delay=0.01", "timeout", "timeout"),
    "fine": ("tokens=3", "ok", None),
}


def test_a_failing_item_is_a_row_and_the_others_are_answered(arena, folder):
    items = [item(folder, name, prompt) for name, (prompt, _, _) in FAULTS.items()]
    items += [Item("broken", b"no image"), Item("gone", folder / "gone.png"), item(folder, "layout", task="layout")]
    plan = ask(arena, items, ["one"], item_seconds=1.5, warmup=0)
    _, found = filled(arena, plan)
    for name, (_, status, kind) in FAULTS.items():
        run = found[name, "A", 1]
        assert (run.status, run.error_kind) == (status, kind), name
    for name in ("broken", "gone", "layout"):
        run = found[name, "A", 1]
        assert (run.status, run.error_kind) == ("error", "bad_input") and run.error_detail
        assert run.timeline == Timeline() and run.scores == {}
    assert found["broken", "A", 1].image_sha256 is None and found["layout", "A", 1].image_sha256
    assert found["late", "A", 1].text and 1.5 <= found["late", "A", 1].timeline.generate_s < 15


def test_an_answer_that_took_too_long_leaves_the_model_loaded(arena, folder):
    items = [item(folder, f"slow{number}", "tokens=100000 delay=0.01") for number in range(3)]
    before = loads(folder, "two")
    plan = ask(arena, items, ["two"], item_seconds=0.2, warmup=0)
    _, found = filled(arena, plan)
    assert {run.status for run in found.values()} == {"timeout"} and loads(folder, "two") - before == 1


@pytest.mark.parametrize(("model", "tries", "why"), [("broken", 1, "no weights"), ("crashing", 2, "SIGSEGV")])
def test_a_model_that_does_not_come_up_is_not_tried_for_ever_and_the_next_one_answers(arena, folder, model, tries, why):
    items = [item(folder, f"i{number}") for number in range(4)]
    plan = ask(arena, items, [model, "one"])
    _, found = filled(arena, plan)
    assert loads(folder, model) == tries
    failed = [run for run in found.values() if run.side == "A"]
    assert {run.status for run in failed} == {"error"} and len({run.error_kind for run in failed}) == 1
    assert sum("Not tried" in run.error_detail for run in failed) == 5 - tries
    assert all(why in run.error_detail for run in failed)
    assert {run.status for run in found.values() if run.side == "B"} == {"ok"}


def test_a_stopped_benchmark_keeps_what_was_answered_and_asks_the_rest_again(arena, folder):
    items = [item(folder, f"i{number}", "tokens=20 delay=0.02") for number in range(3)]
    plan = ask(arena, items, ["one", "two"], warmup=0)
    cancel = Cancel()
    stopped = None
    for beat in carry_on(arena, plan.id, cancel):
        if beat.done == 2 and not beat.run and not stopped:
            stopped = time.monotonic()
            cancel.set()
    assert time.monotonic() - stopped < 10
    assert arena.benchmarks.get(plan.id).state == "stopped"
    kept = {place: run.run_id for place, run in rows(arena, plan).items()}
    assert len(kept) == 2, "the answer that was cut off is no row"
    _, found = filled(arena, plan)
    assert len(found) == 6 and {run.status for run in found.values()} == {"ok"}
    assert {place: found[place].run_id for place in kept} == kept
    assert arena.benchmarks.get(plan.id).state == "done"


def test_whoever_leaves_has_stopped_it(arena, folder):
    plan = ask(arena, [item(folder, "i0", "tokens=1000 delay=0.02")], ["one"], warmup=0)
    beats = carry_on(arena, plan.id, Cancel())
    while not (beat := next(beats)).item:
        pass
    beats.close()
    assert beat.model == "one" and rows(arena, plan) == {} and arena.benchmarks.get(plan.id).state == "stopped"


def test_others_are_served_while_a_benchmark_runs(arena, folder):
    items = [item(folder, f"i{number}", "tokens=10 delay=0.02") for number in range(8)]
    plan = ask(arena, items, ["one"], warmup=0)
    picture = arena.images.add(items[0].image)
    served = []

    def on_the_page():
        sides = tuple(Side(arena.catalog.find(name)) for name in ("two", "one"))
        request = Request(sides, picture, arena.catalog.task("ocr"), "tokens=3")
        served.extend(event for event in compare(arena, request) if isinstance(event, Run))

    thread = threading.Thread(target=on_the_page)
    for beat in carry_on(arena, plan.id, Cancel()):
        if beat.done == 1 and not thread.ident:
            thread.start()
        if beat.run:
            last = beat.run
    thread.join(60)
    assert [run.status for run in served] == ["ok", "ok"] and served[0].created_at < last.created_at
    assert {run.status for run in rows(arena, plan).values()} == {"ok"}


def test_a_full_queue_is_waited_for(arena, folder, tmp_path):
    fakes(tmp_path, one={})
    with arena_of(replace(load_settings({"ARENA_HOME": str(tmp_path), "ARENA_DEV": "1"}), queue_size=1)) as small:
        plan = ask(small, [item(folder, "i0")], ["one"], warmup=0)
        slot = small.slots.for_(small.catalog.find("one"))
        with slot.lease(small.catalog.find("one"), Cancel()) as held, slot.lease(held.spec, Cancel()) as waiting:
            list(held.wait_turn())
            next(waiting.wait_turn())
            beats = carry_on(small, plan.id, Cancel())
            notes = [beat.note.key for beat in (next(beats), next(beats)) if beat.note]
            assert notes == ["stages.queued"] and rows(small, plan) == {}
        assert [beat.run.status for beat in beats if beat.run] == ["ok"]


def test_a_program_that_leaves_fills_no_cell_with_its_own_end(folder, tmp_path):
    fakes(tmp_path, one={})
    with arena_of(load_settings({"ARENA_HOME": str(tmp_path), "ARENA_DEV": "1"})) as leaving:
        items = [item(folder, f"i{number}", "tokens=10 delay=0.02") for number in range(4)]
        plan = ask(leaving, items, ["one"], warmup=0)
        for beat in carry_on(leaving, plan.id, Cancel()):
            if beat.done == 2 and beat.note:
                leaving.slots.close()
        assert [run.status for run in rows(leaving, plan).values()] == ["ok", "ok"]
        assert leaving.benchmarks.get(plan.id).state == "stopped"


def test_images_that_are_still_to_be_asked_about_are_kept_and_asked_for_where_they_are(arena, folder):
    plan = ask(arena, [item(folder, "i0"), Item("broken", b"no image")], ["one"], warmup=0)
    (kept, _) = arena.benchmarks.items(plan.id)
    assert forget_older(arena.store, arena.images, days=0).files == 0 and arena.images.get(kept.image_sha256)
    only = ask(arena, [item(folder, "elsewhere")], ["one"], warmup=0)
    (gone,) = arena.benchmarks.items(only.id)
    arena.images.get(gone.image_sha256).path.unlink()
    with pytest.raises(RunError, match="this machine"):
        list(carry_on(arena, only.id, Cancel()))
    assert rows(arena, only) == {}


def test_two_programs_on_one_benchmark_fill_every_cell_once(arena, folder):
    items = [item(folder, f"i{number}", "tokens=2 delay=0.01") for number in range(8)]
    plan = ask(arena, items, ["one", "two"])
    with arena_of(arena.settings) as other:
        errors = []

        def go_on():
            try:
                list(carry_on(other, plan.id, Cancel()))
            except Exception as error:  # noqa: BLE001 - told in the thread that waits
                errors.append(error)

        thread = threading.Thread(target=go_on)
        thread.start()
        _, found = filled(arena, plan)
        thread.join(60)
    assert not thread.is_alive() and not errors
    assert set(rows(arena, plan)) == {each.place for each in asks(plan, [each.id for each in items])}
    assert {run.status for run in found.values()} == {"ok"} and arena.benchmarks.get(plan.id).state == "done"


def test_answers_of_an_earlier_benchmark_are_taken_over_and_say_so(arena, folder):
    items = [item(folder, f"i{number}", "tokens=6") for number in range(4)]
    first = ask(arena, items, ["one"], warmup=0)
    _, before = filled(arena, first)
    corrected = [*(replace(each, truth=Truth(text="longer")) for each in items[:3]), item(folder, "i3", "tokens=4")]
    second = ask(arena, corrected, ["one", "two"], cached=True)
    _, found = filled(arena, second)
    taken = [run for run in found.values() if run.cell.cached_from]
    assert {run.cell.item for run in taken} == {"i0", "i1", "i2"} and {run.side for run in taken} == {"A"}
    for run in taken:
        origin = before[run.cell.item, "A", 1]
        assert run.cell.cached_from == origin.run_id and run.run_id != origin.run_id and run.text == origin.text
        assert run.timeline == Timeline() and run.memory.peak_ram_mb is None and run.characters_per_s is None
        assert run.reference == "longer" and run.scores["cer"] != origin.scores["cer"]
    fresh = found["i3", "A", 1]
    assert fresh.cell.cached_from is None and fresh.timeline.generate_s is not None, "asked in other words"


def test_sampled_answers_are_taken_over_only_with_the_same_seed(arena, folder):
    items = [item(folder, "i0"), item(folder, "i1")]
    sampled = {"params": {"temperature": 0.7}}
    filled(arena, ask(arena, items, ["three"], seed=5, warmup=0, **sampled))
    for seed, taken in ((5, True), (6, False)):
        _, found = filled(arena, ask(arena, items, ["three"], seed=seed, cached=True, **sampled))
        assert {bool(run.cell.cached_from) for run in found.values() if run.cell.repeat} == {taken}


def test_a_lock_file_says_all_and_what_differs(arena, folder, tmp_path):
    items = [item(folder, f"i{number}", prompt) for number, prompt in enumerate(("tokens=2", "", "tokens=2"))]
    plan = ask(arena, items, ["one", "two"], repeat=2, seed=3, item_seconds=9.0, params={"max_new_tokens": 5})
    filled(arena, plan)
    for name in ("lock.yaml", "lock.json"):
        write(locked(arena, plan.id), tmp_path / name)
        kept = read(tmp_path / name)
        assert kept == locked(arena, plan.id)
    assert kept["dataset"]["sha256"] == plan.dataset_sha256 and len(kept["items"]) == 3 and len(kept["prompts"]) == 2
    assert kept["models"]["one"]["libraries"]["fake"] == "1" and kept["benchmark"]["params"] == {"max_new_tokens": 5}

    more = Dataset("set", [item(folder, "another"), *items[::-1]])
    assert chosen(more, kept).items == items, "those that the file names, in its order"
    models = models_of(arena, kept)
    assert differences(arena, kept, chosen(more, kept), models) == []
    other = [replace(items[0], truth=Truth(text="x")), *items[1:]]
    assert [each.what for each in differences(arena, kept, Dataset("set", other), models)] == ["dataset.sha256"]
    fewer = differences(arena, kept, Dataset("set", items[1:]), models)
    assert [each.what for each in fewer] == ["dataset.sha256", "items"]
    changed = {**kept, "models": {**kept["models"], "one": {**kept["models"]["one"], "revision": "abc"}}}
    (found,) = differences(arena, changed, Dataset("set", items), models)
    assert (found.what, found.then, found.now) == ("models.one.revision", "abc", "")
    changed["models"]["two"]["libraries"]["fake"] = "0"
    (found,) = answered_by(arena, changed, plan.id)
    assert (found.what, found.then, found.now) == ("models.two.libraries.fake", "0", "1")


@pytest.mark.parametrize("text", ["", "lock: 1", "lock: 2\nitems: {}", "[", "{", "a: [1", "items: 3"])
def test_what_is_no_lock_file_is_said(text, tmp_path):
    (tmp_path / "file").write_text(text)
    with pytest.raises(RunError, match="no lock file"):
        read(tmp_path / "file")
    with pytest.raises(RunError, match="no lock file"):
        read(tmp_path / "absent")


def test_a_row_is_run_again_and_what_differed_is_said(arena, folder):
    plan = ask(arena, [item(folder, "i0"), item(folder, "i1")], ["one"])
    _, found = filled(arena, plan)
    warm = found["i0", "A", 1]
    *_, said = repeat(arena, warm.run_id, Cancel())
    assert isinstance(said, Repetition) and said.same and said.outcome.after.timeline.cold is False
    assert set(said.ratios) >= {"generate_s", "total_s"} and said.to_dict()["item"] == "i0"
    assert said.outcome.after.cell.benchmark_id is None, "it is no row of the benchmark"
    arena.store.delete([warm.run_id])
    arena.store.save(
        replace(warm, text="else", scores={"cer": 9.0}, library_versions=warm.library_versions | {"fake": "0"})
    )
    *_, said = repeat(arena, warm.run_id, Cancel())
    assert not said.same and said.scores["cer"] == (9.0, warm.scores["cer"])
    assert [change.fact for change in said.outcome.changes] == ["fake"]
    with pytest.raises(RunError):
        list(repeat(arena, "nothing", Cancel()))


def test_what_cannot_be_asked_is_said_before_anything_is_written(arena, folder):
    items = [item(folder, "i0")]
    before = len(arena.benchmarks.newest(1000))
    for models, fields, said in (
        ([], {}, "at least one model"),
        (["one", "one:embedded"], {}, "twice"),
        (["nothing"], {}, "nothing"),
        (["one"], {"task": "chat"}, "conversation"),
        (["one"], {"task": "layout"}, "layout"),
        (["one"], {"repeat": 0}, "Repetitions"),
        (["one"], {"item_seconds": 0}, "Repetitions"),
        (["one"], {"params": {"psm": 6}}, "psm"),
        (["one"], {"params": {"two.seed": 6}}, "two.seed"),
    ):
        with pytest.raises(RunError, match=said):
            ask(arena, items, models, **fields)
    with pytest.raises(RunError, match="i0"):
        ask(arena, items * 2, ["one"])
    with pytest.raises(RunError, match="no items"):
        ask(arena, [], ["one"])
    with pytest.raises(RunError, match="no benchmark"):
        next(carry_on(arena, "nothing", Cancel()))
    assert len(arena.benchmarks.newest(1000)) == before


def test_real_engines_read_what_is_written_and_share_the_comparison(arena, folder):
    words = {"hello": "HELLO WORLD", "total": "Total 1350"}
    for name, text in words.items():
        image(text, (320, 70)).save(folder / f"{name}.png")
    items = [item(folder, name, "", truth=Truth(text=text)) for name, text in words.items()]
    plan = ask(arena, items, ["tesseract", "rapidocr"], warmup=0)
    _, found = filled(arena, plan)
    assert Counter(run.status for run in found.values()) == {"ok": 4}
    assert {run.scores["cer"] for run in found.values()} == {0.0}
    assert all(run.library_versions and run.boxes for run in found.values())
