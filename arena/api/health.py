"""``/health``: that the server answers, and in which state each device is; for anybody, so it names no model."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from arena.config import VERSION
from arena.core import Arena
from arena.strings import tr


def router(arena: Arena) -> APIRouter:
    routes = APIRouter()

    @routes.get("/health", summary=tr("api.calls.health"))
    async def health() -> dict[str, Any]:
        """Answers while models load and answer. A device that nothing was asked of yet is not named."""
        here = [slot for slot in arena.slots.all() if slot.place == slot.device]  # a service's place is its address
        return {
            "status": "ok",
            "version": VERSION,
            "devices": {slot.device: slot.status()["state"] for slot in here},
        }

    return routes
