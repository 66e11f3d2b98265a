"""A cluster of Ray fills the cells: one worker for every GPU, or for every machine where no GPU is wanted.

Ray finds the machines, gives each worker its GPU and notices who is lost. A worker keeps the model it has loaded for as
long as there are cells for it; every run comes back by itself and is saved here at once, so with a machine nothing is
lost but the answers it was at, and others give those.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import arena as program
from arena.benchmarks_kept import KeptItem
from arena.cancel import Cancel
from arena.core import Arena
from arena.errors import RunError
from arena.images import Notice
from arena.types import Run
from benchmarks.engines import Waiting
from benchmarks.engines.local import HOPELESS, TRIES, never_up
from benchmarks.engines.node import Hello, Node
from benchmarks.engines.sharing import Cells
from benchmarks.runs.cached import Earlier
from benchmarks.runs.plan import Ask, Plan

BEAT_S = 0.4
LOOK_S = 2.0  # between two looks at which machines there are
START_S = 60.0  # after which a worker that has not begun is not waited for
AT_ONCE = 2  # cells that a worker has: one it is at, and the next, so that it need not wait for us
STOP_S = 8.0
SHIPPED = ("adapters", "arena", "assets", "benchmarks")


@dataclass(eq=False)
class Worker:
    """A `Node` as it is seen from here. node: Ray's name of the machine. unable: models, with kind and text of why."""

    actor: Any
    node: str
    gpu: bool
    starting: Any
    since: float = field(default_factory=time.monotonic)
    host: str = ""
    unable: dict[str, tuple[str, str]] = field(default_factory=dict)
    loaded: str | None = None
    at: dict[Any, tuple[Ask, bool]] = field(default_factory=dict)  # by Ray's ticket; and whether it is not to be tried
    pictures: set[str] = field(default_factory=set)
    failures: Counter[str] = field(default_factory=Counter)


class Ray:
    """An `Engine`; see `benchmarks.engines`. address: of a cluster, "" to start one of this machine alone.

    Raises `RunError` (``unavailable``) where Ray is not installed."""

    def __init__(self, address: str = "") -> None:
        if find_spec("ray") is None:
            raise RunError("unavailable", key="ray.missing", command=install_command())
        self._address = address

    def fill(
        self, arena: Arena, plan: Plan, items: Mapping[str, KeptItem], asks: Sequence[Ask], cancel: Cancel
    ) -> Iterator[Run | Waiting]:
        """As every engine. Raises `RunError` (``unavailable``) without a cluster, or without a machine that can."""
        if not asks:
            return
        with connected(self._address) as ray:
            crew = Crew(ray, arena, plan, items, asks)
            try:
                yield from crew.fill(cancel)
            finally:
                crew.stop()


