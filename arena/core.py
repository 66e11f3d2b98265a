"""The parts of a running program, opened and closed together: catalogue, images, store, GPUs and slots."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arena.advice import Smaller, instead
from arena.benchmarks_kept import Benchmarks
from arena.catalog import Catalog, ModelSpec, load_catalog
from arena.comparisons import Comparisons
from arena.config import Settings
from arena.errors import RunError
from arena.gpu import Gpus
from arena.images import ImageStore
from arena.lesson import Classroom
from arena.pictures import Pictures
from arena.public.link import Link
from arena.public.visits import Visits
from arena.slots import Slots
from arena.start_mode import settled
from arena.status import ModelStatus, model_status
from arena.store import Store
from arena.strings import LANGUAGES
from arena.types import Run
from arena.visitors import Visitors
from arena.votes import Votes


def cpu_name() -> str:
    """The processor's own name and its number of cores."""
    name = ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name or platform.processor() or platform.machine()} ({os.cpu_count()} cores)"


def git_commit() -> str | None:
    """The commit this program runs from, with ``+`` when files were changed; None outside a checkout."""

    def said(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.check_output(command, stderr=subprocess.DEVNULL, timeout=5, text=True).strip()

    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return said("rev-parse", "--short=12", "HEAD") + ("+" if said("status", "--porcelain", "-uno") else "")
    return None


class Unavailable(RunError):
    """A model that cannot run on this machine as it is; its text is the status with what helps: a command, or what to
    take instead."""

    def __init__(self, status: ModelStatus, instead: Smaller) -> None:
        self.model_status, self.instead = status, instead
        super().__init__("unavailable", self.text())

    def text(self, lang: str = "en") -> str:
        return " ".join(filter(None, (self.model_status.advice(lang), self.instead.text(lang))))


@dataclass
class Arena:
    """Everything `compare` needs. One a process; `open` and `close`, or ``with arena_of(settings) as arena``."""

    settings: Settings
    catalog: Catalog
    gpus: Gpus
    images: ImageStore
    store: Store
    slots: Slots
    votes: Votes
    benchmarks: Benchmarks
    comparisons: Comparisons
    pictures: Pictures
    classroom: Classroom | None  # in school mode
    link: Link
    cpu: str
    commit: str | None
    visits: Visits = field(default_factory=Visits)
    before_close: list[Callable[[], None]] = field(default_factory=list)  # what ends work that needs the parts below
    visitors: Visitors[Any] = field(default_factory=Visitors)
    _unsaved: list[Run] = field(default_factory=list)
    _saving: threading.Lock = field(default_factory=threading.Lock)  # protects _unsaved

    @classmethod
    def open(cls, settings: Settings) -> Arena:
        """Raises `ConfigError` or `ArenaError`, each saying what to do, when something cannot be used."""
        gpus = Gpus()
        catalog = load_catalog(settled(settings, gpus))
        store = Store(settings.database_url)
        votes = Votes(store)
        return cls(
            settings=settings,
            catalog=catalog,
            gpus=gpus,
            images=ImageStore(settings.images, settings.max_upload_mb * 10**6, settings.max_pixels),
            store=store,
            slots=Slots(settings, gpus),
            votes=votes,
            benchmarks=Benchmarks(store),
            comparisons=Comparisons(store),
            pictures=Pictures(store),
            classroom=Classroom(store, votes) if settings.school else None,
            link=Link(settings),
            cpu=cpu_name(),
            commit=git_commit(),
        )

    def check(self, spec: ModelSpec, *, anyway: bool = False) -> None:
        """Raises `RunError` (``unavailable``), with the command that helps, when the model cannot run here.

        anyway: an estimate that it will not fit is no reason."""
        status = self.status(spec, anyway=anyway)
        if not status.ready:
            raise Unavailable(status, instead(status, spec, self.catalog, self.gpus))

    def status(self, spec: ModelSpec, *, anyway: bool = False) -> ModelStatus:
        """Whether the model can run here and now; the memory of the loaded one counts as free."""
        return model_status(spec, self.settings, self.gpus, anyway=anyway, ours=self.slots.pids())

    def save(self, run: Run) -> Run:
        """Store the run, and any that could not be stored before. One that cannot be is kept and says so."""
        with self._saving:
            waiting, self._unsaved = [*self._unsaved, run], []
            for number, unsaved in enumerate(waiting):
                try:
                    self.store.save(unsaved)
                except RunError as error:
                    self._unsaved = waiting[number:][-1000:]
                    return replace(run, error_text={lang: error.text(lang) for lang in LANGUAGES} | run.error_text)
        return run

    def close(self) -> None:
        """End every worker and give everything back."""
        for end in self.before_close:
            end()
        self.slots.close()
        self.images.close()
        self.store.close()
        self.gpus.close()


@contextlib.contextmanager
def arena_of(settings: Settings) -> Iterator[Arena]:
    """An open arena, closed afterwards whatever happened."""
    arena = Arena.open(settings)
    try:
        yield arena
    finally:
        arena.close()
