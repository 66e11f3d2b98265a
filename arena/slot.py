"""The owner of one device: who may use it, what is loaded on it, and the proof that the memory came back.

stopped → starting → ready → stopping → stopped. Only the slot decides: callers ask for a `Lease` and never look at
the state to act on it. Whoever is served works in his own thread, so that a model is brought up and taken down by
the request that wants it; every wait is a generator that gives a sign of life and notices a cancel.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from adapters.base import Job, Output
from arena.cancel import Cancel
from arena.catalog import ModelSpec
from arena.config import Settings
from arena.errors import RunError
from arena.gpu import Baseline, Device, Gpus
from arena.runtimes import containers
from arena.runtimes.container import Container
from arena.runtimes.handle import NO_SIGN, Handle, Sign
from arena.runtimes.process import Interpreters, Worker
from arena.runtimes.room import wait_released
from arena.runtimes.sleep import Bed
from arena.told import for_adapter
from arena.types import Stage

State = Literal["stopped", "starting", "ready", "stopping"]

# How often a request for the loaded model may be served before an older one for another model.
OVERTAKINGS = 4


@dataclass(frozen=True)
class Waiting:
    """A sign of life: the stage a lease is in, the seconds spent there, the place in the queue, what is done now."""

    stage: Stage
    seconds: float
    position: int | None = None
    sign: Sign = NO_SIGN


class Slot:
    """One device, one loaded model. `gpu` is None for the CPU, and for a service elsewhere: `place` is its address."""

    def __init__(
        self, gpu: Device | None, settings: Settings, gpus: Gpus, interpreters: Interpreters, place: str = ""
    ) -> None:
        self.device = "cuda:0" if gpu else "cpu"  # as the worker sees it: this device and no other
        self.place = place or self.device
        self.device_index = gpu.index if gpu else None
        self.gpu = gpu
        self._env = {"CUDA_VISIBLE_DEVICES": gpu.uuid if gpu else ""}
        self.settings = settings
        self.gpus = gpus
        self.interpreters = interpreters
        self._condition = threading.Condition()  # protects everything below
        self._queue: list[Lease] = []
        self._holder: Lease | None = None
        self._handle: Handle | None = None
        self._loaded: ModelSpec | None = None
        self._bed = Bed(gpu, gpus, settings.release_timeout_s)
        self._prepared: tuple[tuple[str, str], Worker] | None = None
        self._baseline: Baseline | None = None  # of the device before our model; kept until its memory is back
        self._state: State = "stopped"
        self._last_used = time.monotonic()
        self._closed = False
        if settings.idle_unload_s:
            threading.Thread(target=self._unload_when_idle, daemon=True, name=f"{self.place} idle").start()

    # --- what everybody may ask

    def lease(self, spec: ModelSpec, cancel: Cancel) -> Lease:
        """A place in the queue for `spec`, taken when the lease is acquired."""
        return Lease(self, spec, cancel)

    def status(self) -> dict[str, object]:
        """State, loaded model and number of waiting requests; to be shown, never to be acted on."""
        with self._condition:
            died = self._state == "ready" and not (self._handle and self._handle.alive())
            return {
                "device": self.place,
                "state": "stopped" if died else self._state,
                "model": self._loaded.id if self._loaded and not died else None,
                "busy": self._holder is not None,
                "waiting": len(self._queue),
            } | self._bed.status()

    @property
    def closed(self) -> bool:  # the application is leaving: a failure says nothing of a model
        return self._closed

    def pids(self) -> list[int]:
        """Processes that hold, or are about to hold, the device's memory for us."""
        with self._condition:
            return [*(self._handle.pids() if self._handle else []), *self._bed.pids]

    def prepare(self, spec: ModelSpec) -> None:
        """Start a worker for `spec` and let it import, while another model is busy; it loads nothing."""
        wanted = (spec.adapter, spec.interpreter)
        with self._condition:
            if self._closed or (self._loaded and self._loaded.key == spec.key):
                return
            if self._prepared and self._prepared[0] == wanted and self._prepared[1].alive():
                return
            self._drop_prepared()
            self._prepared = (wanted, self.interpreters.start(*wanted, env=self._env))

    def unload(self, cancel: Cancel | None = None, only: str = "") -> Generator[Waiting, None, str | None]:
        """Wait for the device, end the model on it and prove its memory back. Returns its id, None when there was none.

        only: the id of the model meant; another one stays. Raises `RunError`."""
        with self.lease(NOTHING, cancel or Cancel()) as lease:
            yield from lease.wait_turn()
            model = self._loaded.id if self._loaded else None
            if only and model != only:
                return None
            yield from self._stop_model()
            return model

    def close(self) -> None:
        """End everything at once: the application is leaving."""
        with self._condition:
            self._closed = True
            self._drop_prepared()
            handle, self._handle, self._loaded, self._state = self._handle, None, None, "stopped"
            self._condition.notify_all()
        if handle:
            handle.kill()
        for end in (*([handle.wait_gone()] if handle else []), self._bed.remove()):
            with contextlib.suppress(RunError):  # there is nobody left to be told; the next start clears it away
                for _ in end:
                    pass

    # --- the queue

    def _enter(self, lease: Lease) -> None:
        with self._condition:
            if self._closed:
                raise RunError("unavailable", "the application is shutting down")
            if len(self._queue) >= self.settings.queue_size:
                raise RunError("busy", key="slot.busy", waiting=len(self._queue))
            self._queue.append(lease)

    def _turn(self, lease: Lease) -> int:
        """0 when the device is now the lease's, else its place in the queue. Waits a moment for it."""
        with self._condition:
            if not self._take(lease):
                self._condition.wait(0.1)
                if self._closed:
                    raise RunError("unavailable", "the application is shutting down")
                if not self._take(lease):
                    return self._queue.index(lease) + 1
            return 0

    def _take(self, lease: Lease) -> bool:
        if self._holder is not None or self._next() is not lease:
            return False
        for older in self._queue[: self._queue.index(lease)]:
            older.overtaken += 1
        self._queue.remove(lease)
        self._holder = lease
        return True

    def _next(self) -> Lease:
        """The oldest request, or one that joins the loaded model while that is still fair."""
        oldest = self._queue[0]
        if self._loaded and oldest.overtaken < OVERTAKINGS:
            return next((lease for lease in self._queue if lease.spec.key == self._loaded.key), oldest)
        return oldest

    def _leave(self, lease: Lease) -> None:
        with self._condition:
            if lease in self._queue:
                self._queue.remove(lease)
            if self._holder is lease:
                self._holder = None
                self._last_used = time.monotonic()
                if self._handle and not self._handle.alive():
                    self._handle.kill()
                    self._loaded, self._state = None, "stopped"
            self._condition.notify_all()

    # --- the model; only the holder of the device gets here

    def _set(self, state: State, loaded: ModelSpec | None) -> None:
        with self._condition:
            self._state, self._loaded = state, loaded

    def _stop_model(self, wanted: ModelSpec | None = None) -> Iterator[Waiting]:
        """End the model, if any, and wait until the device has its memory back; a container may sleep while another
        model is `wanted`, and what slept goes too when there is none. Raises `RunError`."""
        start = time.monotonic()
        self._set("stopping", None)
        pids: list[int] = []
        handle = self._handle
        if wanted and isinstance(handle, Container):
            for sign in self._bed.lay_down(handle, wanted, self._baseline):
                yield Waiting("unloading", time.monotonic() - start, sign=sign)
            if handle.made and not self._bed.empty_of(handle.made):
                with self._condition:
                    self._handle = handle = self._baseline = None
        if handle:
            pids = handle.family() if self.device_index is not None else []
            handle.kill()
            for sign in handle.wait_gone():
                yield Waiting("unloading", time.monotonic() - start, sign=sign)
            with self._condition:
                self._handle = None
        for sign in self._bed.remove() if not wanted else ():
            yield Waiting("unloading", time.monotonic() - start, sign=sign)
        if self.device_index is not None and (baseline := self._bed.settled(self._baseline)):
            for sign in wait_released(self.gpus, baseline, pids, self.settings.release_timeout_s):
                yield Waiting("unloading", time.monotonic() - start, sign=sign)
            self._baseline = None
        self._set("stopped", None)

    def _make_way(self, spec: ModelSpec, cancel: Cancel) -> Iterator[Sign]:
        """End what sleeps if it leaves too little of the device, and what an earlier program left."""
        if self._bed:
            yield from self._bed.make_way(spec)
        elif self.gpu and spec.mode != "vllm":
            yield from containers.make_room(cancel)

    def _start(self, spec: ModelSpec) -> Handle:
        """What will run the model, perhaps a worker prepared for it; on the slot's books before anything else."""
        with self._condition:
            wanted = (spec.adapter, spec.interpreter)
            if self._prepared and self._prepared[0] == wanted and self._prepared[1].alive():
                worker, self._prepared = self._prepared[1], None
            else:
                self._drop_prepared()
                worker = self.interpreters.start(*wanted, env=self._env)
            if self._closed:
                worker.kill()
                raise RunError("unavailable", "the application is shutting down")
            in_container = spec.mode == "vllm"
            handle = Container(spec, self.settings, self.gpu, worker, bed=self._bed) if in_container else worker
            self._handle, self._state = handle, "starting"
            return handle

    def _drop_prepared(self) -> None:
        if self._prepared:
            self._prepared[1].kill()
            self._prepared = None

    def _unload_when_idle(self) -> None:
        while True:
            with self._condition:
                if self._closed:
                    return
                idle = self._holder is None and not self._queue and (self._loaded or self._prepared or self._bed)
                left = self._last_used + self.settings.idle_unload_s - time.monotonic() if idle else 60.0
                if left > 0:
                    self._condition.wait(left)
                    continue
                self._drop_prepared()
                self._last_used = time.monotonic()
            try:
                for _ in self.unload():
                    pass
            except RunError:
                continue  # the next request proves the release again and says so


