"""Benchmarks in the background: one at a time, stopped, gone on with after a new start, every cell filled once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from arena.bench_jobs import BenchJobs, Job, Sight, Tally, Wanted, cells, estimate
from arena.config import Settings
from arena.core import Arena, arena_of
from arena.errors import RunError
from arena.query import RunQuery
from arena.types import Run
from arena.ui.bench_live import live, rough
from benchmarks.runs.plan import Plan, asks
from tests.runs import make_run
from tests.serving import own_models

ITEMS = 4


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Three models of the test adapter, and two sets: what is answered at once, and what takes its time."""
    settings = own_models(tmp_path)
    for name, prompt in (("quick", "say=right"), ("slow", "tokens=40 delay=0.05")):
        folder = settings.datasets / name
        folder.mkdir(parents=True)
        lines = ["image,prompt,reference"]
        for number in range(ITEMS):
            Image.new("RGB", (60, 40), (40 * number, 90, 90)).save(folder / f"{number}.png")
            lines.append(f"{number}.png,{prompt},right")
        (folder / "items.csv").write_text("\n".join(lines))
    return settings


@pytest.fixture
def arena(settings: Settings) -> Iterator[Arena]:
    with arena_of(settings) as arena:
        yield arena


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ended(job: Job) -> Sight:
    assert job.join(60)
    return job.sight


def places(arena: Arena, benchmark_id: str) -> list[tuple[str | None, str, int | None]]:
    runs = arena.store.iterate(RunQuery(benchmark_id=benchmark_id))
    return sorted((run.cell.item, run.side, run.cell.repeat) for run in runs)


def every_place(arena: Arena, benchmark_id: str) -> list[tuple[str, str, int]]:
    kept = arena.benchmarks.get(benchmark_id)
    assert kept
    items = [item.item for item in arena.benchmarks.items(benchmark_id)]
    return sorted(ask.place for ask in asks(Plan.from_dict(kept.plan), items))


def test_a_benchmark_fills_every_cell_and_tells_what_each_model_came_to(arena: Arena) -> None:
    jobs = BenchJobs(arena)
    assert jobs.sight is None
    sight = ended(jobs.start(Wanted("quick", ("one", "two"), name="Mine", repeat=2, warmup=1)))
    assert (sight.phase, sight.name, sight.error) == ("done", "Mine", None)
    assert sight.done == sight.total == 2 * (2 * ITEMS + 1)
    assert places(arena, sight.benchmark_id) == every_place(arena, sight.benchmark_id)
    assert sight.metrics[0] == "cer"
    for tally in sight.tallies:
        assert tally.statuses == {"ok": 2 * ITEMS}, "a warm-up is done and counts nowhere else"
        assert tally.done == tally.total == 2 * ITEMS + 1
        assert tally.mean("cer") == 0.0 and tally.median_s is not None and tally.failed == 0
    kept = arena.benchmarks.get(sight.benchmark_id)
    assert kept and kept.state == "done"
    assert arena.benchmarks.sizes([kept.id, "none"]) == {kept.id: (ITEMS, sight.done), "none": (0, 0)}
    assert cells(Plan.from_dict(kept.plan), ITEMS) == sight.total
    jobs.dismiss()
    assert jobs.sight is None


def test_what_was_stopped_is_gone_on_with_after_a_new_start_and_never_by_itself(settings: Settings) -> None:
    with arena_of(settings) as arena:
        jobs = BenchJobs(arena)
        job = jobs.start(Wanted("slow", ("one", "two"), limit=3, warmup=0))
        until(lambda: job.sight.phase == "running" and job.sight.done >= 1)
        with pytest.raises(RunError) as caught:
            jobs.start(Wanted("quick", ("one",)))
        assert caught.value.kind == "busy" and "slow" in caught.value.text("ru")
        assert jobs.under_way(job.sight.benchmark_id)
        jobs.stop()
        assert job.sight.phase == "stopping" or job.sight.over
        sight = ended(job)
        assert sight.phase == "stopped" and 1 <= sight.done < sight.total == 6
        before = places(arena, sight.benchmark_id)
        assert len(before) == sight.done, "an answer that was cut off fills nothing"
    with arena_of(settings) as arena:
        jobs = BenchJobs(arena)
        kept = arena.benchmarks.get(sight.benchmark_id)
        assert jobs.sight is None and kept and kept.state == "stopped"
        again = ended(jobs.start(sight.benchmark_id))
        assert again.phase == "done" and again.done == 6
        assert sum(tally.statuses["ok"] for tally in again.tallies) == 6, "what was answered before is counted"
        assert places(arena, sight.benchmark_id) == every_place(arena, sight.benchmark_id)


