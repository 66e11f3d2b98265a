"""Whether the GPU has its memory back, and as much as vLLM will insist on: told before a start of minutes."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator

from arena.errors import RunError
from arena.gpu import Baseline, Device, Gpus
from arena.runtimes.handle import NO_SIGN, Sign

POLL = 0.2
RELEASE_POLL = 0.1  # seconds between two looks at the device's memory; the driver needs 0.5 to 1.5 s


def wait_released(gpus: Gpus, baseline: Baseline, pids: Collection[int], timeout: float) -> Iterator[Sign]:
    """Until nothing above the baseline is held. Raises `RunError` (``vram_not_released``) naming the holders."""
    released = time.monotonic()
    while held := gpus.unreleased_mb(baseline, pids):
        if (waited := time.monotonic() - released) > timeout:
            raise RunError(
                "vram_not_released",
                key="slot.vram_not_released",
                mb=round(held),
                s=round(waited),
                holders=holders(gpus, baseline.index),
            )
        yield NO_SIGN
        time.sleep(RELEASE_POLL)


def holders(gpus: Gpus, index: int) -> str:
    """Who has the device's memory, to be shown."""
    return ", ".join(f"PID {pid}: {mb or '?'} MB" for pid, mb in gpus.held_by(index)) or "—"


def wait_for_room(gpu: Device | None, share: float, timeout: float) -> Iterator[Sign]:
    """Until `share` of the GPU is free, which takes a moment after a container went. Raises `RunError`
    (``out_of_memory``) with both figures; knows nothing where the driver tells nothing."""
    if gpu is None or not gpu.total_mb:
        return
    gpus = Gpus()
    try:
        deadline = time.monotonic() + timeout
        while (used := gpus.used_mb(gpu.index)) is not None and gpu.total_mb - used < share * gpu.total_mb:
            if time.monotonic() > deadline:
                raise RunError(
                    "out_of_memory",
                    key="vllm.no_room",
                    need=share * gpu.total_mb / 1024,
                    free=(gpu.total_mb - used) / 1024,
                    total=gpu.total_mb / 1024,
                    share=share,
                    holders=holders(gpus, gpu.index),
                )
            yield Sign("starting")
            time.sleep(POLL)
    finally:
        gpus.close()
