"""What NVIDIA's driver says of the GPUs, and whether a model's memory came back; never raises for want of a GPU.

The driver is asked through NVML (package nvidia-ml-py), from outside the workers: the figures hold for every kind
of model. Where the driver does not answer, a figure is None and `Gpus.reason` says why there is no GPU at all.
Every call used here is described at https://docs.nvidia.com/deploy/nvml-api/.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psutil
import pynvml

from arena.strings import tr

MIB = 1024 * 1024

# Above the few MiB by which the driver's own bookkeeping moves, below the smallest CUDA context (about 100 MiB):
# drift passes, a process that still lives does not.
TOLERANCE_MB = 64.0

# Why NVML did not start, by its error code; anything else is told with the driver's own words.
REASONS = {
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: "gpu.no_driver",
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: "gpu.not_loaded",
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "gpu.mismatch",
    pynvml.NVML_ERROR_NO_PERMISSION: "gpu.no_permission",
}


@dataclass(frozen=True)
class Device:
    """A GPU, or one instance of a GPU that MIG has divided.

    index: its place among the devices this program may use. uuid: what ``CUDA_VISIBLE_DEVICES`` of a worker has
    to be for the worker to see this device and no other. total_mb: MiB, None where GPU and CPU share the memory.
    """

    index: int
    name: str
    uuid: str
    total_mb: float | None
    driver: str


@dataclass(frozen=True)
class Baseline:
    """A device before our model came: MiB in use, and by whom; None where the driver does not say."""

    index: int
    used_mb: float | None
    processes: dict[int, float | None] | None


@dataclass(frozen=True)
class Unreleased:
    """MiB still held above a baseline, None when unknown, and what the figure was told from.

    source: ``process`` when the growth of other programs could be left out, ``device`` when the driver does not
    say who holds what and all growth counts.
    """

    mb: float | None
    source: Literal["process", "device"] | None


class Gpus:
    """The GPUs this program may use, as ``CUDA_VISIBLE_DEVICES`` leaves them. Safe to share between threads.

    The driver is started at the first question and once; a question costs no more than the driver's answer.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._lock = threading.Lock()  # protects the three below
        self._found: tuple[tuple[Device, Any], ...] | None = None  # each with its NVML handle
        self._why: tuple[str, dict[str, str]] | None = None  # key and params of the reason
        self._started = False

    def devices(self) -> tuple[Device, ...]:
        """Every device, its `index` being its place here; empty when `reason` says why."""
        return tuple(device for device, _ in self._cards())

    @property
    def reason(self) -> str | None:
        """Why there is no device, in English; None when there is one."""
        return self.reason_text("en")

    def reason_text(self, lang: str) -> str | None:
        """Why there is no device, in `lang`; None when there is one."""
        self._cards()
        return tr(self._why[0], lang, **self._why[1]) if self._why else None

    def used_mb(self, index: int) -> float | None:
        """MiB of the device in use by everybody, as ``nvidia-smi`` shows it."""
        memory = ask(memory_of, self._handle(index))
        return memory.used / MIB if memory else None

    def energy_j(self, index: int) -> float | None:
        """Joules that the whole card took since the driver came up; None before Volta and for an instance of a card."""
        millijoules = ask(pynvml.nvmlDeviceGetTotalEnergyConsumption, self._handle(index))
        return None if millijoules is None else millijoules / 1000

    def processes(self, index: int) -> dict[int, float | None] | None:
        """MiB by pid of every process on the device, None for one whose memory the driver does not tell (WSL,
        Windows, some containers); None when there is no list. In a container the pids may be those of the host."""
        handle = self._handle(index)
        # Called by version: with an old driver the unversioned names raise something else than NVMLError.
        computing = ask(pynvml.nvmlDeviceGetComputeRunningProcesses_v3, handle)
        if computing is None:
            return None
        drawing = ask(pynvml.nvmlDeviceGetGraphicsRunningProcesses_v3, handle) or []
        # A program that does both is in both lists with the same figure. Some drivers say 0 for a process of a
        # container; nobody is on the list without a context, so 0 is not a measurement.
        return {entry.pid: entry.usedGpuMemory / MIB if entry.usedGpuMemory else None for entry in drawing + computing}

    def held_by(self, index: int) -> list[tuple[int, float | None]]:
        """Who holds the device's memory: (pid, MiB), most first, unknown last; empty when the driver has no list."""
        return sorted((self.processes(index) or {}).items(), key=lambda entry: -(entry[1] or 0.0))

    def baseline(self, index: int) -> Baseline | None:
        """The device as it is now, to compare with later; None when there is no such device."""
        if self._handle(index) is None:
            return None
        return Baseline(index, self.used_mb(index), self.processes(index))

    def unreleased_mb(self, baseline: Baseline, own_pids: Collection[int]) -> float | None:
        """MiB still held above the baseline; 0.0 when all is back, None when unknown. See `unreleased`."""
        return self.unreleased(baseline, own_pids).mb

    def unreleased(self, baseline: Baseline, own_pids: Collection[int]) -> Unreleased:
        """MiB held above the baseline beyond what other programs took since, and what that was told from.

        ``(used now - used then) - (others now - others then)``; up to `TOLERANCE_MB` of it counts as nothing.
        Where the driver tells no total (memory shared with the CPU) it is what the list says of our processes.
        A new pid that is nobody's here is never taken for another program: it may be our worker on its way out,
        or our worker under the pid it has outside this container.
        """
        used, now, then = self.used_mb(baseline.index), self.processes(baseline.index), baseline.processes
        if used is not None and baseline.used_mb is not None:
            others = growth(then, now, own_pids)
            held = used - baseline.used_mb - (others or 0.0)
            return Unreleased(held if held > TOLERANCE_MB else 0.0, "device" if others is None else "process")
        if now is None or then is None:
            return Unreleased(None, None)
        own = [mb for pid, mb in now.items() if pid in own_pids or (pid not in then and not exists(pid))]
        known = [mb for mb in own if mb is not None]
        return Unreleased(sum(known), "process") if len(known) == len(own) else Unreleased(None, None)

    def close(self) -> None:
        """Let the driver go; from then on there are no devices."""
        with self._lock:
            self._found = ()
            if self._started:
                self._started = False
                ask(pynvml.nvmlShutdown)

    def _handle(self, index: int) -> Any:
        cards = self._cards()
        return cards[index][1] if 0 <= index < len(cards) else None

    def _cards(self) -> tuple[tuple[Device, Any], ...]:
        if self._found is None:
            with self._lock:
                if self._found is None:
                    self._found = self._find()
        return self._found

    def _find(self) -> tuple[tuple[Device, Any], ...]:
        try:
            pynvml.nvmlInit()
            self._started = True
            driver = pynvml.nvmlSystemGetDriverVersion()
            present = list(every_device())
        except pynvml.NVMLError as error:
            self._why = (REASONS[error.value], {}) if error.value in REASONS else ("gpu.failed", {"detail": str(error)})
            return ()
        variable = self._environ.get("CUDA_VISIBLE_DEVICES")
        chosen = present if variable is None else list(visible(variable, present))
        if not chosen:
            self._why = ("gpu.hidden", {"value": str(variable)}) if present else ("gpu.none", {})
        cards = []
        for index, (_, uuid, handle) in enumerate(chosen):
            memory, name = ask(memory_of, handle), ask(pynvml.nvmlDeviceGetName, handle)
            cards.append((Device(index, name or uuid, uuid, memory.total / MIB if memory else None, driver), handle))
        return tuple(cards)


