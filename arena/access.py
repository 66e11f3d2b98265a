"""Who asks: a visitor is known by a cookie of his own, and sees what is his where visitors are strangers."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from arena.config import Settings

if TYPE_CHECKING:
    import gradio as gr
    from starlette.requests import Request

COOKIE = "arena_visitor"  # a secret of the browser's, never stored here; not readable by scripts


def new_token() -> str:
    return secrets.token_urlsafe(18)


def visitor_of(request: Request | gr.Request | None) -> str:
    """16 hexadecimal digits that stand for the browser, "" for one without a cookie."""
    token = request.cookies.get(COOKIE, "") if request else ""
    return hashlib.sha256(token.encode()).hexdigest()[:16] if token else ""


def whose(request: Request | gr.Request | None, settings: Settings) -> str | None:
    """Whose runs may be shown: None for everybody's. A browser without a cookie among strangers has none."""
    return visitor_of(request) or "nobody" if settings.apart else None
