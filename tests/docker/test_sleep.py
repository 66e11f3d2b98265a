"""Switching back to a model whose container slept, with a real Docker Engine, the stand-in and a GPU that the driver's
stub tells. What is real of it: the containers, their processes, who may reach what, and the order in which all happens.
No GPU is here that gives memory back."""

from __future__ import annotations

import contextlib
import http.client
from dataclasses import replace

import docker
import psutil
import pytest
from programs import RUN, gone

from adapters.base import Job, Output
from arena.cancel import Cancel
from arena.errors import RunError
from arena.gpu import Gpus
from arena.runtimes import containers, sleep, vllm_server
from arena.runtimes import engine as engine_module
from arena.runtimes.engine import key_of, processes
from arena.slots import Slots
from arena.spec import Mode, ModelSpec

pytest_plugins = ("nvml",)

AWAKE, ASLEEP = 5000, 600  # MiB of the GPU


class Machine:
    """The slots of a machine with one GPU, whose memory follows what the containers do."""

    def __init__(self, settings, nvml, client, names) -> None:
        self.nvml, self.client, self.names = nvml, client, names
        self.asleep_mb = ASLEEP
        self.follow()
        self.gpus = Gpus()
        self.slots = Slots(replace(settings, vllm_sleep=True, release_timeout_s=2.0), self.gpus)

    def containers(self):
        there = {}
        for name in self.names():
            with contextlib.suppress(docker.errors.NotFound):  # one may just be going
                there[name] = self.client.containers.get(name)
        return there

    def states(self) -> dict[str, bool | None]:
        """Whether each of our containers sleeps."""
        return {
            name.rsplit("-", 1)[1]: vllm_server.asleep(port_of(made), key_of(made))
            for name, made in self.containers().items()
        }

    def follow(self) -> None:
        lines = ["gpu total=12288 used=300 name=Test uuid=GPU-a"]
        for made in self.containers().values():
            for pid in processes(made)[1:2]:  # the first is Docker's init
                held = self.asleep_mb if vllm_server.asleep(port_of(made), key_of(made)) else AWAKE
                lines.append(f"process {pid} {held} while_alive")
        self.nvml.write(*lines)

    @property
    def slot(self):
        return self.slots.all()[0]

    def use(self, spec, picture, cancel=None):
        """One lease; its answer, the lease, and the phases seen."""
        phases = set()
        with self.slots.for_(spec).lease(spec, cancel or Cancel()) as lease:
            for waiting in lease.acquire():
                phases.add(waiting.sign.phase)
                self.follow()
            self.follow()
            pieces = lease.predict(Job(picture, "?", params={"max_new_tokens": 8}))
            said = next(piece.text for piece in pieces if isinstance(piece, Output))
        return said, lease, phases

    def unload(self) -> None:
        for _ in self.slot.unload():
            self.follow()

    def close(self) -> None:
        self.slots.close()
        self.gpus.close()


def port_of(made) -> int:
    return int(engine_module.label(made, "port"))


@pytest.fixture
def machine(settings, nvml, client, ours, monkeypatch):
    # A Docker without NVIDIA's toolkit refuses to give a container the GPU that is not there.
    told = engine_module.arguments
    monkeypatch.setattr(engine_module, "arguments", lambda *about: told(*about) | {"device_requests": None})
    machine = Machine(settings, nvml, client, ours)
    yield machine
    machine.close()
    assert ours() == []


@pytest.fixture
def small(model):
    """A model that takes less than half of the GPU, so that another one has room beside what it keeps asleep."""
    return lambda name, *flags, **fields: model(name, *flags, **{"gpu_memory_utilization": 0.45} | fields)