def ask(question: Callable[..., Any], *about: Any) -> Any:
    """What the driver answers; None when it cannot, will not, or is asked about nothing (a None)."""
    try:
        return None if any(argument is None for argument in about) else question(*about)
    except pynvml.NVMLError:
        return None


def memory_of(handle: Any) -> Any:
    """Memory in bytes, without what the driver keeps for itself, as ``nvidia-smi`` counts; with it before 510."""
    try:
        return pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2)
    except pynvml.NVMLError_FunctionNotFound:
        return pynvml.nvmlDeviceGetMemoryInfo(handle)


def every_device() -> Iterator[tuple[int, str, Any]]:
    """(number of its GPU, uuid, handle) of every device that answers; of a divided GPU, its instances.

    Raises `NVMLError` only when the driver cannot even count.
    """
    for number in range(pynvml.nvmlDeviceGetCount()):
        gpu = ask(pynvml.nvmlDeviceGetHandleByIndex, number)  # None: fallen off the bus, or another user's
        handles = [gpu]
        if (ask(pynvml.nvmlDeviceGetMigMode, gpu) or [0])[0]:
            places = range(ask(pynvml.nvmlDeviceGetMaxMigDeviceCount, gpu) or 0)
            handles = [ask(pynvml.nvmlDeviceGetMigDeviceHandleByIndex, gpu, place) for place in places]
        for handle in handles:
            if uuid := ask(pynvml.nvmlDeviceGetUUID, handle):
                yield number, uuid, handle


def visible(variable: str, present: list[tuple[int, str, Any]]) -> Iterator[tuple[int, str, Any]]:
    """The devices that ``CUDA_VISIBLE_DEVICES`` names, in its order: numbers or beginnings of uuids, up to the
    first that names nothing, as CUDA reads it. Numbers count as with ``CUDA_DEVICE_ORDER=PCI_BUS_ID``."""
    for word in (word.strip() for word in variable.split(",")):
        named = [entry for entry in present if word and (word == str(entry[0]) or entry[1].startswith(word))]
        if not named:
            return
        yield named[0]


def growth(
    then: Mapping[int, float | None] | None, now: Mapping[int, float | None] | None, own_pids: Collection[int]
) -> float | None:
    """MiB that processes other than ours took since `then`, below zero when they gave back; None when it cannot
    be told: no list, a process without a figure, or growth of a pid that is nobody's here."""
    if then is None or now is None:
        return None
    grown = 0.0
    for pid in (then.keys() | now.keys()) - set(own_pids):
        before, after = then.get(pid, 0.0), now.get(pid, 0.0)
        if before is None or after is None or (after > before and not exists(pid)):
            return None
        grown += after - before
    return grown


def exists(pid: int) -> bool:
    try:
        return psutil.pid_exists(pid)
    except OverflowError:  # what some drivers put in for a process of another namespace
        return False
