"""Killed at ten random moments and gone on with, a benchmark has the rows of one that nobody disturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from PIL import Image

from arena.cancel import Cancel
from arena.config import load_settings
from arena.core import arena_of
from arena.query import RunQuery
from arena.types import Cell, Memory, Timeline
from benchmarks.datasets import Dataset, Item
from benchmarks.metrics.truth import Truth
from benchmarks.runs.plan import asks
from benchmarks.runs.runner import begin, carry_on

PROGRAM = Path(__file__).parent.parent / "benchmark_program.py"
KILLS = 10
MODELS = ["one", "two"]
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def arena(tmp_path):
    entry = {"adapter": "fake", "modes": {"embedded": {}}, "tasks": ["ocr"], "licence": "MIT", "title": "Fake"}
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"models": dict.fromkeys(MODELS, entry)}), encoding="utf-8")
    with arena_of(load_settings({"ARENA_HOME": str(tmp_path), "ARENA_DEV": "1"})) as opened:
        yield opened


def dataset(folder):
    items = []
    for number in range(9):
        path = folder / f"{number}.png"
        Image.new("RGB", (40 + number, 30), "white").save(path)
        prompt = "crash=9 delay=0.003" if number == 3 else f"tokens={number + 3} delay=0.003 boxes=1"
        items.append(Item(f"i{number}", path, Truth(text="abcd 1234"), prompt=prompt, language="en"))
    return Dataset("set", [*items, Item("broken", b"no image")])


def what_stays(arena, plan):
    """The rows without times, ids and host, and without the commit: between two starts there may be another."""
    runs = arena.store.iterate(RunQuery(benchmark_id=plan.id))
    return sorted(
        (
            replace(
                run,
                run_id="",
                comparison_id="",
                app_commit=None,
                created_at=EPOCH,
                timeline=Timeline(),
                memory=Memory(),
                tokens_per_s=None,
                characters_per_s=None,
                error_detail=(run.error_detail or "").split("\n")[0],
                cell=Cell("", run.cell.item, run.cell.repeat),
            )
            for run in runs
        ),
        key=lambda run: (run.side, run.cell.item, run.cell.repeat),
    )


def test_ten_kills_lose_no_row_and_repeat_none(arena, tmp_path):
    plan = begin(arena, dataset(tmp_path), MODELS, repeat=2)
    undisturbed = begin(arena, dataset(tmp_path), MODELS, repeat=2)
    total = len(asks(plan, [str(number) for number in range(10)]))
    seed = random.randrange(10**6)
    print("moments drawn from the seed", seed)
    moments = random.Random(seed)
    program = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(tmp_path), plan.id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROGRAM.parent.parent)},
        text=True,
    )
    reached = []
    with program:
        for _ in range(KILLS):
            program.stdin.write("go\n")
            program.stdin.flush()
            pid = int(program.stdout.readline())
            # Somewhere in the next few rows, and then at any moment of an answer, a save or a start.
            goal = moments.randint(0, 2) + (reached[-1] if reached else 0)
            deadline = time.monotonic() + 60
            while len(arena.benchmarks.filled(plan.id)) < goal and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(moments.random() * 0.05)
            os.kill(pid, signal.SIGKILL)
            assert int(program.stdout.readline()) == signal.SIGKILL, "it was still at work"
            reached.append(len(arena.benchmarks.filled(plan.id)))
            assert reached[-1] >= goal
        program.stdin.close()
    assert reached == sorted(reached) and 0 < reached[-1] < total
    for each in (plan, undisturbed):
        for _ in carry_on(arena, each.id, Cancel()):
            pass
        assert arena.benchmarks.get(each.id).state == "done"
    found, expected = what_stays(arena, plan), what_stays(arena, undisturbed)
    assert len(expected) == total and {run.status for run in expected} == {"ok", "error"}
    assert found == expected
