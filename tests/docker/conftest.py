"""A real Docker Engine, a small image in it, and the certainty that exactly the right containers are left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest
import standin_image
from programs import RUN, Other, Start, free_port

from arena.config import Settings, load_settings
from arena.gpu import Device
from arena.runtimes import engine as engine_module
from arena.runtimes.container import Container
from arena.runtimes.hold import owner
from arena.runtimes.process import Interpreters
from arena.runtimes.vllm_command import volume
from arena.spec import ContainerSpec, Mode, ModelSpec


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    try:
        client = docker.from_env(timeout=120)
    except docker.errors.DockerException as error:
        pytest.skip(f"no Docker Engine answers: {error}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def image(client: docker.DockerClient) -> Iterator[str]:
    name = f"arena-standin-{RUN}:1"
    standin_image.build(client, name)
    yield name
    client.images.remove(name, force=True)
    for kept in client.volumes.list(filters={"name": volume()}):
        kept.remove(force=True)


@pytest.fixture
def settings(tmp_path: Path, image: str) -> Settings:
    told = {"ARENA_HOME": str(tmp_path / "home"), "ARENA_VLLM_IMAGE": image, "ARENA_START_TIMEOUT": "30"}
    return load_settings(told)


@pytest.fixture
def ours(client: docker.DockerClient) -> Iterator[Callable[[], list[str]]]:
    """Names of the containers that are ours now; after the test there must be none, nor anything in their place."""
    labels = {"label": [f"{engine_module.LABEL}owner={owner()}"]}

    def names() -> list[str]:
        return sorted(made.name for made in client.containers.list(all=True, filters=labels, ignore_removed=True))

    yield names
    left = client.containers.list(all=True, filters=labels)
    for made in left:
        made.remove(force=True)
    assert not left, f"left behind: {left}"


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., ModelSpec]:
    """A model in vLLM's mode, its weights a folder: ``model("a", "--fault", "crash")``."""

    def make(name: str, /, *flags: str, **fields: object) -> ModelSpec:
        weights = tmp_path / "weights" / name
        weights.mkdir(parents=True, exist_ok=True)
        (weights / "config.json").write_text("{}")
        told = {"name": f"arena-{RUN}-{name}", "port": free_port(), "start_budget_s": 1.0, "shm_size": "64m"} | fields
        container = ContainerSpec(**told, flags=flags)
        mode = Mode("vllm", adapter="openai_chat", container=container)
        return ModelSpec(name, name, "openai_chat", str(weights), modes=(mode,), mode="vllm")

    return make


@pytest.fixture(scope="session")
def interpreters() -> Iterator[Interpreters]:
    interpreters = Interpreters()
    yield interpreters
    interpreters.stop()


@pytest.fixture
def start(settings: Settings, ours: object, interpreters: Interpreters) -> Iterator[Callable[..., Start]]:
    """`start(spec)` makes a `Start`; whatever still runs of it in the end is taken down."""
    started: list[Start] = []

    def make(spec: ModelSpec, gpu: Device | None = None, **changes: object) -> Start:
        own = replace(settings, **changes)
        worker = interpreters.start(spec.adapter, spec.interpreter)
        started.append(Start(Container(spec, own, gpu, worker), own))
        return started[-1]

    yield make
    for each in started:
        each.down()


@pytest.fixture
def picture(tmp_path: Path) -> str:
    from PIL import Image

    path = tmp_path / "picture.png"
    Image.new("RGB", (64, 64), "white").save(path)
    return str(path)


@pytest.fixture
def other(settings: Settings, ours: object) -> Iterator[Callable[[ModelSpec], Other]]:
    others: list[Other] = []

    def make(spec: ModelSpec) -> Other:
        others.append(Other(spec, settings))
        return others[-1]

    yield make
    for each in others:
        if each.process.poll() is None:
            each.end()
