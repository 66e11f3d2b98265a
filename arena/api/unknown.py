"""Calls under ``/v1`` that there are none of, refused in the shape OpenAI's clients read."""

from __future__ import annotations

from fastapi import APIRouter, Request

from arena.api.errors import ApiError
from arena.api.route import Door

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def router(door: Door) -> APIRouter:
    """To be included last: it takes what no other route has taken."""
    routes = APIRouter(route_class=door.route("use"), include_in_schema=False)

    @routes.api_route("/v1/{call:anything}", methods=METHODS)
    def unknown(request: Request) -> None:
        raise ApiError(404, "api.unknown_call", code="unknown_url", call=f"{request.method} {request.url.path}")

    return routes
