"""A document while it is read, seen from the page: its pages with the answers so far, and how long the rest takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from arena.cancel import Cancel
from arena.compare import Request
from arena.core import Arena
from arena.documents.document import Document, Page
from arena.documents.reading import read, time_left
from arena.errors import RunError
from arena.strings import LANGUAGES
from arena.types import Delta, Event, Progress, Run
from arena.ui.difference import How
from arena.ui.document_route import KEPT
from arena.ui.live import Live, View


@dataclass
class Column(View):
    """One side of a document; each page begins anew."""

    def take(self, event: Progress | Delta | Run, now: float) -> None:
        if self.run and not isinstance(event, Run):
            self.run, self.stage, self.pieces, self.first_token_s = None, None, [], None
        super().take(event, now)


class Reading(Live):
    """One document of one visitor. Its pages are drawn when their turn comes.

    now: page and side that are being read. latest: the page that was answered last. page: the one that the visitor
    looks at by choice. view, how: how he looks at it.
    """

    place = "documents"

    def __init__(
        self, arena: Arena, request: Request, lang: str, source: bytes, name: str, numbers: Sequence[int], view: str
    ) -> None:
        super().__init__(arena, request, lang, dict.fromkeys(LANGUAGES, name), self._events_of)
        self.id = request.comparison_id
        self.name = name
        self.views = [Column(each.letter, each.title, each.how) for each in self.views]
        self.pages = {number: Page(number) for number in numbers}
        self.seconds: dict[str, list[float]] = {each.letter: [] for each in self.views}
        self.now: tuple[int, str] | None = None
        self.latest = numbers[0]
        self.page: int | None = None
        self.view, self.how = view, How()
        self._source = source
        KEPT.begin(self.id, request.visitor, name, request.task.id, {each.letter: each.label for each in self.views})

    @property
    def shown(self) -> Page:
        return self.pages[self.page or self.latest]

    @property
    def document(self) -> Document:
        titles = {each.letter: each.label for each in self.views}
        return Document(self.name, self.request.task.id, titles, tuple(self.pages.values()))

    def left(self) -> float | None:
        """Seconds until everything is read, None while nobody can say."""
        pages = sum(not page.trouble for page in self.pages.values())
        letter = self.now[1] if self.now else ""
        here = next((each for each in self.views if each.letter == letter), None)
        spent = here.seconds("generating", time.monotonic()) if here and here.stage == "generating" else None
        return time_left(list(self.seconds.values()), pages, spent or 0.0)

    def _events_of(self, arena: Arena, request: Request, cancel: Cancel) -> Iterator[Event]:
        for number, event in read(arena, request, self._source, tuple(self.pages), cancel):
            page = self.pages[number]
            if isinstance(event, RunError):
                self.pages[number] = replace(page, trouble={lang: event.text(lang) for lang in LANGUAGES})
                self.version += 1
            elif isinstance(event, Request):
                if image := event.image:
                    page = replace(page, sha256=image.sha256, width=image.width, height=image.height)
                    self.pages[number] = page
                    KEPT.add(self.id, page, event.comparison_id)
            else:
                self.now = number, event.side
                if isinstance(event, Run):
                    self.pages[number] = replace(page, runs={**page.runs, event.side: event})
                    self.seconds[event.side].append(event.timeline.generate_s or 0.0)
                    self.latest = number
                yield event
        self.now = None
