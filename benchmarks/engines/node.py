"""What runs on a machine of a cluster: an arena of its own that fills one cell after the other and sends the runs back.

Its data folder and its database are thrown away afterwards; the program itself comes from whoever asks, so all machines
run the same one. Weights are taken from where this machine keeps them.
"""

from __future__ import annotations

import platform
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from arena.benchmarks_kept import KeptItem
from arena.cancel import Cancel
from arena.config import Settings
from arena.core import Arena
from arena.errors import RunError
from arena.types import Run
from benchmarks.engines.local import answered, not_asked, question, unanswerable
from benchmarks.runs.plan import Ask, Plan

LAST_ANSWER_S = 5.0  # for an answer to end after it was stopped


@dataclass(frozen=True)
class Hello:
    """A machine's name and, by model, why it cannot run it."""

    host: str
    wanting: dict[str, str]


class Node:
    """One slot of one machine. `fill` and `stop` may be called at once; cells are filled one after the other."""

    def __init__(self, settings: Settings, models: bytes | None, plan: Plan, commit: str | None) -> None:
        """models: the file with the asker's own models. Raises `ArenaError`."""
        self._folder = tempfile.TemporaryDirectory(prefix="arena-node-", ignore_cleanup_errors=True)
        home = Path(self._folder.name)
        own = home / "models.yaml"
        if models is not None:
            own.write_bytes(models)
        self._arena = Arena.open(
            replace(
                settings,
                home=home,
                database_url=f"sqlite:///{home / 'arena.db'}",
                models_file=None if models is None else own,
            )
        )
        self._arena.commit = commit
        self._plan = plan
        self._cancel = Cancel()
        self._one = threading.Lock()  # a cell that waits for the one before must not count it as waiting in the queue

    def hello(self) -> Hello:
        wanting = {}
        for model in self._plan.models:
            try:
                self._arena.check(self._plan.spec(self._arena.catalog, model), anyway=self._plan.anyway)
            except RunError as error:
                wanting[model] = error.detail
        return Hello(platform.node(), wanting)

    def fill(self, ask: Ask, item: KeptItem, picture: bytes | None, hopeless: tuple[str, str] | None) -> Run | None:
        """The cell's run, None when it was stopped. picture: where this machine does not have it yet. hopeless: kind
        and text of the reason not to try. Raises `RunError` (``storage``)."""
        with self._one:
            if picture is not None:
                self._arena.images.put(item.image_sha256, picture)
            request = question(self._arena, self._plan, ask, item)
            reason = RunError(hopeless[0], key="bench.not_tried", why=hopeless[1]) if hopeless else None
            if error := unanswerable(request.sides[0].spec, request, item) or reason:
                return not_asked(self._arena, self._plan, ask, request, item, error)
            events = answered(self._arena, self._plan, ask, request, None, self._cancel)
            return next((event for event in events if isinstance(event, Run)), None)

    def stop(self) -> None:
        """End the answer under way and every process of this one."""
        self._cancel.set()
        ended = self._one.acquire(timeout=LAST_ANSWER_S)
        self._arena.close()
        self._folder.cleanup()
        if ended:
            self._one.release()
