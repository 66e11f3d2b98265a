"""``/documents/<id>``: a document that was read as Markdown, JSON and HTML, its tables as CSV; for its owner alone.

Only what a document consists of is held here, in memory, for a day after it was last asked for. The answers come from
the database, so that what was deleted there is gone here too.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute

from arena.access import whose
from arena.core import Arena
from arena.documents.document import Document, Page
from arena.documents.tables import to_csv
from arena.errors import ArenaError
from arena.report.document import missing_page
from arena.strings import LANGUAGES, tr
from arena.ui.document_file import html_document
from arena.ui.i18n import language

MOST = 300  # documents whose results can be fetched; the one longest unused is forgotten first
DAY = 24 * 3600.0  # seconds after which one that nobody asks for is forgotten
UNKEPT = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}
Lang = Annotated[str, Query(max_length=8)]
Side = Annotated[Literal["A", "B"], Query()]


@dataclass(frozen=True)
class Sheet:
    """What a document consists of. comparisons: of each page, in the same order."""

    visitor: str
    name: str
    task: str
    titles: Mapping[str, str]
    pages: tuple[Page, ...] = ()
    comparisons: tuple[str, ...] = ()


@dataclass
class Kept:
    """The documents by their ids, the one longest unused first, each with the time of its last use."""

    clock: Callable[[], float] = time.monotonic
    _sheets: OrderedDict[str, Sheet] = field(default_factory=OrderedDict)
    _used: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)  # protects both

    def begin(self, document: str, visitor: str, name: str, task: str, titles: Mapping[str, str]) -> None:
        with self._lock:
            self._sheets[document] = Sheet(visitor, name, task, titles)
            self._use(document)
            while len(self._sheets) > MOST:
                self._drop(next(iter(self._sheets)))

    def add(self, document: str, page: Page, comparison_id: str) -> None:
        """A page that is read now; what it says comes from its comparison."""
        with self._lock:
            if sheet := self._sheets.get(document):
                bare = replace(page, runs={})
                pages, comparisons = (*sheet.pages, bare), (*sheet.comparisons, comparison_id)
                self._sheets[document] = replace(sheet, pages=pages, comparisons=comparisons)
                self._use(document)

    def get(self, document: str) -> Sheet | None:
        with self._lock:
            self._expire()
            if document in self._sheets:
                self._use(document)
            return self._sheets.get(document)

    def forget(self, visitor: str) -> None:
        """All of one visitor's."""
        with self._lock:
            for document in [name for name, sheet in self._sheets.items() if sheet.visitor == visitor]:
                self._drop(document)

    def _use(self, document: str) -> None:
        self._sheets.move_to_end(document)
        self._used[document] = self.clock()
        self._expire()

    def _expire(self) -> None:
        while self._sheets and self._used[first := next(iter(self._sheets))] < self.clock() - DAY:
            self._drop(first)

    def _drop(self, document: str) -> None:
        del self._sheets[document], self._used[document]


KEPT = Kept()


class Gone(Exception):
    """There is no such document, or it is not this visitor's."""


class Polite(APIRoute):
    """A route that says in the visitor's language that something is gone: as a page to a person, else as data."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def politely(request: Request) -> Response:
            try:
                return await answer(request)
            except Gone:
                return gone(request)

        return politely


def gone(request: Request) -> Response:
    lang = language(request)
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(missing_page(lang, "documents"), 404, headers=UNKEPT)
    return JSONResponse({"detail": tr("documents.gone", lang)}, 404, headers=UNKEPT)


def router(arena: Arena) -> APIRouter:
    """The routes. What is not there and what is another visitor's are answered alike, with 404."""
    routes = APIRouter(prefix="/documents", include_in_schema=False, route_class=Polite)

    def found(request: Request, name: str) -> Document:
        sheet, mine = KEPT.get(name), whose(request, arena.settings)
        if sheet is None or mine not in (None, sheet.visitor):
            raise Gone
        try:
            runs = [arena.store.comparison(each) for each in sheet.comparisons]
        except ArenaError as error:
            raise HTTPException(503, error.text(language(request))) from error
        pages = zip(sheet.pages, runs, strict=True)
        read = tuple(replace(page, runs={run.side: run for run in of_page}) for page, of_page in pages)
        return Document(sheet.name, sheet.task, sheet.titles, tuple(sorted(read, key=lambda page: page.number)))

    @routes.get("/{name}.md")
    def markdown(request: Request, name: str, side: Side = "A") -> Response:
        document = found(request, name)
        return file(document.markdown(side), "text/markdown", f"{document.name}-{side}", "md")

    @routes.get("/{name}.json")
    def data(request: Request, name: str) -> Response:
        document = found(request, name)
        said = json.dumps(document.json(), ensure_ascii=False, indent=1)
        return file(said, "application/json", document.name, "json")

    @routes.get("/{name}.html")
    def page(request: Request, name: str, lang: Lang = "") -> Response:
        document = found(request, name)
        spoken = lang if lang in LANGUAGES else language(request)
        return file(html_document(document, arena.images, spoken), "text/html", document.name, "html")

    @routes.get("/{name}/{number}-{side}-{table}.csv")
    def table(request: Request, name: str, number: int, side: str, table: int) -> Response:
        """table: its place on the page, from 1. Where a comma separates decimals a semicolon separates cells."""
        document = found(request, name)
        rows = next((page.tables(side) for page in document.pages if page.number == number), [])
        if not 1 <= table <= len(rows):
            raise Gone
        delimiter = ";" if language(request) == "ru" else ","
        return file(to_csv(rows[table - 1], delimiter), "text/csv", f"{document.name}-{number}-{side}-{table}", "csv")

    return routes


def file(said: str, kind: str, name: str, ending: str) -> Response:
    """A text to be saved, never shown in the place of the page."""
    whole = f"{name}.{ending}"
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", whole).strip("-.") or f"document.{ending}"
    named = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(whole, safe='')}"
    headers = UNKEPT | {"Content-Disposition": named}
    return Response(said.encode("utf-8", "replace"), media_type=f"{kind}; charset=utf-8", headers=headers)
