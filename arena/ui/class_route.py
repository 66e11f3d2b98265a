"""``/class``: the pupils' page, the projector's, and what both are told while it happens; no account, no framework."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from PIL import Image, ImageFilter
from pydantic import BaseModel, Field

from arena.access import COOKIE as VISITOR
from arena.access import KEEPERS, new_token, role_of, visitor_of
from arena.address import address_for, qr_svg
from arena.core import Arena
from arena.errors import KINDS, RunError
from arena.lesson import Classroom
from arena.strings import LANGUAGES, pick_language, tr
from arena.ui import class_page, render
from arena.ui.media import FOREVER
from arena.ui.preview import preview
from arena.ui.shell import ASSETS, YEAR
from arena.ui.shell import COOKIE as LANGUAGE
from arena.votes import Outcome

PAUSE = 0.25  # seconds between two looks at what has changed
SIGN = 8.0  # seconds after which a quiet stream says that it is alive
FRESH = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
BLURRED = 40  # pixels of the longer side that a hidden picture keeps


class Choice(BaseModel):
    """A vote: on which comparison, and for what."""

    round: str = Field(max_length=40)
    outcome: Outcome


class Called(BaseModel):
    """What a pupil calls himself, "" for nothing."""

    name: str = Field(max_length=200)


def language(request: Request) -> str:
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE, "")
    return chosen if chosen in LANGUAGES else pick_language(request.headers.get("accept-language"))


def router(arena: Arena, room: Classroom) -> APIRouter:
    """The routes of a program in school mode."""
    routes = APIRouter(prefix="/class", include_in_schema=False)

    def teaches(request: Request) -> bool:
        return role_of(request, arena.settings) in KEEPERS

    @routes.get("")
    def pupil(request: Request) -> Response:
        response = HTMLResponse(class_page.page(language(request)), headers=FRESH)
        return _remember(request, response)

    @routes.get("/board")
    def board(request: Request) -> Response:
        if not teaches(request):
            return RedirectResponse("/login?next=/class/board", 303, FRESH)
        lang, address = language(request), address_for(request.headers.get("host", ""))
        code = qr_svg(address, render.text(tr("lesson.board.code", lang, address=address)))
        return _remember(
            request, HTMLResponse(class_page.page(lang, board=True, address=address, code=code), headers=FRESH)
        )

    @routes.get("/class.{kind}")
    def part(kind: str) -> FileResponse:
        if kind not in ("css", "js"):
            raise HTTPException(404)
        name = {"css": "text/css", "js": "text/javascript"}[kind]
        return FileResponse(ASSETS / f"class.{kind}", media_type=name, headers=FOREVER)

    @routes.get("/events")
    async def events(request: Request, board: Annotated[bool, Query()] = False) -> StreamingResponse:
        if board and not teaches(request):
            raise HTTPException(403)
        told = _stream(room, language(request), visitor_of(request), board)
        return StreamingResponse(told, media_type="text/event-stream", headers=FRESH)

    @routes.get("/state")
    def state(request: Request, board: Annotated[bool, Query()] = False) -> JSONResponse:
        """For browsers without server-sent events."""
        if board and not teaches(request):
            raise HTTPException(403)
        visitor = visitor_of(request)
        if not board:
            room.see(visitor)
        said = class_page.message(room, room.scene(), language(request), visitor, board, [])
        return JSONResponse(said, headers=FRESH)

    @routes.post("/vote")
    def vote(request: Request, choice: Choice) -> JSONResponse:
        lang, visitor = language(request), visitor_of(request)
        if not visitor:
            return JSONResponse({"trouble": tr("lesson.refused.no_cookie", lang)}, 403, FRESH)
        room.see(visitor)
        try:
            counted = room.vote(visitor, choice.round, choice.outcome)
        except RunError as error:
            code = 409 if error.kind == "bad_input" else KINDS[error.kind].http
            return JSONResponse({"trouble": error.text(lang)}, code, FRESH)
        return JSONResponse({"mine": counted.outcome}, headers=FRESH)

    @routes.post("/name")
    def name(request: Request, called: Called) -> JSONResponse:
        visitor = visitor_of(request)
        if not visitor:
            return JSONResponse({"trouble": tr("lesson.refused.no_cookie", language(request))}, 403, FRESH)
        room.see(visitor, render.INVISIBLE.sub("", called.name))
        return JSONResponse({"name": room.name(visitor)}, headers=FRESH)

    @routes.get("/picture.webp")
    def picture() -> Response:
        scene = room.scene()
        image = scene.round.work.request.image if scene.round else None
        if image is None:
            raise HTTPException(404)
        shown = blurred(image.path) if scene.rules.hidden else preview(image.path, 1400)
        return Response(shown, media_type="image/webp", headers={"Cache-Control": "private, max-age=600"})

    return routes


async def _stream(room: Classroom, lang: str, visitor: str, board: bool) -> AsyncIterator[str]:
    """Messages as they are due, for as long as somebody listens."""
    sent: list[str] = []
    seen: object = None
    last = 0.0
    try:
        while True:
            now = time.monotonic()
            if not board:
                room.see(visitor)
            scene = room.scene()
            if scene.version != seen:
                seen, last = scene.version, now
                said = class_page.message(room, scene, lang, visitor, board, sent)
                yield f"data: {json.dumps(said, ensure_ascii=False)}\n\n"
            elif now - last > SIGN:
                last = now
                yield ": here\n\n"
            await asyncio.sleep(PAUSE)
    finally:
        if not board:
            room.leave(visitor)


def blurred(path: Path) -> bytes:
    """What is left of a picture that is not to be seen: its colours, in places."""
    with Image.open(path) as image:
        small = image.convert("RGB")
        small.thumbnail((BLURRED, BLURRED))
    large = small.resize((small.width * 12, small.height * 12), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    large.filter(ImageFilter.GaussianBlur(18)).save(out, "WEBP", quality=60)
    return out.getvalue()


def _remember(request: Request, response: Response) -> Response:
    """A browser that comes for the first time is told apart from the others; the language it asks for is kept."""
    secure = request.url.scheme == "https"
    if not request.cookies.get(VISITOR):
        response.set_cookie(VISITOR, new_token(), max_age=YEAR, httponly=True, samesite="lax", secure=secure)
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(LANGUAGE, request.query_params["lang"], max_age=YEAR, samesite="lax", secure=secure)
    return response
