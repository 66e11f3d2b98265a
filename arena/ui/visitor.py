"""What a visitor may do besides comparing: today only who sits at this machine may change what is on it."""

from __future__ import annotations

import gradio as gr

from arena.local import is_local


def may_administer(request: gr.Request) -> bool:
    """Whether the visitor may download and remove models. Asked by every handler that does, not only by the look."""
    return is_local(request)
