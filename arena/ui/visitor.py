"""What a visitor may do besides looking, by his role; the page's looks and its handlers ask the same."""

from __future__ import annotations

from functools import partial

import gradio as gr

from arena.access import KEEPERS, role_of, visitor_of
from arena.config import Settings
from arena.errors import RunError
from arena.public.addresses import origin_of
from arena.ui.live import Live
from arena.visitors import Visitors


def may_administer(request: gr.Request, settings: Settings) -> bool:
    """Whether the visitor may download and remove models. Asked by every handler that does, not only by the look."""
    return role_of(request, settings) in KEEPERS


def begin(visitors: Visitors[Live], live: Live, request: gr.Request) -> bool:
    """Start the comparison unless this session has one running, in whatever tab.

    Raises `RunError`: ``busy`` for a stranger who has had as many as he may, saying when the next can start;
    ``bad_input`` for a model that is not in the list, which only a forged event names.
    """
    settings = live.arena.settings
    for side in live.request.sides:
        if side.spec.dev_only and not settings.dev:
            raise RunError("bad_input", key="models.unknown", name=side.spec.id, hint="")
    quota = settings.visitor_quota if settings.apart and not may_administer(request, settings) else None
    start = partial(visitors.begin, str(request.session_hash), live)
    return live.arena.visits.begin(visitor_of(request), origin_of(request), live, start, quota)