class Lease:
    """One request's hold on a device: `acquire`, then `predict`. Leaving the ``with`` gives the device back.

    queue_s, unload_s, start_s, load_s: seconds of the stages, None where not done. cold: the model was loaded for it.
    """

    def __init__(self, slot: Slot, spec: ModelSpec, cancel: Cancel) -> None:
        self.slot = slot
        self.spec = spec
        self.cancel = cancel
        self.overtaken = 0
        self.queue_s: float | None = None
        self.unload_s: float | None = None
        self.start_s: float | None = None
        self.load_s: float | None = None
        self.cold: bool | None = None
        self.handle: Handle | None = None

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None and self.handle and self.cold and self.load_s is None:
            self.handle.kill()  # left in the middle of a load: nobody knows what it holds
        self.slot._leave(self)

    def pids(self) -> list[int]:
        """Processes whose memory is this lease's; none while it waits, and none for a service elsewhere."""
        return self.handle.pids() if self.handle and not self.spec.elsewhere else []

    def wait_turn(self) -> Iterator[Waiting]:
        """Until the device is ours. Raises `RunError` when cancelled or when too many wait."""
        start = said = time.monotonic()
        self.slot._enter(self)
        while position := self.slot._turn(self):
            if self.cancel.is_set():
                raise RunError("cancelled", "stopped by the user")
            now = time.monotonic()
            if now - said > 0.4 or said == start:
                said = now
                yield Waiting("queued", now - start, position)
        self.queue_s = time.monotonic() - start

    def acquire(self) -> Iterator[Waiting]:
        """Until the model is loaded on the device, with nothing else of ours there. Raises `RunError`."""
        yield from self.wait_turn()
        slot, settings = self.slot, self.slot.settings
        if self.cancel.is_set():
            raise RunError("cancelled", "stopped by the user")
        if slot._loaded and slot._loaded.key == self.spec.key and slot._handle and slot._handle.alive():
            self.handle, self.cold = slot._handle, False
            return
        start = time.monotonic()
        if slot._handle or slot._baseline:
            yield from slot._stop_model(self.spec)
            self.unload_s = time.monotonic() - start
        for sign in slot._make_way(self.spec, self.cancel):
            yield Waiting("unloading", time.monotonic() - start, sign=sign)
            self.unload_s = time.monotonic() - start
        slot._baseline = slot._bed.baseline()
        start = time.monotonic()
        self.handle, self.cold = slot._start(self.spec), True
        for sign in self.handle.wait_started(settings.start_timeout_s, self.cancel):
            yield Waiting("starting", time.monotonic() - start, sign=sign)
        loading = time.monotonic()
        self.start_s = loading - start
        yield Waiting("loading", 0.0)
        model = for_adapter(self.spec, slot.device, settings.home)
        for sign in self.handle.load(model, settings.start_timeout_s, self.cancel):
            yield Waiting("loading", time.monotonic() - loading, sign=sign)
        self.load_s = time.monotonic() - loading
        slot._set("ready", self.spec)

    def predict(self, job: Job, seconds: float | None = None) -> Iterator[str | Output | None]:
        """Pieces of the answer, None as a sign of life, the `Output` last, in `seconds` at most. Raises `RunError`."""
        assert self.handle, "predict() before acquire()"  # noqa: S101
        return self.handle.predict(job, seconds or self.slot.settings.run_timeout_s, self.cancel)


# What `unload` asks for: the device itself, with no model on it.
NOTHING = ModelSpec(id="", title="", adapter="", source="")
