"""What a visitor may do besides comparing, by his role; the page's looks and its handlers ask the same."""

from __future__ import annotations

import gradio as gr

from arena.access import KEEPERS, role_of
from arena.config import Settings


def may_administer(request: gr.Request, settings: Settings) -> bool:
    """Whether the visitor may download and remove models. Asked by every handler that does, not only by the look."""
    return role_of(request, settings) in KEEPERS
