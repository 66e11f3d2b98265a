"""Where a container sleeps while another model has the GPU, so that switching back needs no new start.

Asleep (vLLM's level 1) it has its weights in the machine's memory, and of the GPU's little more than a CUDA context.
At most one sleeps, except while it changes places with the one that is awake. It is woken by being adopted, as is any
container that another program left; so one that slept when its program was killed is woken, or removed, as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from arena import hub, pins
from arena.config import Settings
from arena.errors import RunError
from arena.gpu import MIB, TOLERANCE_MB, Baseline, Device, Gpus
from arena.runtimes import vllm_server
from arena.runtimes.background import Background
from arena.runtimes.engine import TIMEOUT, Engine, key_of
from arena.runtimes.handle import NO_SIGN, Sign
from arena.runtimes.hold import Hold
from arena.runtimes.room import RELEASE_POLL, wait_released
from arena.spec import ContainerSpec, ModelSpec

if TYPE_CHECKING:
    from docker.models.containers import Container as Made

    from arena.runtimes.container import Container

MOST_MB = 1536.0  # MiB of the GPU that one may keep asleep: its context, and what was captured or compiled there
SPARE = 1.1  # of the size of its weights there must be in free memory


@dataclass(frozen=True)
class Sleeper:
    """id: of the container. model: in the catalogue. place: its name and port. held_mb: what it still has of the GPU,
    MiB. pids: its processes."""

    id: str
    model: str
    place: ContainerSpec
    held_mb: float
    pids: tuple[int, ...]

    def is_in_place_of(self, container: ContainerSpec | None) -> bool:
        """Whether the two cannot both be there."""
        return container is not None and (self.place.name == container.name or self.place.port == container.port)


class Bed:
    """Of one GPU. `hold` is the right to have containers: kept as long as one is up or sleeps."""

    def __init__(self, gpu: Device | None = None, gpus: Gpus | None = None, patience: float = 10.0) -> None:
        self.gpu, self.gpus, self.patience = gpu, gpus, patience
        self.hold = Hold()
        self.sleepers: tuple[Sleeper, ...] = ()
        self._left: tuple[
            Sleeper, ...
        ] = ()  # since the last baseline; what they held is in it, and not theirs any more

    def __bool__(self) -> bool:
        return bool(self.sleepers)

    @property
    def pids(self) -> list[int]:
        return [pid for each in self.sleepers for pid in each.pids]

    def empty_of(self, made: Made) -> bool:
        """Whether this container does not sleep here."""
        return made.id not in [each.id for each in self.sleepers]

    def status(self) -> dict[str, object]:
        asleep = self.sleepers
        return {"asleep": asleep[-1].model} if asleep else {}

    # --- what the device's owner asks

    def baseline(self) -> Baseline | None:
        """The device as it is, with what sleeps."""
        self._left = ()
        return self.gpus.baseline(self.gpu.index) if self.gpus and self.gpu else None

    def settled(self, baseline: Baseline | None) -> Baseline | None:
        """The baseline without the share of those that were woken or removed since it was taken."""
        return without(baseline, self._left) if baseline else None

    def lay_down(self, container: Container, wanted: ModelSpec, baseline: Baseline | None) -> Iterator[Sign]:
        """Put it to sleep while `wanted` has the GPU, if it can sleep, the machine has the memory and the GPU's is
        proven back. Otherwise it is not to be found in `sleepers`, and is to be ended. An older one is removed."""
        if not container.sleepy or not container.alive() or not container.made or not self.gpus:
            return
        place = wanted.in_mode(wanted.mode).container
        yield from self.remove(lambda each: not each.is_in_place_of(place), last=False)
        baseline = self.settled(baseline)
        size = weights_mb(container.spec, container.settings)
        if baseline is None or size is None or psutil.virtual_memory().available / MIB < SPARE * size:
            return
        made, pids = container.made, container.family()
        try:
            yield from self._waited(put(made, container.config.port), vllm_server.COPYING + TIMEOUT)
        except RunError:
            return
        held, before = self.gpus.unreleased_mb(baseline, pids), None
        deadline = time.monotonic() + self.patience
        # What it holds is part of the next baseline, so it must not fall any more.
        while held is not None and (before is None or held > MOST_MB or before - held > TOLERANCE_MB):
            if time.monotonic() > deadline:
                return
            yield Sign("sleeping")
            time.sleep(RELEASE_POLL)
            held, before = self.gpus.unreleased_mb(baseline, pids), held
        if held is not None:
            sleeper = Sleeper(str(made.id), container.spec.id, container.config, held, tuple(pids))
            self.sleepers = (*self.sleepers, sleeper)
            container.leave()
            yield from container.worker.wait_gone()

    def make_way(self, wanted: ModelSpec) -> Iterator[Sign]:
        """Remove what sleeps if `wanted` would have too little of the GPU's memory beside it. Raises `RunError`."""
        container = wanted.in_mode(wanted.mode).container
        used = self.gpus.used_mb(self.gpu.index) if self.gpus and self.gpu else None
        if self.gpu is None or used is None or not self.gpu.total_mb:
            return
        share = container.gpu_memory_utilization * self.gpu.total_mb if container else None
        own = sum(each.held_mb for each in self.sleepers if each.is_in_place_of(container))
        if self.gpu.total_mb - used + own < (share or (wanted.vram_gb or 0.0) * 1024):
            yield from self.remove(lambda each: not each.is_in_place_of(container))

    def remove(self, which: Callable[[Sleeper], bool] = lambda _: True, last: bool = True) -> Iterator[Sign]:
        """End them and prove their memory back. Raises `RunError`. last: no container is up beside them."""
        going = tuple(each for each in self.sleepers if which(each))
        if not going:
            return
        baseline = self.gpus.baseline(self.gpu.index) if self.gpus and self.gpu else None
        yield from self._waited(gone({each.id for each in going}), 3 * TIMEOUT)
        self._leave(going)
        if last and not self.sleepers:
            self.hold.give_back()
        if baseline and self.gpus:
            pids = [pid for each in going for pid in each.pids]
            yield from wait_released(self.gpus, without(baseline, going), pids, self.patience)

    # --- what a container asks that comes up

    def let_go(self, place: ContainerSpec) -> bool:
        """From now on what slept in its place is a container like any other. Whether there was one."""
        going = tuple(each for each in self.sleepers if each.is_in_place_of(place))
        self._leave(going)
        return bool(going)

    def _leave(self, going: tuple[Sleeper, ...]) -> None:
        self.sleepers = tuple(each for each in self.sleepers if each not in going)
        self._left += going

    def _waited(self, signs: Iterator[Sign], limit: float) -> Iterator[Sign]:
        try:
            yield from Background(signs, "vllm sleep").wait(timeout=limit)
        except TimeoutError:
            raise RunError("vram_not_released", key="vllm.docker_silent", s=round(limit)) from None


def without(baseline: Baseline, gone: tuple[Sleeper, ...]) -> Baseline:
    """The device as it would have been had they not slept on it."""
    pids = {pid for each in gone for pid in each.pids}
    then, used = baseline.processes, baseline.used_mb
    return replace(
        baseline,
        used_mb=None if used is None else used - sum(each.held_mb for each in gone),
        processes=None if then is None else {pid: mb for pid, mb in then.items() if pid not in pids},
    )


def put(made: Made, port: int) -> Iterator[Sign]:
    yield Sign("sleeping")
    if not vllm_server.put_to_sleep(port, key_of(made)):
        raise RunError("start_failed", f"{made.name} does not fall asleep")


def gone(ids: set[str]) -> Iterator[Sign]:
    yield NO_SIGN
    engine = Engine()
    try:
        engine.clear(lambda made: made.id in ids)
    finally:
        engine.close()


def weights_mb(spec: ModelSpec, settings: Settings) -> float | None:
    """Size of the files of its weights, MiB; None when they are not here."""
    folder = Path(spec.source) if spec.local else hub.snapshot(spec.source, pins.revision_to_load(spec, settings.home))
    if folder is None or not folder.is_dir():
        return None
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MIB
