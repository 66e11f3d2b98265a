"""What a visitor may do besides comparing: today only who sits at this machine may change what is on it."""

from __future__ import annotations

from urllib.parse import urlsplit

import gradio as gr

LOOPBACK = ("127.0.0.1", "::1")
# A request with one of these has come through a proxy, so it says nothing of where the visitor sits.
PROXIED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_local(request: gr.Request) -> bool:
    """Whether the visitor sits at this machine: the connection never left it, no proxy stands between, and the page
    was opened under this machine's own name, not under one of a foreign site that points here."""
    forwarded = any(name in request.headers for name in PROXIED)
    asked = urlsplit(f"//{request.headers.get('host', '')}").hostname
    host = request.client.host if request.client else None
    return not forwarded and host in LOOPBACK and asked in (*LOOPBACK, "localhost")


def may_administer(request: gr.Request) -> bool:
    """Whether the visitor may download and remove models. Asked by every handler that does, not only by the look."""
    return is_local(request)
