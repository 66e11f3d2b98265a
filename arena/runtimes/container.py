"""A model in vLLM's container: brought up alone, spoken to through a worker, taken down and proven gone.

There is one container of ours or none, beside one that may sleep (`arena.runtimes.sleep`). Whoever brings one up holds
the right to it (`arena.runtimes.hold`) until it is gone; what an earlier program left is taken over if it is the very
one that is wanted and answers, and removed otherwise. Everything that asks the Docker Engine runs beside, so that a
stop is heard at any moment.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from adapters.base import Job, Output
from arena.cancel import Cancel
from arena.config import Settings
from arena.errors import RunError
from arena.gpu import Device
from arena.runtimes import ports, starts, vllm_image, vllm_log, vllm_server
from arena.runtimes.background import TICK, Background
from arena.runtimes.engine import TIMEOUT, Engine, PortTaken, key_of, label, processes, told
from arena.runtimes.handle import NO_SIGN, Sign
from arena.runtimes.process import Interpreters, Worker
from arena.runtimes.room import wait_for_room
from arena.runtimes.sleep import Bed
from arena.runtimes.vllm_command import Plan, plan, sleeps
from arena.runtimes.watch import PERIOD, Watch
from arena.spec import ContainerSpec, ModelSpec

if TYPE_CHECKING:
    from docker.models.containers import Container as Made

FIRST_ANSWER = 60.0  # seconds for the one token that shows the model to be ready; the GPU compiles for it
PROBE = "ready.png"
log = logging.getLogger(__name__)


class Container:
    """A `Handle`: the container that serves the model, and the worker that speaks to it.

    detached: it is to outlive this program. adopted: it was there before this program asked for it.
    """

    def __init__(
        self,
        spec: ModelSpec,
        settings: Settings,
        gpu: Device | None,
        worker: Worker,
        detached: bool = False,
        bed: Bed | None = None,
    ) -> None:
        self.spec, self.settings, self.gpu, self.worker, self.detached = spec, settings, gpu, worker, detached
        self.config = spec.in_mode(spec.mode).container or ContainerSpec("", 0)
        self.broken = False
        self.adopted = False
        self._tried = False
        self.versions: dict[str, str] = {}
        self._bed = Bed() if bed is None else bed  # one where nobody sleeps is false
        self._hold = self._bed.hold
        self._engine: Engine | None = None
        self._made: Made | None = None
        self._model: dict[str, Any] = {}
        self._image = ""
        self._pids: list[int] = []
        self._watch: Watch | None = None
        # A container is made or taken away, never both at once; and none is made for a handle that is to end.
        self._lock = threading.Lock()
        self._doomed = False
        self._up: Background | None = None
        self._down: Background | None = None

    # --- what is asked of it at any moment; nothing here waits for Docker

    def alive(self) -> bool:
        return not self.broken and not (self._watch and self._watch.over.is_set())

    def pids(self) -> list[int]:
        return [*self._pids[:1], *self.worker.pids()] if self.alive() else []

    def family(self) -> list[int]:
        return [*(processes(self._made) if self._made else []), *self.worker.family()]

    @property
    def sleepy(self) -> bool:
        return sleeps(self.settings, self.gpu)

    @property
    def made(self) -> Made | None:
        """What Docker knows it by, once it is there."""
        return self._made

    # --- up

    def wait_started(self, timeout: float, cancel: Cancel) -> Iterator[Sign]:
        """Until the container runs, whatever had to be pulled or removed before. Raises `RunError`."""
        try:
            self._up = Background(self._bring_up(), "vllm up")
            yield from self._up.wait(cancel)
            yield from self.worker.wait_started(timeout, cancel)
        except BaseException:
            self.kill()
            raise

    def _bring_up(self) -> Iterator[Sign]:
        home = self.settings.home
        reference = self.config.image or self.settings.vllm_image
        wanted = plan(self.spec, self.settings, self.gpu, "")  # raises before anything is touched
        yield Sign("starting")
        if self.settings.vllm_sleep and not self.sleepy:
            log.warning("ARENA_VLLM_SLEEP is ignored: there is no GPU whose memory a sleeping model could give back")
        with self._still_wanted():
            self._hold.take()
            waking = self._bed.let_go(self.config)
        engine = self._engine = Engine()
        image = vllm_image.on_machine(engine, reference, home)
        if image is None:
            with self._still_wanted():
                engine.clear(self._bed.empty_of)
            image = yield from vllm_image.fetch(engine, reference, home)
        yield Sign("starting", vllm_image.keep(image, reference, home))
        self._image = vllm_image.digest_of(image, reference)
        wanted = replace(wanted, image=str(image.id))
        if waking:
            yield Sign("waking")
        if made := self._left_by_another(engine, wanted):
            self.adopted = True
        else:
            with self._still_wanted():
                engine.clear(self._bed.empty_of)
            yield from wait_for_room(self.gpu, self.config.gpu_memory_utilization, self.settings.release_timeout_s)
            ports.check(engine, wanted.port)
            made = self._make(engine, wanted)
        self._made, self._pids = made, processes(made)
        self._watch = Watch(engine, made, wanted.port)

    @contextmanager
    def _still_wanted(self) -> Iterator[None]:
        """Whatever changes something in Docker is done in here: never after, nor during, a `kill`."""
        with self._lock:
            if self._doomed:
                raise RunError("cancelled", "stopped by the user")
            yield

    def _left_by_another(self, engine: Engine, wanted: Plan) -> Made | None:
        """The container that is wanted, if it is there already, well, awake when asked to be, and alone."""
        found = [made for made in engine.ours() if self._bed.empty_of(made)]
        same = [label(made, "config") for made in found] == [wanted.digest] and found[0].status == "running"
        if not same or not vllm_server.healthy(wanted.port, timeout=2.0):
            return None
        return None if self.sleepy and not vllm_server.wake(wanted.port, key_of(found[0])) else found[0]

    def _make(self, engine: Engine, wanted: Plan) -> Made:
        with self._still_wanted():
            self._tried = True
            made = engine.make(wanted, self.detached)
            try:
                engine.start(made)
            except PortTaken:
                raise ports.taken(engine, wanted.port) from None
            with told():
                made.reload()
            return made

    def load(self, model: dict[str, Any], timeout: float, cancel: Cancel) -> Iterator[Sign]:
        """Until the model has answered about an image. Raises `RunError`; nothing of it is left running then."""
        started = time.monotonic()
        limit = starts.limit(self.settings.home, self.spec.id, self.config, timeout)
        try:
            yield from self._wait_healthy(started + limit, limit, cancel)
            if self.sleepy and not vllm_server.closed(self.config.port):
                raise RunError("start_failed", key="vllm.open_to_all", name=self.config.name)
            with self._told_by_its_end():
                yield from self._ask_once(model, max(FIRST_ANSWER, started + limit - time.monotonic()), cancel)
        except BaseException:
            self.kill()
            raise
        assert self._watch  # noqa: S101 - wait_started was there before
        self._watch.reading = False
        version = vllm_server.version(self.config.port, key_of(self._made) if self._made else "")
        self.versions = self.worker.versions | {"vllm": version or "?", "vllm_image": self._image}
        if not self.adopted:
            starts.note(self.settings.home, self.spec.id, time.monotonic() - started)

    def _wait_healthy(self, deadline: float, limit: float, cancel: Cancel) -> Iterator[Sign]:
        expected = starts.expected(self.settings.home, self.spec.id, self.config)
        phase = "starting"
        while not vllm_server.healthy(self.config.port):
            if cancel.is_set():
                raise RunError("cancelled", "stopped by the user")
            watch = self._watch
            if watch is None or watch.over.wait(TICK):
                raise self._ended()
            phase = vllm_log.phase(watch.lines, phase)
            log = "\n".join(watch.lines[-vllm_log.SHOWN :])
            if time.monotonic() > deadline:
                raise RunError("start_timeout", key="vllm.late", model=self.spec.id, s=round(limit), log=log)
            yield Sign(phase, f"≈ {expected:.0f} s\n{log}")

    def _ask_once(self, model: dict[str, Any], timeout: float, cancel: Cancel) -> Iterator[Sign]:
        """Have the worker find the server, and the server say one token about a small image."""
        key = key_of(self._made) if self._made else ""
        where = {"base_url": vllm_server.base_url(self.config.port), "served": self.spec.id}
        self._model = model | {"options": {**model.get("options", {}), **where}, "api_key": key}
        for _ in self.worker.load(self._model, timeout, cancel):
            yield self._warming()
        job = Job(str(probe(self.settings.home)), "What is in the image?", params={"max_new_tokens": 1})
        for _ in self.worker.predict(job, timeout, cancel):
            yield self._warming()

    def _warming(self) -> Sign:
        return Sign("warming", "\n".join(self._watch.lines[-vllm_log.SHOWN :]) if self._watch else "")

    # --- in use

    def predict(self, job: Job, timeout: float, cancel: Cancel) -> Iterator[str | Output | None]:
        """As of the worker; a container that ends meanwhile is what is told. Raises `RunError`."""
        with self._told_by_its_end():
            if not self.worker.alive():
                yield from self._new_worker(cancel)
            for piece in self.worker.predict(job, timeout, cancel):
                if not piece and self._watch and self._watch.over.is_set():
                    raise self._ended()
                yield piece

    def _new_worker(self, cancel: Cancel) -> Iterator[None]:
        """One that did not stop in time was ended. The server is as it was, and does not start for minutes again."""
        self.worker.kill()
        self.worker = Interpreters(warm=False).start(self.spec.adapter, self.spec.interpreter)
        for _ in self.worker.wait_started(FIRST_ANSWER, cancel):
            yield None
        for _ in self.worker.load(self._model, FIRST_ANSWER, cancel):
            yield None

    @contextmanager
    def _told_by_its_end(self) -> Iterator[None]:
        """What a client says of a server that went is not what happened; and one that is there and not well any more
        is not asked again."""
        try:
            yield
        except RunError as error:
            if error.kind not in ("cancelled", "bad_input") and not error.key.startswith("vllm."):
                # The watch looks several times a second: one moment more, and it has seen what has happened.
                if error.kind != "timeout" and self._watch and self._watch.over.wait(2 * PERIOD):
                    raise self._ended() from error
                self.broken |= not vllm_server.healthy(self.config.port, timeout=2.0)
            raise

    def _ended(self) -> RunError:
        """Why the container is not there any more, in the words of Docker and of its own log."""
        self.broken = True
        watch = self._watch
        end = watch.end if watch else None
        if watch is None or end is None:
            return (watch and watch.lost) or RunError("start_failed", key="vllm.docker_gone", host="—")
        log = "\n".join(watch.lines)
        about: dict[str, Any] = {"name": self.config.name, "code": "—" if end.code is None else end.code, "log": log}
        if end.out_of_memory:
            return RunError("worker_died", key="vllm.killed_for_memory", **about)
        if vllm_log.lacked_memory(log):
            return RunError("out_of_memory", key="vllm.lacked_memory", **about)
        if end.removed:
            return RunError("worker_died", key="vllm.removed", **about)
        return RunError("worker_died", key="vllm.died", why=end.error, **about)

    # --- down

    def kill(self) -> None:
        """End it; returns at once. Called again it tries again what could not be done before."""
        self.broken = self._doomed = True
        self.worker.kill()
        if self._up:
            self._up.stop()
        if self._watch:
            self._watch.stop()
        if self._down is None or (self._down.done and self._down.error):
            self._down = Background(self._take_down(), "vllm down")

    def _take_down(self) -> Iterator[Sign]:
        yield NO_SIGN
        with self._lock:
            if self._hold.held and self._engine:
                try:
                    self._engine.clear(self._bed.empty_of)
                except RunError:
                    # Without the Engine what can still be seen are the processes; an entry alone holds no memory.
                    gone = self._pids and not any(psutil.pid_exists(pid) for pid in self._pids)
                    if (self._tried or self._made) and not gone:
                        raise
            if not self._bed:
                self._hold.give_back()
            if self._engine:
                self._engine.close()

    def wait_gone(self) -> Iterator[Sign]:
        """Until the container is removed and its processes are gone. Raises `RunError` when Docker cannot do it."""
        self.kill()
        yield from self.worker.wait_gone()
        assert self._down  # noqa: S101 - kill made it
        try:
            yield from self._down.wait(timeout=3 * TIMEOUT)
        except TimeoutError:
            raise RunError("vram_not_released", key="vllm.docker_silent", s=3 * TIMEOUT) from None

    def leave(self) -> None:
        """Let go of the container, which stays: from now on it is whoever's who asks for it."""
        self.broken = True
        if self._watch:
            self._watch.stop()
        self.worker.kill()
        if not self._bed:
            self._hold.give_back()
        if self._engine:
            self._engine.close()


def probe(home: Path) -> Path:
    """A small picture with something in it."""
    from PIL import Image, ImageDraw

    path = home / PROBE
    if not path.exists():
        picture = Image.new("RGB", (112, 112), "white")
        ImageDraw.Draw(picture).rectangle((28, 28, 84, 84), fill="black")
        home.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    return path
