"""What the server counts and what it holds, for Prometheus; in a registry of its own, one a program."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from arena.core import Arena
from arena.gpu import MIB
from arena.types import Run

QUICK = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
SLOW = (0.1, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 240, 600)
REMEMBERED = 20  # runs from which the wait for a place is estimated
LONGEST_WAIT_S = 120


class Metrics:
    """Models are labelled by their id in the catalogue, so that nobody can make up labels."""

    def __init__(self, arena: Arena) -> None:
        self.registry = CollectorRegistry()
        self._busy_s: deque[float] = deque(maxlen=REMEMBERED)
        self._requests = self._counter("arena_requests", "Calls of the API", "call", "status")
        self._runs = self._counter("arena_runs", "Answers through the API by how they ended", "model", "status")
        self._tokens = self._counter("arena_tokens", "Tokens of runs through the API", "model", "kind")
        self._latency = self._histogram("arena_request_seconds", "From the wait in the queue to the last token", QUICK)
        self._first = self._histogram("arena_first_token_seconds", "From the question to the first token", QUICK)
        self._load = self._histogram("arena_load_seconds", "Bringing the weights into memory", SLOW)
        self.registry.register(State(arena))

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, buckets: Iterable[float]) -> Histogram:
        return Histogram(name, told, ["model"], registry=self.registry, buckets=tuple(buckets))

    def called(self, call: str, status: int) -> None:
        self._requests.labels(call, str(status)).inc()

    def ran(self, run: Run) -> None:
        times = run.timeline
        self._runs.labels(run.model, run.status).inc()
        for kind, count in (("prompt", run.prompt_tokens), ("output", run.output_tokens)):
            if count is not None:
                self._tokens.labels(run.model, kind).inc(count)
        for histogram, seconds in (
            (self._latency, times.total_s),
            (self._first, times.first_token_s),
            (self._load, times.load_s),
        ):
            if seconds is not None:
                histogram.labels(run.model).observe(seconds)
        if times.total_s is not None and run.status != "cancelled":
            self._busy_s.append(times.total_s - (times.queue_s or 0.0))

    def loaded(self, model: str, seconds: float) -> None:
        self._load.labels(model).observe(seconds)

    def retry_after(self) -> int:
        """Seconds until a place should become free: a run of the usual length, since one has to end."""
        usual = statistics.mean(self._busy_s) if self._busy_s else 1.0
        return max(1, min(LONGEST_WAIT_S, round(usual)))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class State(Collector):
    """What is so at the moment of the question. Registered, it is not asked."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("arena_queue_length", "Requests that wait for a device", labels=["device"])
        busy = GaugeMetricFamily("arena_device_busy", "Whether a request has the device", labels=["device"])
        loaded = GaugeMetricFamily("arena_model_loaded", "The model that is loaded", labels=["device", "model"])
        for slot in self._arena.slots.status():
            device = str(slot["device"])
            waiting.add_metric([device], float(str(slot["waiting"])))
            busy.add_metric([device], float(bool(slot["busy"])))
            if slot["model"]:
                loaded.add_metric([device, str(slot["model"])], 1.0)
        memory = GaugeMetricFamily("arena_device_memory_used_bytes", "VRAM in use by everybody", labels=["device"])
        for gpu in self._arena.gpus.devices():
            if (used := self._arena.gpus.used_mb(gpu.index)) is not None:
                memory.add_metric([gpu.name], used * MIB)
        yield from (waiting, busy, loaded, memory)