class Crew:
    """The workers of one benchmark and the cells that are left for them."""

    def __init__(self, ray: Any, arena: Arena, plan: Plan, items: Mapping[str, KeptItem], asks: Sequence[Ask]) -> None:
        self._ray, self._arena, self._plan, self._items = ray, arena, plan, items
        self._cells = Cells(asks)
        self._workers: list[Worker] = []
        self._looked = 0.0
        self._refused: dict[str, str] = {}  # machines on which no worker comes up, and why
        self._alone_since = time.monotonic()
        self._hopeless: list[tuple[Ask, tuple[str, str]]] = []  # cells over which workers were lost
        self._earlier = {ask.model: Earlier(arena, plan, ask.model) for ask in asks}
        specs = {model: plan.spec(arena.catalog, model) for model in self._earlier}
        self._on_gpu = {name for name, spec in specs.items() if spec.mode != "embedded" and not spec.elsewhere}
        file = arena.settings.models_file
        secret: dict[str, Any] = {"api_keys": (), "admin_key": "", "password": "", "teacher_password": ""}
        settings = replace(arena.settings, share=False, school=False, **secret)
        self._given = (settings, file.read_bytes() if file else None, plan, arena.commit)

    def fill(self, cancel: Cancel) -> Iterator[Run | Waiting]:
        while not cancel.is_set():
            self._look()
            yield from self._hand_out()
            waited = [ticket for worker in self._workers for ticket in worker.at]
            if not waited and not self._cells.models() and not self._hopeless:
                return
            waited += [worker.starting for worker in self._workers if worker.starting is not None]
            yield from self._gathered(waited)
        for worker in self._workers:
            worker.actor.stop.remote()
        deadline = time.monotonic() + STOP_S
        while (waited := [ticket for worker in self._workers for ticket in worker.at]) and time.monotonic() < deadline:
            yield from self._gathered(waited)

    def _gathered(self, waited: list[Any]) -> Iterator[Run | Waiting]:
        """What has come back within a moment."""
        if waited:
            came, _ = self._ray.wait(waited, num_returns=1, timeout=BEAT_S)
        else:
            came = []
            time.sleep(BEAT_S)
        for ticket in came:
            worker = next((each for each in self._workers if ticket in each.at or ticket is each.starting), None)
            if worker and (run := self._received(worker, ticket)):
                yield run
        if not came:
            at_work = [worker for worker in self._workers if worker.starting is None]
            hosts = len({worker.node for worker in at_work})
            note = Notice("ray.working", {"count": len(at_work), "hosts": hosts}) if at_work else Notice("ray.waiting")
            ask = next((ask for worker in at_work for ask, _ in worker.at.values()), None)
            yield Waiting(ask.model if ask else "", ask.item if ask else "", note)

    def _received(self, worker: Worker, ticket: Any) -> Run | None:
        """The run, saved, if it is one that counts."""
        try:
            value = self._ray.get(ticket)
        except self._ray.exceptions.RayError as error:
            self._lose(worker, error)
            return None
        if isinstance(value, Hello):
            worker.starting, worker.host = None, value.host
            worker.unable |= {model: ("unavailable", why) for model, why in value.wanting.items()}
            return None
        ask, not_tried = worker.at.pop(ticket)
        if value is None:  # stopped
            self._cells.give_back(ask, lost=False)
            return None
        run: Run = value
        if never_up(run) and not not_tried:
            worker.failures[ask.model] += 1
            if run.error_kind in HOPELESS or worker.failures[ask.model] >= TRIES:
                worker.unable[ask.model] = (run.error_kind or "", run.error_detail or "")
            if any(ask.model not in other.unable for other in self._able(ask.model) if other is not worker):
                self._cells.give_back(ask, lost=False)  # it may be this machine alone
                return None
        elif not not_tried:
            worker.failures[ask.model] = 0
        self._earlier[ask.model].learn(run)
        return self._arena.save(run)

    def _hand_out(self) -> Iterator[Run]:
        """Give every worker something to do; what was answered in earlier benchmarks is taken over."""
        for worker in self._workers:
            while worker.starting is None and len(worker.at) < AT_ONCE and (found := self._next(worker)):
                ask, hopeless = found
                item = self._items[ask.item]
                if self._arena.benchmarks.is_filled(self._plan.id, ask.place):
                    continue  # by another program
                if copied := self._earlier[ask.model].answer(ask, item):
                    yield copied
                    continue
                if hopeless is None:
                    worker.loaded = ask.model
                ticket = worker.actor.fill.remote(ask, item, self._picture(worker, item), hopeless)
                worker.at[ticket] = (ask, hopeless is not None)

    def _next(self, worker: Worker) -> tuple[Ask, tuple[str, str] | None] | None:
        """A cell for this worker, and the reason where it is not even to be tried."""
        if self._hopeless:
            return self._hopeless.pop()
        given_up = self._given_up()
        others = Counter(other.loaded for other in self._workers if other is not worker and other.loaded and other.at)
        mine = {model for model in self._cells.models() if worker in self._able(model) and model not in worker.unable}
        ask = self._cells.take(mine, worker.loaded, Counter({model: n for model, n in others.items() if model}))
        if ask is None and (ask := self._cells.take(given_up, None, {})):
            return ask, given_up[ask.model]
        return (ask, None) if ask else None

    def _given_up(self) -> dict[str, tuple[str, str]]:
        """Models that no worker can run, with one of the reasons; unknown while workers are still to come."""
        begun = time.monotonic() - START_S
        if any(worker.starting is not None and worker.since > begun for worker in self._workers):
            return {}
        found = {}
        for model in self._cells.models():
            able = [worker for worker in self._able(model) if worker.starting is None] or self._workers
            if able and all(model in worker.unable for worker in able):
                found[model] = able[0].unable[model]
        return found

    def _able(self, model: str) -> list[Worker]:
        """Workers with the kind of device that the model wants; without any GPU in the cluster, all of them."""
        of_gpu = [worker for worker in self._workers if worker.gpu]
        others = [worker for worker in self._workers if not worker.gpu]
        return of_gpu if of_gpu and model in self._on_gpu else others

    def _picture(self, worker: Worker, item: KeptItem) -> bytes | None:
        image = None if item.image_sha256 in worker.pictures else self._arena.images.get(item.image_sha256)
        if image is None:
            return None
        worker.pictures.add(item.image_sha256)
        return image.path.read_bytes()

    def _lose(self, worker: Worker, error: Exception) -> None:
        """Its cells are for others; one over which several workers were lost is a failure of its own."""
        self._workers.remove(worker)
        why = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        if worker.starting is not None:
            self._refused[worker.node] = why
        self._ray.kill(worker.actor)
        for ask, not_tried in worker.at.values():
            if self._cells.give_back(ask, lost=not not_tried):
                self._hopeless.append((ask, ("worker_died", why)))

    def _look(self) -> None:
        """Put a worker wherever there is none yet. Raises `RunError` (``unavailable``) when no machine can have one."""
        now = time.monotonic()
        if self._workers:
            self._alone_since = now
        elif now - self._alone_since > START_S:
            raise RunError("unavailable", key="ray.nobody", why="; ".join(set(self._refused.values())) or "—")
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        alive = {node["NodeID"]: node["Resources"] for node in self._ray.nodes() if node["Alive"]}
        cluster_has_gpus = any(resources.get("GPU", 0) >= 1 for resources in alive.values())
        wants_cpu = not cluster_has_gpus or set(self._earlier) - self._on_gpu
        for node, resources in alive.items():
            if node in self._refused:
                continue
            wanted = {True: int(resources.get("GPU", 0)) if self._on_gpu else 0}
            wanted[False] = 1 if wants_cpu and resources.get("CPU", 0) >= 1 else 0
            for gpu, count in wanted.items():
                there = sum(worker.node == node and worker.gpu == gpu for worker in self._workers)
                self._workers += [self._start(node, gpu) for _ in range(count - there)]
        if alive and not self._workers and all(node in self._refused for node in alive):
            raise RunError("unavailable", key="ray.nobody", why="; ".join(set(self._refused.values())))

    def _start(self, node: str, gpu: bool) -> Worker:
        place = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
        asked = self._ray.remote(Node).options(
            num_cpus=1, num_gpus=int(gpu), scheduling_strategy=place, max_concurrency=AT_ONCE + 2
        )
        actor = asked.remote(*self._given)
        return Worker(actor, node, gpu, actor.hello.remote())

    def stop(self) -> None:
        """End every worker with all its processes."""
        stops = [worker.actor.stop.remote() for worker in self._workers]
        if stops:
            self._ray.wait(stops, num_returns=len(stops), timeout=STOP_S)
        for worker in self._workers:
            self._ray.kill(worker.actor)


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected; a cluster that was started here is ended. Raises `RunError` (``unavailable``).

    The program is shipped to the machines, which need no copy of it, only its packages."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray = import_module("ray")  # by its name: it is in no requirements but its own
    import_module("ray.util.scheduling_strategies")
    if ray.is_initialized():
        yield ray
        return
    with tempfile.TemporaryDirectory(prefix="arena-ship-") as name:
        root = Path(program.__file__).parents[1]
        for part in SHIPPED:
            shutil.copytree(root / part, Path(name) / part, ignore=shutil.ignore_patterns("__pycache__"))
        local: dict[str, Any] = {} if address else {"include_dashboard": False}
        try:
            ray.init(
                address or "local",
                runtime_env={"working_dir": name},
                log_to_driver=False,
                logging_level=logging.ERROR,
                **local,
            )
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            ray.shutdown()
            raise RunError("unavailable", key="ray.no_cluster", address=address or "—", why=str(error)[:300]) from error
        try:
            yield ray
        finally:
            ray.shutdown()


def install_command() -> str:
    requirements = Path(program.__file__).parents[1] / "requirements" / "ray.txt"
    return f'"{sys.executable}" -m pip install -r "{requirements}"'
