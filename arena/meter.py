"""What a run takes, seen from outside the worker: peaks of its processes' memory and of VRAM, energy of the GPU.

Whatever the driver's calls cost here, the sampler keeps to its `SHARE` of one core by looking less often, down to
once in `SLOWEST_S`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

from arena.gpu import MIB, Gpus
from arena.types import Memory

SHARE = 0.005  # of one core for the samples, and as much again for finding children
FASTEST_S = 0.05  # a look after an idle moment takes 0.15 ms; the kernel itself remembers spikes of RAM
SLOWEST_S = 0.2
CHILDREN_S = 2.0  # looking for children reads the whole process table, 2 ms and more
JOIN_S = 2.0  # a driver that hangs must not take the run with it


@contextlib.contextmanager
def watch(pids: Callable[[], Iterable[int]], gpus: Gpus, device_index: int | None) -> Iterator[Meter]:
    """Measure the processes of `pids` and their children, and the device, until the block is left.

    pids: asked at every sample, from another thread too; may change or be empty. device_index: of `gpus`, None to
    leave VRAM alone. The first and the last sample are taken by the caller, so the shortest block has figures.
    """
    meter = Meter(pids, gpus, device_index)
    meter.sample()
    stop = threading.Event()
    thread = threading.Thread(target=meter.keep_sampling, args=(stop,), daemon=True, name="meter")
    thread.start()
    try:
        yield meter
    finally:
        stop.set()
        thread.join(JOIN_S)
        if not thread.is_alive():
            meter.sample()
            meter.read_high_water()


class Meter:
    """The peaks so far. One thread samples at a time; `memory` may be asked from any."""

    def __init__(self, pids: Callable[[], Iterable[int]], gpus: Gpus, device_index: int | None) -> None:
        self._pids = pids
        self._gpus = gpus
        self._index = device_index
        self._children: set[int] = set()
        self._processes: dict[int, psutil.Process] = {}  # seen alive at the last sample
        self._marked: set[int] = set()  # of these the kernel counts the peak from when we first saw them
        self._lists_for: tuple[float | None, frozenset[int]] | None = None
        self._ram: float | None = None
        self._vram: float | None = None
        self._device: float | None = None
        self._joules: float | None = None

    def memory(self) -> Memory:
        """Peaks in MiB; None for what could not be measured, such as VRAM of processes the driver does not list."""
        return Memory(peak_ram_mb=self._ram, peak_vram_process_mb=self._vram, peak_vram_device_mb=self._device)

    def count_energy(self) -> None:
        """The model is asked now."""
        self._joules = self._counter_j()

    def energy_j(self) -> float | None:
        """Joules that the whole GPU took since `count_energy`, whoever used it; None where it does not count them.

        NVML's counter moves every 20 to 100 ms, so an answer that takes less than a second has a rough figure."""
        now = self._counter_j()
        if now is None or self._joules is None or now < self._joules:  # less: the driver came up anew
            return None
        return now - self._joules

    def _counter_j(self) -> float | None:
        return None if self._index is None else self._gpus.energy_j(self._index)

    def keep_sampling(self, stop: threading.Event) -> None:
        """Look again and again. Not at once: the caller has just looked, and the model should be asked first."""
        children_due, pause = 0.0, FASTEST_S
        while not stop.wait(pause):
            if time.monotonic() >= children_due:
                cost = cpu_seconds(self._find_children)
                children_due = time.monotonic() + max(CHILDREN_S, cost / SHARE)
            pause = min(max(FASTEST_S, cpu_seconds(self.sample) / SHARE), SLOWEST_S)

    def sample(self) -> None:
        """Look once."""
        pids = frozenset(self._pids()) | self._children
        self._processes = {pid: process for pid in pids if (process := self._processes.get(pid) or self._meet(pid))}
        ram = 0
        for pid, process in list(self._processes.items()):
            try:
                ram += process.memory_info().rss
            except psutil.Error:
                del self._processes[pid]
                self._children.discard(pid)
        self._ram = higher(self._ram, ram / MIB or None)
        if self._index is not None:
            self._sample_gpu(self._index, pids)

    def _sample_gpu(self, index: int, pids: frozenset[int]) -> None:
        used = self._gpus.used_mb(index)
        self._device = higher(self._device, used)
        # The lists are dear, and only a change of the device's figure or of our processes can have changed them.
        if used is not None and self._lists_for == (used, pids):
            return
        self._lists_for = (used, pids)
        listed = self._gpus.processes(index) or {}
        own = [listed[pid] for pid in pids if pid in listed]
        known = [mb for mb in own if mb is not None]
        if own and len(known) == len(own):
            self._vram = higher(self._vram, sum(known))

    def read_high_water(self) -> None:
        """Take over the peaks that the kernel itself kept for each process: exact where samples may miss a spike."""
        for pid in self._marked & self._processes.keys():
            with contextlib.suppress(OSError, StopIteration):
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                line = next(line for line in lines if line.startswith("VmHWM:"))
                self._ram = higher(self._ram, int(line.split()[1]) / 1024)

    def _meet(self, pid: int) -> psutil.Process | None:
        try:
            process = psutil.Process(pid)
        except psutil.Error:
            return None
        self._marked.discard(pid)
        with contextlib.suppress(OSError):  # not Linux, or not allowed: then samples alone tell the peak
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the kernel's peak restarts from now, see proc(5)
            self._marked.add(pid)
        return process

    def _find_children(self) -> None:
        found: set[int] = set()
        for pid in self._pids():
            with contextlib.suppress(psutil.Error):
                found |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
        self._children = found


def higher(peak: float | None, value: float | None) -> float | None:
    return value if peak is None or (value is not None and value > peak) else peak


def cpu_seconds(work: Callable[[], None]) -> float:
    """Processor time that `work` takes of this thread."""
    start = time.thread_time()
    work()
    return time.thread_time() - start
