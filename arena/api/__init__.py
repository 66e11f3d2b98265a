"""The API beside the page: OpenAI's calls, loading and unloading, metrics; a thin skin over `compare` and the slots."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from arena.api import chat, health, models, page, unknown
from arena.api.remote import Fetcher
from arena.api.route import Door
from arena.api.schema import REFUSALS
from arena.core import Arena
from arena.strings import tr


def router(arena: Arena, fetcher: Fetcher | None = None) -> APIRouter:
    """Every route of the API. fetcher: how remote images are fetched, where the settings allow that."""
    door = Door(arena)
    routes = APIRouter(responses=REFUSALS)
    routes.include_router(health.router(arena))
    routes.include_router(chat.router(arena, door, fetcher))
    routes.include_router(models.router(arena, door))
    watched = APIRouter(route_class=door.route("use"))

    @watched.get("/metrics", summary=tr("api.calls.metrics"), response_class=Response)
    def metrics() -> Response:
        """In the text format of Prometheus."""
        return Response(door.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    routes.include_router(watched)
    routes.include_router(page.router())
    routes.include_router(unknown.router(door))
    return routes
