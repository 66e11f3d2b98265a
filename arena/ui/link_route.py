"""``/c/<id>``: a finished comparison as a page, as a file, as JSON; for whoever may see it, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from arena.access import visitor_of, whose
from arena.core import Arena
from arena.errors import ArenaError
from arena.images import StoredImage
from arena.report import html_report, json_report
from arena.report.data import data_url
from arena.report.document import missing_page
from arena.strings import LANGUAGES, tr
from arena.types import Run
from arena.ui.i18n import language
from arena.ui.link_bar import may_see
from arena.ui.preview import PREVIEW, preview
from arena.ui.render import text

ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")  # a ULID
UNKEPT = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}
Lang = Annotated[str, Query(max_length=8)]


def router(arena: Arena) -> APIRouter:
    """The routes. What is not there and what is not for this visitor are answered alike, with 404."""
    routes = APIRouter(prefix="/c", include_in_schema=False)

    def spoken(request: Request, lang: str) -> str:
        return lang if lang in LANGUAGES else language(request)

    def missing(lang: str) -> Response:
        return HTMLResponse(missing_page(lang), 404, headers=UNKEPT)

    def seen(request: Request, comparison_id: str) -> list[Run]:
        """The runs, none when this visitor may not see them."""
        if not ID.fullmatch(comparison_id):
            return []
        try:
            allowed = may_see(arena, comparison_id, whose(request, arena.settings))
            return arena.store.comparison(comparison_id) if allowed else []
        except ArenaError as error:
            raise HTTPException(503, error.text(language(request))) from error

    def image_of(runs: Sequence[Run]) -> StoredImage | None:
        return arena.images.get(runs[0].image_sha256 or "") if runs else None

    @routes.get("/{comparison_id}.html")
    def file(request: Request, comparison_id: str, lang: Lang = "") -> Response:
        spoke, runs = spoken(request, lang), seen(request, comparison_id)
        if not runs:
            return missing(spoke)
        return HTMLResponse(whole(arena, runs, spoke), headers=UNKEPT | attachment(comparison_id, "html"))

    @routes.get("/{comparison_id}.json")
    def data(request: Request, comparison_id: str, image: bool = False) -> Response:
        runs = seen(request, comparison_id)
        if not runs:
            return missing(language(request))
        stored = image_of(runs) if image else None
        said = json_report(runs, stored.path.read_bytes() if stored else None)
        return Response(said, media_type="application/json", headers=UNKEPT | attachment(comparison_id, "json"))

    @routes.get("/{comparison_id}/image.webp")
    def image(request: Request, comparison_id: str) -> Response:
        stored = image_of(seen(request, comparison_id))
        if stored is None:
            return Response(status_code=404, headers=UNKEPT)
        return Response(preview(stored.path, PREVIEW), media_type="image/webp", headers=UNKEPT)

    @routes.get("/{comparison_id}")
    def page(request: Request, comparison_id: str, lang: Lang = "") -> Response:
        spoke, runs = spoken(request, lang), seen(request, comparison_id)
        if not runs:
            return missing(spoke)
        picture = f"{comparison_id}/image.webp" if image_of(runs) else ""
        owner = arena.comparisons.visitor(comparison_id)
        mine = bool(owner) and owner == visitor_of(request)
        shared = arena.comparisons.is_shared(comparison_id) if arena.settings.apart and mine else None
        bar = buttons(comparison_id, spoke, shared)
        return HTMLResponse(
            html_report(runs, spoke, arena.catalog.tasks, picture=picture, bar=bar, served=True), headers=UNKEPT
        )

    @routes.post("/{comparison_id}/{verb}")
    def share(request: Request, comparison_id: str, verb: Literal["share", "unshare"], lang: Lang = "") -> Response:
        """Its owner lets whoever has the link see it, or no more."""
        owner = arena.comparisons.visitor(comparison_id) if ID.fullmatch(comparison_id) else None
        if not owner or owner != visitor_of(request):
            return missing(spoken(request, lang))
        arena.comparisons.share(comparison_id, shared=verb == "share")
        back = f"../{comparison_id}" + (f"?lang={lang}" if lang in LANGUAGES else "")
        return RedirectResponse(back, 303, headers=UNKEPT)

    return routes


def whole(arena: Arena, runs: Sequence[Run], lang: str) -> str:
    """The report as one file, the image in it."""
    stored = arena.images.get(runs[0].image_sha256 or "")
    picture = data_url(preview(stored.path, PREVIEW), "image/webp") if stored else ""
    return html_report(runs, lang, arena.catalog.tasks, picture=picture)


def attachment(comparison_id: str, kind: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="vlm-arena-{comparison_id}.{kind}"'}


def buttons(comparison_id: str, lang: str, shared: bool | None) -> str:
    """What can be done on the page itself; `shared` is None for whom there is nothing to share or to close."""

    def said(key: str) -> str:
        return text(tr(f"report.{key}", lang))

    sharing = ""
    if shared is not None:
        verb, name = ("unshare", "unshare") if shared else ("share", "do_share")
        sharing = (
            f"<p>{said('bar.shared' if shared else 'bar.private')}</p>"
            f'<form method="post" action="{comparison_id}/{verb}?lang={lang}">'
            f'<button class="tool" title="{said("bar.share_why")}">{said(f"bar.{name}")}</button></form>'
        )
    languages = "".join(
        f'<a class="tool" href="{comparison_id}?lang={each}" hreflang="{each}" lang="{each}"'
        f"{' aria-current=true' if each == lang else ''}>{each.upper()}</a>"
        for each in LANGUAGES
    )
    return (
        f'<nav class="bar-of" aria-label="{said("bar.title")}"><a class="tool" href="../">← {said("home")}</a>'
        f'<button type="button" class="tool" data-link="{comparison_id}"><span>{said("bar.link")}</span>'
        f'<span class="ok">{said("bar.copied")}</span></button>'
        f'<a class="tool" href="{comparison_id}.html?lang={lang}" download>{said("bar.html")}</a>'
        f'<a class="tool" href="{comparison_id}.json" download>{said("bar.json")}</a>'
        f'<a class="tool" href="../?again={comparison_id}">{said("bar.again")}</a>{sharing}'
        f'<span class="gap"></span>{languages}</nav>'
    )
