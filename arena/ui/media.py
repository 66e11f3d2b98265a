"""What the page fetches beside the framework's own routes: previews of images, and whole answers as text files."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse

from arena.access import whose
from arena.core import Arena
from arena.ui import samples
from arena.ui.link_bar import may_see
from arena.ui.preview import PREVIEW, THUMBNAIL, preview
from arena.ui.shell import ASSETS

# The name of a picture is the hash of its content, so what was fetched once never changes.
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
DAY = {"Cache-Control": "max-age=86400"}


def sees_picture(arena: Arena, sha256: str, whose: str | None) -> bool:
    """Whether the picture is for the eyes of this visitor: a sample, one he brought, or one of his comparisons."""
    return whose is None or arena.pictures.may_see(whose, sha256) or arena.comparisons.shows(whose, sha256)


def router(arena: Arena) -> APIRouter:
    """``/media/…``. What is not there and what is not for this visitor are answered alike, with 404."""
    routes = APIRouter(prefix="/media", include_in_schema=False)

    @routes.get("/{sha256}.webp")
    def image(sha256: str, request: Request, small: bool = False) -> Response:
        stored = arena.images.get(sha256)
        if stored is None or not sees_picture(arena, sha256, whose(request, arena.settings)):
            raise HTTPException(404)
        side = THUMBNAIL if small else PREVIEW
        return Response(preview(stored.path, side), media_type="image/webp", headers=FOREVER)

    @routes.get("/theme.css")
    def style() -> FileResponse:
        return FileResponse(ASSETS / "theme.css", media_type="text/css", headers=FOREVER)

    @routes.get("/sample/{name}.webp")
    def sample(name: str) -> Response:
        found = samples.samples().get(name)
        if found is None:
            raise HTTPException(404)
        return Response(preview(found.path, THUMBNAIL), media_type="image/webp", headers=DAY)

    @routes.get("/run/{run_id}.txt")
    def answer(run_id: str, request: Request) -> PlainTextResponse:
        run = arena.store.get(run_id)
        if run is None or not may_see(arena, run.comparison_id, whose(request, arena.settings)):
            raise HTTPException(404)
        name = f"{run.model}-{run.run_id}.txt"
        return PlainTextResponse(
            run.text.encode("utf-8", "replace"), headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    return routes