def test_the_model_before_sleeps_and_is_woken_by_being_wanted(machine, small, picture, client):
    def starts(said: str) -> int:
        """How many containers had been started in their one volume when this one was."""
        return int(said.rpartition("start ")[2])

    a, b = small("a"), small("b")
    before, *_ = machine.use(a, picture)
    first = client.containers.get(f"arena-{RUN}-a").id
    assert machine.states() == {"a": False} and "asleep" not in machine.slot.status()
    said, lease, phases = machine.use(b, picture)
    assert said.startswith("b ") and "sleeping" in phases and lease.unload_s
    assert machine.states() == {"a": True, "b": False}, "one is awake"
    assert machine.slot.status()["asleep"] == "a" and machine.slot._bed.hold.held
    assert set(processes(client.containers.get(f"arena-{RUN}-a"))) <= set(machine.slot.pids()), "its memory is ours"
    said, lease, _ = machine.use(a, picture)
    assert said.startswith("a ") and starts(said) == starts(before), "it was not started again"
    assert lease.cold and lease.handle.adopted
    assert client.containers.get(f"arena-{RUN}-a").id == first
    assert machine.states() == {"a": False, "b": True}
    said, *_ = machine.use(b, picture)
    assert starts(said) == starts(before) + 1 and machine.states() == {"a": True, "b": False}


def test_at_most_one_sleeps(machine, small, picture):
    for name in ("a", "b", "c"):
        machine.use(small(name), picture)
    assert machine.states() == {"b": True, "c": False}


def test_unloading_and_closing_take_the_sleeper_too(machine, small, picture, ours):
    for name in ("a", "b"):
        machine.use(small(name), picture)
    pids = [pid for made in machine.containers().values() for pid in processes(made)]
    assert len(pids) >= 4
    machine.unload()
    assert ours() == [] and all(gone(pid) for pid in pids) and machine.slot.pids() == []
    assert not machine.slot._bed.hold.held, "another program may have one now"
    for name in ("a", "b"):
        machine.use(small(name), picture)
    machine.slots.close()
    assert ours() == []


def test_memory_that_a_woken_one_does_not_give_back_is_missed(machine, small, picture, nvml):
    """What it held asleep was part of what the device had in use when it was woken, and is not any more."""
    a = small("a")
    for spec in (a, small("b"), a):
        machine.use(spec, picture)
    machine.follow = lambda: nvml.write("gpu total=12288 used=1200 name=Test uuid=GPU-a")  # 300 + 600 for both + 300
    for held_mb in ("600", "900"):  # by the sleeper, which is removed first; above what there was before both
        with pytest.raises(RunError, match=f"^{held_mb} MB of GPU memory were still held"):
            machine.unload()
    machine.follow = lambda: nvml.write("gpu total=12288 used=300 name=Test uuid=GPU-a")
    machine.unload()


@pytest.mark.parametrize("why", ["no memory of the machine", "insomnia", "it keeps too much"])
def test_one_that_cannot_sleep_is_ended(machine, small, picture, monkeypatch, why):
    flags = ["--fault", "insomnia"] if why == "insomnia" else []
    if why == "no memory of the machine":
        monkeypatch.setattr(sleep, "weights_mb", lambda *_: psutil.virtual_memory().total / 2**20)
    if why == "it keeps too much":
        machine.asleep_mb = sleep.MOST_MB + 100
    machine.use(small("a", *flags), picture)
    said, *_ = machine.use(small("b"), picture)
    assert said.startswith("b ") and machine.states() == {"b": False}


def test_a_sleeper_that_leaves_too_little_room_is_removed(machine, small, picture):
    machine.use(small("a"), picture)
    machine.use(small("b", gpu_memory_utilization=0.95), picture)
    assert machine.states() == {"b": False}


def test_one_that_does_not_wake_is_started_anew(machine, small, picture, client):
    a = small("a", "--fault", "coma")
    machine.use(a, picture)
    first = client.containers.get(f"arena-{RUN}-a").id
    machine.use(small("b"), picture)
    said, lease, _ = machine.use(a, picture)
    assert said.startswith("a ") and not lease.handle.adopted
    assert client.containers.get(f"arena-{RUN}-a").id != first


def test_beside_a_model_of_another_mode_it_sleeps_and_stays_ours(machine, small, picture, settings, ours):
    a = small("a")
    machine.use(a, picture)
    mode = Mode("transformers", {"none": 1.0}, adapter="fake")
    other = ModelSpec("t", "T", "fake", "", modes=(mode,), mode="transformers")
    machine.use(other, picture)
    assert machine.states() == {"a": True}
    with pytest.raises(RunError) as busy:
        containers.down(settings)  # as another program would
    assert busy.value.kind == "busy" and machine.states() == {"a": True}
    _, lease, _ = machine.use(a, picture)
    assert lease.handle.adopted and machine.states() == {"a": False}
    machine.use(other, picture)
    machine.unload()
    assert ours() == [] and containers.down(settings) == []


