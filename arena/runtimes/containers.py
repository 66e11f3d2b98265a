"""vLLM's containers as the command line handles them: one brought up to stay, what is there, its log, the end of it.

A container brought up here stays when the program that asked for it ends; the page takes it over if it is the one it
would have started, and replaces it otherwise. There is never a second one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena.cancel import Cancel
from arena.config import Settings
from arena.errors import RunError
from arena.gpu import Device
from arena.runtimes import vllm_image, vllm_server
from arena.runtimes.background import Background
from arena.runtimes.container import Container
from arena.runtimes.docker_host import docker_host
from arena.runtimes.engine import GONE, TIMEOUT, Engine, label
from arena.runtimes.handle import NO_SIGN, Sign
from arena.runtimes.hold import Hold
from arena.runtimes.process import Interpreters
from arena.spec import ModelSpec

if TYPE_CHECKING:
    from docker.models.containers import Container as Made


@dataclass(frozen=True)
class Found:
    """A container of ours, running or not.

    id: the short one that ``docker ps`` shows. model: id in the catalogue. port: on 127.0.0.1. state: Docker's word
    (``running``, ``exited``, ``created``). since: when it was created, ISO 8601, UTC. url: up to ``/v1``.
    detached: whether it was meant to stay.
    """

    id: str
    name: str
    model: str
    port: int
    state: str
    since: str
    url: str
    detached: bool


def up(spec: ModelSpec, settings: Settings, gpu: Device | None, cancel: Cancel) -> Iterator[Sign]:
    """Bring the model up until it has answered about an image, and leave it running; whichever container of ours was
    there before is gone then. `spec` in mode ``vllm``. Raises `RunError`, among them ``busy`` while another program
    of ours has a container; nothing is left behind then."""
    worker = Interpreters(warm=False).start(spec.adapter, spec.interpreter)
    container = Container(spec, settings, gpu, worker, detached=True)
    model = {"id": spec.id, "source": spec.source, "revision": spec.revision, "options": spec.options}
    model["device"] = "cuda:0" if gpu else "cpu"
    ready = False
    try:
        yield from container.wait_started(settings.start_timeout_s, cancel)
        yield from container.load(model, settings.start_timeout_s, cancel)
        ready = True
    finally:
        container.leave() if ready else container.kill()
        for _ in worker.wait_gone() if ready else container.wait_gone():
            pass


def down(settings: Settings) -> list[str]:
    """End every container of ours; their names. Raises `RunError`: ``busy`` while another program of ours uses one,
    ``unavailable`` without a Docker Engine."""
    hold = Hold()
    hold.take()
    try:
        with opened() as engine:
            return engine.clear()
    finally:
        hold.give_back()


def make_room(cancel: Cancel) -> Iterator[Sign]:
    """End what an earlier program of ours left in a container, before another model takes the GPU. Nothing to do where
    no Docker Engine runs. Raises `RunError`: ``busy`` while another program of ours uses its container."""
    if not docker_host().there:
        return
    yield from Background(_clear(), "vllm away").wait(cancel, timeout=3 * TIMEOUT)


def _clear() -> Iterator[Sign]:
    yield NO_SIGN
    try:
        with opened() as engine:
            if engine.ours():
                hold = Hold()
                hold.take()
                try:
                    engine.clear()
                finally:
                    hold.give_back()
    except RunError as error:
        if error.key != GONE:  # where no Engine runs, none of its containers does
            raise


def ours(settings: Settings) -> list[Found]:
    """Every container of ours, the newest first. Raises `RunError` (``unavailable``)."""
    with opened() as engine:
        return [found(made) for made in engine.ours()]


def found(made: Made) -> Found:
    port = int(label(made, "port") or 0)
    return Found(
        id=made.short_id,
        name=str(made.name),
        model=label(made, "model"),
        port=port,
        state=made.status,
        since=str(made.attrs["Created"])[:19] + "Z",
        url=vllm_server.base_url(port),
        detached=label(made, "detached") == "1",
    )


def logs(settings: Settings, model: str | None = None, lines: int = 100) -> str:
    """The last lines that the container (of this model) wrote, "" when there is none. Raises `RunError`."""
    with opened() as engine:
        made = next((each for each in engine.ours() if model in (None, label(each, "model"))), None)
        return "\n".join(engine.log(made, lines)) if made else ""


def repin(settings: Settings, image: str = "") -> str:
    """Have the image that the name stands for on this machine now be the one that is run; its digest. Without a name
    the one of the settings. Raises `RunError` (``unavailable``) when it is not on this machine."""
    with opened() as engine:
        return vllm_image.repin(engine, image or settings.vllm_image, settings.home)


@contextlib.contextmanager
def opened() -> Iterator[Engine]:
    engine = Engine()
    try:
        yield engine
    finally:
        engine.close()
