"""``/runs.csv``: what the Benchmark tab shows as a file, streamed from the database in a worker thread."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncGenerator, Generator
from datetime import datetime
from itertools import islice
from typing import Annotated, Literal

import anyio
from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool

from arena.access import whose
from arena.columns import Row
from arena.core import Arena
from arena.errors import ArenaError
from arena.export import write_csv
from arena.store import RunQuery
from arena.strings import pick_language, tr
from arena.ui.run_table import SORTS

BATCH = 500  # rows turned into text at a time
Names = Annotated[tuple[str, ...], Query(max_length=100)]


def pieces(rows: Generator[Row], delimiter: str) -> Generator[str]:
    """The CSV in pieces of a few hundred rows; the first has the heads. Closes the rows at its end."""

    def text(some: list[Row]) -> str:
        file = io.StringIO(newline="")
        write_csv(some, file, delimiter)
        return file.getvalue()

    with contextlib.closing(rows):
        heads = len(text([]))
        yield text(list(islice(rows, BATCH)))
        while some := list(islice(rows, BATCH)):
            yield text(some)[heads:]


async def streamed(first: str, rest: Generator[str]) -> AsyncGenerator[bytes]:
    """The pieces as bytes. The database is let go at the end, also when the visitor leaves in the middle."""
    try:
        yield first.encode()
        async for piece in iterate_in_threadpool(rest):
            yield piece.encode()
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(rest.close)


def router(arena: Arena) -> APIRouter:
    """The route. A page of another site cannot start it: browsers say where a request comes from."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/runs.csv")
    async def runs_csv(
        request: Request,
        text: Annotated[str, Query(max_length=1000)] = "",
        model: Names = (),
        task: Names = (),
        status: Names = (),
        benchmark: Annotated[str, Query(max_length=100)] = "",
        sort: str = "created_at",
        descending: bool = False,
        delimiter: Literal[",", ";"] = ",",
        sec_fetch_site: Annotated[str, Header()] = "none",
    ) -> StreamingResponse:
        lang = pick_language(request.headers.get("accept-language"))
        if sec_fetch_site not in ("same-origin", "none"):
            raise HTTPException(403, tr("benchmark.csv.foreign", lang))
        query = RunQuery(
            text=text,
            models=model,
            tasks=task,
            statuses=status,
            benchmark_id=benchmark,
            visitor=whose(request, arena.settings),
            sort=sort if sort in SORTS else "created_at",
            descending=descending,
        )
        rest = pieces(arena.store.rows(query), delimiter)
        try:
            first = await run_in_threadpool(next, rest)
        except ArenaError as error:
            raise HTTPException(503, error.text(lang)) from error
        name = f"vlm-arena-{datetime.now().astimezone():%Y-%m-%d}.csv"
        return StreamingResponse(
            streamed(first, rest),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )

    return routes
