"""The Docker Engine stops, or hangs, in the middle of things: nothing hangs with it, and afterwards nothing is left."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import standin_image
from private_engine import PrivateEngine
from programs import RUN

from adapters.base import Job, Output
from arena.errors import RunError
from arena.runtimes import engine as engine_module

pytestmark = [
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("dockerd"), reason="a second Engine takes root and dockerd"
    ),
    # The library leaves a socket open when the Engine goes in the middle of a question.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateEngine]:
    folder = Path(tempfile.mkdtemp(prefix="arena-dockerd-"))
    engine = PrivateEngine(folder, f"arena{RUN}"[:13], "10.213.77.1/24")
    try:
        client = engine.client()
        standin_image.build(client, "arena-standin:1")
        client.close()
        yield engine
    finally:
        gc.collect()  # the open sockets, while their warning is let pass
        engine.remove()


@pytest.fixture
def there(private, monkeypatch, start):
    """`start` on the private Engine."""
    monkeypatch.setenv("DOCKER_HOST", private.address)
    return lambda spec, **changes: start(spec, vllm_image="arena-standin:1", **changes)


def names(private: PrivateEngine) -> list[str]:
    client = private.client()
    try:
        return [made.name for made in client.containers.list(all=True)]
    finally:
        client.close()


@pytest.mark.battery("D1")
def test_it_stops_while_a_container_starts(private, there, model):
    a = there(model("a", "--fault", "never"))

    def stop(begun):
        if begun.signs[-1].phase == "loading":
            private.stop()
        return False

    with pytest.raises(RunError) as gone:
        a.up(stop)
    # It takes its containers along, and whichever of the two is seen first is told.
    assert gone.value.key in ("vllm.docker_gone", "vllm.died")
    a.down()  # its processes are gone, so its memory is; only Docker's note of it is left
    private.start()
    assert names(private) == [f"arena-{RUN}-a"]
    b = there(model("b")).up()
    assert names(private) == [f"arena-{RUN}-b"]
    b.down()
    assert names(private) == []


@pytest.mark.battery("D1")
def test_it_is_killed_and_its_containers_live_on(private, there, model):
    a = there(model("a", "--fault", "never"))

    def kill(begun):
        if begun.signs[-1].phase == "loading":
            private.kill()
        return False

    with pytest.raises(RunError) as gone:
        a.up(kill)
    assert gone.value.key == "vllm.docker_gone" and "systemctl start docker" in gone.value.text()
    with pytest.raises(RunError):
        a.down()  # the process is still there: no other model may be started
    private.start()
    a.down()
    assert names(private) == []


@pytest.mark.battery("D1")
def test_it_hangs_while_a_model_answers(private, there, model, picture, monkeypatch):
    monkeypatch.setattr(engine_module, "TIMEOUT", 2)
    a = there(model("a")).up()
    private.hang()
    pieces = list(a.container.predict(Job(picture, "?"), 30, a.cancel))
    assert isinstance(pieces[-1], Output), "a container goes on without its Engine"
    a.container.kill()
    with pytest.raises(RunError) as silent:
        for _ in a.container.wait_gone():
            pass
    assert silent.value.key == "vllm.docker_silent"
    private.go_on()
    a.down()
    assert names(private) == []


@pytest.mark.battery("D1")
def test_it_hangs_before_anything_is_made(private, there, model, monkeypatch):
    monkeypatch.setattr(engine_module, "TIMEOUT", 2)
    private.hang()
    try:
        with pytest.raises(RunError) as silent:
            there(model("a")).up()
    finally:
        private.go_on()
    assert silent.value.key == "vllm.docker_silent"
    assert names(private) == []
