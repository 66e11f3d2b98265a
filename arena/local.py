"""Whether a request comes from this very machine: what the page's handlers and the API both ask."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import gradio as gr
    from starlette.requests import Request

LOOPBACK = ("127.0.0.1", "::1")
# A request with one of these has come through a proxy, so its address says nothing of where the caller sits.
PROXIED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_local(request: Request | gr.Request) -> bool:
    """Whether the caller sits at this machine: the connection never left it, no proxy stands between, and he asked
    under this machine's own name, for a page of another site may have its name point here."""
    if any(name in request.headers for name in PROXIED):
        return False
    try:
        asked = urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return False
    return bool(request.client and request.client.host in LOOPBACK and asked in (*LOOPBACK, "localhost"))
