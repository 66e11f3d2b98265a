"""Whether the GPU has the memory that vLLM will insist on: told before a start of minutes, not after it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from arena.errors import RunError
from arena.gpu import Device, Gpus
from arena.runtimes.handle import Sign

POLL = 0.2


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
                    need=f"{share * gpu.total_mb / 1024:.1f}",
                    free=f"{(gpu.total_mb - used) / 1024:.1f}",
                    total=f"{gpu.total_mb / 1024:.1f}",
                    share=f"{share:g}",
                    holders=", ".join(f"PID {pid}: {mb or '?'} MB" for pid, mb in gpus.held_by(gpu.index)) or "—",
                )
            yield Sign("starting")
            time.sleep(POLL)
    finally:
        gpus.close()