def test_the_end_of_the_program_leaves_no_row_that_was_not_answered(settings: Settings) -> None:
    with arena_of(settings) as arena:
        job = BenchJobs(arena).start(Wanted("slow", ("one",), warmup=0))
        until(lambda: job.sight.phase == "running" and job.sight.done >= 1)
    assert job.sight.phase == "stopped"
    with arena_of(settings) as arena:
        runs = list(arena.store.iterate(RunQuery(benchmark_id=job.sight.benchmark_id)))
        assert 1 <= len(runs) < ITEMS and {run.status for run in runs} == {"ok"}


def test_what_cannot_begin_says_why_and_makes_room_for_the_next(arena: Arena) -> None:
    jobs = BenchJobs(arena)
    for wanted, said in (
        (Wanted("quick", ("nobody",)), "nobody"),
        (Wanted("nowhere", ("one",)), "nowhere"),
        (Wanted("quick", ("one", "one")), "One"),
    ):
        sight = ended(jobs.start(wanted))
        assert sight.phase == "failed" and sight.error and said in sight.error.text("ru"), wanted
        assert said in live(sight, "en") and "data-news" not in live(sight, "en")
    assert ended(jobs.start("01ARZ3NDEKTSV4RRFFQ69G5FAV")).phase == "failed"
    assert arena.benchmarks.newest() == []
    assert ended(jobs.start(Wanted("quick", ("one",), limit=1))).phase == "done"


def test_the_page_asks_again_while_something_is_under_way_and_not_otherwise(arena: Arena) -> None:
    job = BenchJobs(arena).start(Wanted("slow", ("one",), limit=2, warmup=0))
    until(lambda: bool(job.sight.item))
    said = live(job.sight, "ru")
    assert 'data-news="2"' in said and 'role="progressbar"' in said and "One" in said
    assert f"media/{job.sight.image_sha256}.webp" in said and 'data-verb="stop"' in said
    job.stop()
    ended(job)
    assert "data-news" not in live(job.sight, "ru")
    assert live(None, "en") == ""


def test_a_tally_leaves_warm_ups_out_and_names_what_is_not_sound() -> None:
    tally = Tally("one", "One", 4)
    for status, repeat, cer in (("ok", 0, 1.0), ("ok", 1, 0.2), ("loop", 1, 0.4), ("error", 1, None)):
        run = make_run(status=status, scores={"cer": cer})
        tally = tally.plus(with_repeat(run, repeat))
    assert tally.done == 4 and tally.failed == 2 and tally.mean("cer") == pytest.approx(0.3)
    assert tally.mean("wer") is None and Tally("one", "One", 4).median_s is None


def with_repeat(run: Run, repeat: int) -> Run:
    return replace(run, cell=replace(run.cell, repeat=repeat))


def test_how_long_it_will_take_is_told_from_what_was_answered_before(arena: Arena) -> None:
    assert estimate(arena, ["one", "two"], "ocr", 100) == (0.0, ["One", "Two"])
    ended(BenchJobs(arena).start(Wanted("quick", ("one",))))
    seconds, unknown = estimate(arena, ["one", "two"], "ocr", 100)
    assert seconds > 0 and unknown == ["Two"]
    assert [rough(each, "en").replace("\xa0", " ") for each in (0.2, 40, 200, 7800)] == [
        "1 s",
        "40 s",
        "3 min",
        "2 h 10 min",
    ]
