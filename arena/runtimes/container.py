"""One vLLM container through the Docker SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.base import Job, Output
from arena.cancel import Cancel
from arena.config import Settings
from arena.errors import RunError
from arena.gpu import Device
from arena.runtimes.handle import Sign
from arena.runtimes.process import Worker
from arena.spec import ModelSpec


class Container:
    """A `Handle`: the container that serves the model, and the worker that speaks to it."""

    def __init__(self, spec: ModelSpec, settings: Settings, gpu: Device | None, worker: Worker) -> None:
        self.spec, self.settings, self.gpu, self.worker = spec, settings, gpu, worker
        self.broken = False
        self.versions: dict[str, str] = {}

    def alive(self) -> bool:
        return not self.broken and self.worker.alive()

    def pids(self) -> list[int]:
        return []

    def family(self) -> list[int]:
        return []

    def wait_started(self, timeout: float, cancel: Cancel) -> Iterator[Sign]:
        raise RunError("unavailable", "not there yet")

    def load(self, model: dict[str, Any], timeout: float, cancel: Cancel) -> Iterator[Sign]:
        raise RunError("unavailable", "not there yet")

    def predict(self, job: Job, timeout: float, cancel: Cancel) -> Iterator[str | Output | None]:
        return self.worker.predict(job, timeout, cancel)

    def kill(self) -> None:
        self.broken = True
        self.worker.kill()

    def wait_gone(self) -> Iterator[Sign]:
        return self.worker.wait_gone()
