"""A benchmark over two machines of a cluster that live on this one: the same rows as here, whatever is lost."""

import os
import sys
from dataclasses import fields, replace

import psutil
import pytest
import yaml
from openai_service import Service
from PIL import Image, ImageDraw, ImageFont

from arena.cancel import Cancel
from arena.config import load_settings
from arena.core import arena_of
from arena.query import RunQuery
from benchmarks.datasets import Dataset, Item
from benchmarks.engines.ray import Ray
from benchmarks.metrics.truth import Truth
from benchmarks.runs.plan import asks
from benchmarks.runs.runner import begin, carry_on

# What a run has of its own, wherever it ran.
OWN = ("run_id", "comparison_id", "created_at", "timeline", "memory", "tokens_per_s", "characters_per_s", "cell")


@pytest.fixture
def cluster():
    """The head, which takes no work, and two machines, of which the second has a key."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    made.machines = [made.add_node(num_cpus=1), made.add_node(num_cpus=1, env_vars={"SERVICE_KEY": "open sesame"})]
    yield made
    made.shutdown()


@pytest.fixture
def service():
    started = Service(["some-model"], key="open sesame")
    yield started
    started.stop()


@pytest.fixture
def arena(tmp_path, service):
    home = tmp_path / "home"
    home.mkdir()
    entry = {"adapter": "fake", "modes": {"embedded": {}}, "tasks": ["ocr"], "licence": "MIT"}
    given = {"one": {}, "two": {}, "broken": {"load_raise": "no weights"}}
    models = {name: {**entry, "title": name, "options": options} for name, options in given.items()}
    endpoint = {"url": service.url, "model": "some-model", "key_variable": "SERVICE_KEY"}
    models["elsewhere"] = {
        **entry,
        "title": "x",
        "adapter": "openai_chat",
        "modes": {"endpoint": {"endpoint": endpoint}},
    }
    (home / "models.yaml").write_text(yaml.safe_dump({"models": models}), encoding="utf-8")
    with arena_of(load_settings({"ARENA_HOME": str(home), "ARENA_DEV": "1"})) as opened:
        yield opened


def items(folder, count, prompt="tokens=4"):
    made = []
    for number in range(count):
        path = folder / f"{number}.png"
        image = Image.new("RGB", (300, 60), "white")
        ImageDraw.Draw(image).text((10, 10), f"Invoice {number}", fill="black", font=ImageFont.load_default(size=30))
        image.save(path)
        made.append(Item(f"i{number}", path, Truth(text=f"Invoice {number}"), language="en", prompt=prompt))
    return [*made, Item("broken", b"no image", Truth(text="x"))]


def rows(arena, plan):
    runs = list(arena.store.iterate(RunQuery(benchmark_id=plan.id)))
    found = {(run.cell.item, run.side, run.cell.repeat): run for run in runs}
    assert len(found) == len(runs)
    return found


def same(run):
    """What of a run must be the same wherever it was answered."""
    return {field.name: getattr(run, field.name) for field in fields(run) if field.name not in OWN}


def killed(cluster, machine):
    """As a power cut ends it: nobody has time for anything."""
    raylet = psutil.Process(machine.all_processes["raylet"][0].process.pid)
    for process in [raylet, *raylet.children(recursive=True)]:
        process.kill()
    cluster.worker_nodes.discard(machine)


def model_processes():
    """Living processes of models that these tests have started, on whichever machine of the cluster."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("ARENA_TEST_SESSION") == os.environ["ARENA_TEST_SESSION"]
            found += [process.pid] if mine and any("adapters." in word for word in process.cmdline()) else []
        except psutil.Error:
            continue
    return found


def test_a_machine_is_lost_in_the_middle_and_every_row_is_there_once_and_as_from_this_machine(arena, tmp_path, cluster):
    dataset, models = Dataset("set", items(tmp_path, 12, "tokens=4 delay=0.05")), ["one", "tesseract", "broken"]
    here, there = (begin(arena, dataset, models, repeat=2, anyway=True) for _ in range(2))
    list(carry_on(arena, here.id, Cancel()))
    done = 0
    for beat in carry_on(arena, there.id, Cancel(), Ray(cluster.address)):
        done += beat.run is not None
        if done == 15:
            killed(cluster, cluster.machines[0])
            done += 1
    expected, found = rows(arena, here), rows(arena, there)
    assert arena.benchmarks.get(there.id).state == "done"
    assert set(found) == {ask.place for ask in asks(there, [item.id for item in dataset.items])} == set(expected)
    for place, run in found.items():
        if run.model == "broken":
            assert (run.status, run.error_kind) == (expected[place].status, expected[place].error_kind)
        else:
            assert same(run) == same(expected[place])
        assert run.cell == replace(expected[place].cell, benchmark_id=there.id) and run.cell.host
        assert run.comparison_id == there.comparison(run.cell.item, run.cell.repeat)
    assert not sys.modules["ray"].is_initialized()


def test_stop_ends_every_worker_and_the_rest_is_filled_later(arena, tmp_path, cluster):
    plan = begin(arena, Dataset("set", items(tmp_path, 12, "tokens=50 delay=0.05")), ["one", "two"], anyway=True)
    cancel, done = Cancel(), 0
    for beat in carry_on(arena, plan.id, cancel, Ray(cluster.address)):
        done += beat.run is not None
        if done == 3 and not cancel.is_set():
            cancel.set()
    kept = rows(arena, plan)
    assert 3 <= len(kept) < 26 and arena.benchmarks.get(plan.id).state == "stopped"
    assert {run.status for run in kept.values() if run.cell.item != "broken"} == {"ok"}
    assert model_processes() == []
    list(carry_on(arena, plan.id, Cancel(), Ray(cluster.address)))
    found = rows(arena, plan)
    assert len(found) == 28 and all(found[place].run_id == run.run_id for place, run in kept.items())


def test_a_machine_without_the_model_leaves_it_to_the_others(arena, tmp_path, cluster, service):
    plan = begin(arena, Dataset("set", items(tmp_path, 6)), ["elsewhere", "one"], anyway=True)
    list(carry_on(arena, plan.id, Cancel(), Ray(cluster.address)))
    found = rows(arena, plan)
    read = [run for run in found.values() if run.cell.item != "broken"]
    assert len(found) == 16
    assert {(run.status, run.error_detail) for run in read} == {("ok", None)}
    assert len(service.requests) == sum(run.model == "elsewhere" for run in read)


def test_a_model_that_no_machine_has_is_a_row_that_says_so(arena, tmp_path, cluster):
    killed(cluster, cluster.machines[1])
    plan = begin(arena, Dataset("set", items(tmp_path, 3)), ["elsewhere", "one"], anyway=True)
    list(carry_on(arena, plan.id, Cancel(), Ray(cluster.address)))
    found = rows(arena, plan)
    assert len(found) == 10
    read = {place: run for place, run in found.items() if place[0] != "broken"}
    for (_, side, _), run in read.items():
        assert run.error_kind == ("unavailable" if side == "A" else None)
        assert side == "B" or "SERVICE_KEY" in run.error_detail
