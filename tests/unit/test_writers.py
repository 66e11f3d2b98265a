"""Several programs fill one benchmark in one database: every cell once, whoever is ended in between."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from arena.config import load_settings
from arena.core import arena_of
from arena.query import RunQuery
from benchmarks.datasets import Dataset, Item
from benchmarks.metrics.truth import Truth
from benchmarks.runs.plan import asks
from benchmarks.runs.runner import begin

pytest_plugins = ("postgres",)

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "assets" / "samples"
WRITER = """
import sys
from arena.cancel import Cancel
from arena.config import load_settings
from arena.core import arena_of
from benchmarks.runs.runner import carry_on
with arena_of(load_settings()) as arena:
    for beat in carry_on(arena, sys.argv[1], Cancel()):
        if beat.run:
            print(beat.run.cell.item, flush=True)
"""


def writer(environ, plan):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, plan.id], env=os.environ | environ, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("killed", [False, True], ids=["undisturbed", "one-killed"])
@pytest.mark.postgres
def test_four_programs_fill_every_cell_once_and_ask_none_twice(tmp_path, cluster, killed):
    """They share a database and the pictures; each has model processes of its own, which note what they are asked."""
    home, asked = tmp_path / "home", tmp_path / "asked.txt"
    home.mkdir()
    entry = {"adapter": "fake", "modes": {"embedded": {}}, "tasks": ["ocr"], "licence": "MIT", "title": "x"}
    models = {name: {**entry, "options": {"record": str(asked)}} for name in ("one", "two")}
    (home / "models.yaml").write_text(yaml.safe_dump({"models": models}), encoding="utf-8")
    environ = {"ARENA_HOME": str(home), "ARENA_DEV": "1", "ARENA_DATABASE_URL": cluster.url(cluster.new_database())}
    picture = next(iter(sorted(PICTURE.glob("*.jpg"))))
    items = [Item(f"i{n}", picture, Truth(text="abc"), prompt="tokens=4 delay=0.05") for n in range(30)]
    with arena_of(load_settings(environ)) as arena:
        plan = begin(arena, Dataset("set", items), ["one", "two"])
        writers = [writer(environ, plan) for _ in range(4)]
        if killed:
            for _ in range(3):
                writers[0].stdout.readline()
            writers[0].kill()
        said = [each.communicate(timeout=100)[0].split() for each in writers]
        assert [each.returncode for each in writers] == [-9 if killed else 0, 0, 0, 0]
        runs = list(arena.store.iterate(RunQuery(benchmark_id=plan.id)))
        state = arena.benchmarks.get(plan.id).state
    places = [(run.cell.item, run.side, run.cell.repeat) for run in runs]
    assert sorted(places) == sorted(ask.place for ask in asks(plan, [item.id for item in items]))
    assert {run.status for run in runs} == {"ok"} and state == "done"
    assert sum(bool(lines) for lines in said) > 1, "they shared the work"
    predicted = asked.read_text().count("predict ")
    assert len(places) <= predicted <= len(places) + killed
