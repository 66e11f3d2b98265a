"""A comparison while it runs, seen from the page: events folded into what each side shows right now.

The work goes on in a thread of its own, so that a visitor who leaves, stops or loses the connection never leaves the
device taken: whoever watches closes, and the cancel token does the rest.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from arena.cancel import Cancel
from arena.compare import Request, compare
from arena.core import Arena
from arena.types import Delta, Event, Progress, Run, Stage

Events = Callable[[Arena, Request, Cancel], Iterator[Event]]
log = logging.getLogger(__name__)


@dataclass
class View:
    """What is known of one side: where it is, since when, what it has said, and at last its run.

    how: the mode, quantization and number format of a model that is loaded; "" for an embedded engine.
    passed: seconds of the stages behind it, as they were last reported. phase, log: what a server that is being started
    does now, and its last lines. first_token_s: of the current answer.
    """

    letter: str
    title: str
    how: str = ""
    stage: Stage | None = None
    position: int | None = None
    phase: str = ""
    log: str = ""
    since: float = 0.0
    passed: dict[Stage, float] = field(default_factory=dict)
    first_token_s: float | None = None
    pieces: list[str] = field(default_factory=list)
    run: Run | None = None

    def take(self, event: Progress | Delta | Run, now: float) -> None:
        if isinstance(event, Progress):
            if event.stage != self.stage and self.stage is not None:
                self.passed[self.stage] = now - self.since
            if event.stage != self.stage:
                self.since = now - event.seconds
            self.stage, self.position = event.stage, event.position
            self.phase, self.log = event.phase, event.log
        elif isinstance(event, Delta):
            self.pieces.append(event.text)
            if self.first_token_s is None:
                self.first_token_s = now - self.since
        else:
            self.run, self.stage, self.position = event, None, None

    @property
    def label(self) -> str:
        """The model with how it runs."""
        return f"{self.title} ({self.how})" if self.how else self.title

    @property
    def text(self) -> str:
        return self.run.text if self.run else "".join(self.pieces)

    def seconds(self, stage: Stage, now: float) -> float | None:
        """Time in a stage so far; None for one that has not begun."""
        return now - self.since if stage == self.stage else self.passed.get(stage)


class Live:
    """One running comparison of one visitor.

    place: the id of the tab it is shown in. lang: his language now; he may switch it meanwhile. names: what the picture
    is called, by language. pictured: whether this comparison's picture is still the one on the page. events: what does
    the work.
    """

    place = "compare"

    def __init__(
        self, arena: Arena, request: Request, lang: str, names: Mapping[str, str], events: Events = compare
    ) -> None:
        self.request = request
        self.lang = lang
        self.names = names
        self.pictured = True
        self.views = [
            View(request.letter(order), side.spec.title, side.spec.how) for order, side in enumerate(request.sides)
        ]
        self.before: Sequence[Run] = ()  # the runs that this comparison repeats
        self.version = 0  # grows with every event
        self.failed = False
        self.arena, self._events = arena, events
        self._cancel = Cancel()
        self._thread = threading.Thread(target=self._work, daemon=True, name=f"comparison {request.comparison_id}")

    def start(self) -> None:
        self._thread.start()
        if self.arena.classroom:
            self.arena.classroom.enter(self)

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def stop(self) -> None:
        """Give the device back; safe to call at any time and from anywhere."""
        self._cancel.set()

    @property
    def stopping(self) -> bool:
        return self._cancel.is_set()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    @property
    def runs(self) -> Sequence[Run | None]:
        return [view.run for view in self.views]

    def _work(self) -> None:
        views = {view.letter: view for view in self.views}
        try:
            for event in self._events(self.arena, self.request, self._cancel):
                letter = event.side
                views[letter].take(event, time.monotonic())
                self.version += 1
        except Exception:
            log.exception("comparison %s ended by a fault of the program", self.request.comparison_id)
            self.failed = True
        finally:
            self.version += 1
