"""What the server keeps of pages that were closed: a few, for whoever comes back to one; and not how they looked."""

from __future__ import annotations

from typing import Any

import gradio as gr

KEPT = 10


def forgotten(page: gr.Blocks) -> None:
    """Give back what a page took when it is closed. To be called inside of the page."""

    def forget(request: gr.Request) -> None:
        release(page.state_holder, str(request.session_hash))

    page.unload(forget)


def release(holder: Any, session: str) -> None:
    """A closed page may come back, as on a laptop that slept, and finds what was chosen there. But how every block
    looked, which the framework keeps for links that this page does not have, is half a megabyte a page, and the rest a
    quarter of one.

    holder: gradio's `StateHolder`, in which the page that was used last stands last."""
    if state := holder.session_data.get(session):
        state.config_values.clear()
    with holder.lock:
        closed = [name for name, state in list(holder.session_data.items()) if state.is_closed]
        for name in closed[:-KEPT]:
            holder.session_data.pop(name, None)
            holder.time_last_used.pop(name, None)
