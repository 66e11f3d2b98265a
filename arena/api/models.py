"""Which models there are, which one is loaded, and, for those who may, loading and unloading."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from arena.api.errors import Json
from arena.api.flow import Flow, attended
from arena.api.names import found, language
from arena.api.route import Door
from arena.api.schema import LoadRequest, UnloadRequest
from arena.cancel import Cancel
from arena.catalog import ModelSpec
from arena.core import Arena
from arena.status import model_status
from arena.strings import tr


def router(arena: Arena, door: Door) -> APIRouter:
    """The routes of models. Plain functions run in threads: a look at a model reads the disk."""
    since = int(time.time())
    use, admin = APIRouter(route_class=door.route("use")), APIRouter(route_class=door.route("admin"))

    @use.get("/v1/models", summary=tr("api.calls.models"))
    def models(request: Request) -> Response:
        """Those that can run now come first."""
        lang, loaded = language(request), loaded_ids(arena)
        listed = [entry(arena, spec, since, lang, loaded) for spec in arena.catalog.visible(arena.settings.dev)]
        return Json({"object": "list", "data": sorted(listed, key=lambda model: not model["ready"])})

    @use.get("/v1/models/{name:anything}", summary=tr("api.calls.model"))
    def model(name: str, request: Request) -> Response:
        """By its id, an alias, its source on the Hub, or a variant such as `qwen2_vl_2b:vllm`."""
        lang = language(request)
        return Json(entry(arena, found(arena, name, lang), since, lang, loaded_ids(arena)))

    @use.get("/models/status", summary=tr("api.calls.status"))
    def status() -> Response:
        """Each device: its state, the model on it, whether it works, how many wait."""
        return Json({"devices": arena.slots.status(), "queue_size": arena.settings.queue_size})

    @admin.post("/models/load", summary=tr("api.calls.load"))
    async def load(body: LoadRequest, request: Request) -> Response:
        """Returns when the model is loaded; the one before is unloaded first."""
        spec = found(arena, body.model, language(request))
        return Json(await worked_off(Flow(lambda cancel: loading(arena, door, spec, cancel)), request))

    @admin.post("/models/unload", summary=tr("api.calls.unload"))
    async def unload(request: Request, body: UnloadRequest | None = None) -> Response:
        """Returns when the memory is proven back; nothing to unload is no error."""
        name = body.model if body else None
        spec = found(arena, name, language(request)) if name else None
        return Json(await worked_off(Flow(lambda cancel: unloading(arena, spec, cancel)), request))

    use.include_router(admin)
    return use


def entry(arena: Arena, spec: ModelSpec, since: int, lang: str, loaded: set[str]) -> dict[str, Any]:
    """A model as OpenAI lists it, and what this program knows besides."""
    status = model_status(spec, arena.settings, arena.gpus)
    owner = spec.source.split("/")[0] if "/" in spec.source and not spec.local else "vlm-arena"
    return {
        "id": spec.id,
        "object": "model",
        "created": since,
        "owned_by": owner,
        "title": spec.title,
        "mode": spec.mode,
        "modes": [mode.name for mode in spec.modes if not mode.why_not],
        "tasks": list(spec.tasks),
        "status": status.code,
        "ready": status.ready,
        "loaded": spec.id in loaded,
        "message": status.advice(lang),
    }


def loaded_ids(arena: Arena) -> set[str]:
    return {str(slot["model"]) for slot in arena.slots.status() if slot["model"]}


async def worked_off(flow: Flow, request: Request) -> object:
    """What it ends with; given up when the client leaves."""
    try:
        return await attended(flow.result(), request)
    finally:
        flow.leave()


def loading(arena: Arena, door: Door, spec: ModelSpec, cancel: Cancel) -> Iterator[object]:
    arena.check(spec)
    with arena.slots.for_(spec).lease(spec, cancel) as lease:
        yield from lease.acquire()
        if lease.load_s is not None:
            door.metrics.loaded(spec.id, lease.load_s)
        yield {"model": spec.id, "status": "loaded", "cold": lease.cold, "load_s": lease.load_s}


def unloading(arena: Arena, spec: ModelSpec | None, cancel: Cancel) -> Iterator[object]:
    """Each device when its turn comes: what is being answered is answered first."""
    ended = []
    for slot in [arena.slots.for_(spec)] if spec else arena.slots.all():
        if model := (yield from slot.unload(cancel, only=spec.id if spec else "")):
            ended.append(model)
    yield {"status": "unloaded", "unloaded": ended}