def test_one_of_another_configuration_is_not_woken(machine, small, picture, client):
    a = small("a")
    machine.use(a, picture)
    first = client.containers.get(f"arena-{RUN}-a").id
    machine.use(small("b"), picture)
    said, lease, _ = machine.use(replace(a, dtype="bf16"), picture)
    assert said.startswith("a ") and not lease.handle.adopted
    assert client.containers.get(f"arena-{RUN}-a").id != first and machine.states() == {"a": False, "b": True}


def test_a_stop_while_the_next_one_starts_leaves_the_sleeper(machine, small, picture):
    a, b = small("a"), small("b", "--fault", "never")
    machine.use(a, picture)
    cancel = Cancel()
    with pytest.raises(RunError) as stopped, machine.slots.for_(b).lease(b, cancel) as lease:
        for waiting in lease.acquire():
            machine.follow()
            if waiting.sign.phase == "loading":
                cancel.set()
    assert stopped.value.kind == "cancelled"
    _, lease, _ = machine.use(a, picture)
    assert lease.handle.adopted and machine.states() == {"a": False}


def test_one_that_slept_when_its_program_was_killed(machine, small, picture, settings, ours, monkeypatch):
    a, b = small("a"), small("b")
    for spec in (a, b):
        machine.use(spec, picture)
    forgotten = machine.slot
    machine.follow()
    forgotten._handle.leave()  # as if nobody were there any more
    forgotten._handle, forgotten._baseline, forgotten._bed.sleepers = None, None, ()
    forgotten._bed.hold.give_back()
    again = Machine(settings, machine.nvml, machine.client, ours)
    try:
        client = machine.client
        client.containers.get(f"arena-{RUN}-b").remove(force=True)
        assert again.states() == {"a": True}
        _, lease, _ = again.use(a, picture)
        assert lease.handle.adopted and again.states() == {"a": False}
    finally:
        again.close()


def test_the_developers_paths_are_closed_to_who_has_no_key(machine, small, picture, client):
    machine.use(small("a"), picture)
    made = client.containers.get(f"arena-{RUN}-a")
    inside = next(iter(made.attrs["NetworkSettings"]["Networks"].values()))["IPAddress"]
    key = key_of(made)

    def asked(host, port, method, path, told=""):
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request(method, path, headers={"Authorization": told} if told else {})
            return connection.getresponse().status
        finally:
            connection.close()

    for host, port in (("127.0.0.1", port_of(made)), (inside, 8000)):
        for method, path in (("POST", "/sleep?level=1"), ("GET", "/is_sleeping"), ("POST", "/wake_up"),
                             ("POST", "/collective_rpc"), ("GET", "/v1/models"), ("GET", "/version")):  # fmt: skip
            for told in ("", "Bearer", "Bearer x", f"Basic {key}", key):
                assert asked(host, port, method, path, told) == 401, (host, method, path)
        assert asked(host, port, "GET", "/health") == 200
        assert asked(host, port, "GET", "/is_sleeping", f"Bearer {key}") == 200
    assert machine.states() == {"a": False}


def test_a_server_that_answers_without_a_key_is_not_used(machine, small, picture, ours, monkeypatch):
    told = engine_module.arguments

    def unguarded(*about):
        made = told(*about)
        command = [part for part in made["command"] if part != "--middleware" and not part.endswith(".Guard")]
        return made | {"command": command}

    monkeypatch.setattr(engine_module, "arguments", unguarded)
    with pytest.raises(RunError) as refused:
        machine.use(small("a"), picture)
    assert refused.value.key == "vllm.open_to_all"
    machine.unload()
    assert ours() == []


def test_without_a_gpu_it_is_ignored_and_said(start, model, ours, caplog, client):
    start(model("a"), vllm_sleep=True).up()
    assert "ARENA_VLLM_SLEEP is ignored" in caplog.text
    made = client.containers.get(f"arena-{RUN}-a")
    assert "--enable-sleep-mode" not in made.attrs["Config"]["Cmd"]
    assert not any("DEV_MODE" in line for line in made.attrs["Config"]["Env"])
