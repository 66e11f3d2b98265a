"""``/bench/<id>``: the report of a benchmark as a page and as files, made when it is asked for; for nobody but whoever
answers for the arena."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from arena.access import KEEPERS, role_of
from arena.core import Arena
from arena.errors import ArenaError
from arena.strings import LANGUAGES, tr
from arena.ui.i18n import language
from benchmarks.reports.summary import summarise
from benchmarks.reports.writing import FORMATS, write

KINDS = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "md": "application/zip",  # with its pictures
}
UNKEPT = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}
Kind = Literal["html", "csv", "xlsx", "parquet", "md"]
Lang = Annotated[str, Query(max_length=8)]


def router(arena: Arena) -> APIRouter:
    """The routes. What is not there and what is not for this visitor are answered alike, with 404."""
    routes = APIRouter(prefix="/bench", include_in_schema=False)
    one = threading.Lock()  # a report takes the processor for seconds: one at a time

    @routes.get("/{benchmark_id}.{kind}")
    def report(request: Request, benchmark_id: str, kind: Kind, lang: Lang = "") -> Response:
        spoken = lang if lang in LANGUAGES else language(request)
        known = role_of(request, arena.settings) in KEEPERS and arena.benchmarks.get(benchmark_id)
        if not known:
            raise HTTPException(404, tr("bench_panel.gone", spoken))
        folder = Path(tempfile.mkdtemp(prefix="arena-report-"))
        gone = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
        try:
            with one:
                write(arena, summarise(arena, benchmark_id), folder / kind, spoken, [kind])
            path = folder / kind / FORMATS[kind]
            if kind == "md":
                path = Path(shutil.make_archive(str(folder / "report"), "zip", folder / kind))
        except ArenaError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise HTTPException(503, error.text(spoken)) from error
        name = re.sub(r"[^\w.-]+", "-", known.name or known.dataset).strip("-.") or "benchmark"
        return FileResponse(
            path,
            media_type=KINDS[kind],
            filename=f"{name}{path.suffix}",
            content_disposition_type="inline" if kind == "html" else "attachment",
            headers=UNKEPT,
            background=gone,
        )

    return routes
