"""What a caller calls a model, and the language he is answered in."""

from __future__ import annotations

from fastapi import Request

from arena.api import errors
from arena.api.errors import ApiError
from arena.catalog import ModelSpec
from arena.core import Arena
from arena.errors import RunError
from arena.strings import pick_language


def language(request: Request) -> str:
    """Of messages: the first of ours that the caller names, English if he names none."""
    return pick_language(request.headers.get("accept-language"))


def found(arena: Arena, name: str, lang: str) -> ModelSpec:
    """The model by its id, alias, source on the Hub or variant. Raises `ApiError`: 404 with the names most like it."""
    try:
        spec = arena.catalog.find(name)
    except RunError as error:
        raise errors.of_run_error(error, lang) from error
    if spec.dev_only and not arena.settings.dev:
        ids = ", ".join(spec.id for spec in arena.catalog.visible(dev=False))
        raise ApiError(404, "models.unknown", param="model", code="model_not_found", name=spec.id, hint=ids)
    return spec
