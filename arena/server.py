"""The web server: the page at `/`, its pictures, the API, `/health`; every request hardened first."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import os
import socket
from collections.abc import Callable

# Read when the framework is imported: it reports nothing home, and keeps no record of its own.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
import uvicorn
from fastapi import FastAPI

from arena import api
from arena.config import VERSION
from arena.core import Arena
from arena.errors import ArenaError
from arena.harden import Harden
from arena.public.gate import Gate
from arena.public.limits import Limits
from arena.public.pathless import Pathless
from arena.ui import bench_route, chat_route, class_route, csv_route, document_route, link_route, login_route
from arena.ui.i18n import catalogue
from arena.ui.media import router
from arena.ui.page import build_ui
from arena.ui.shell import Shell
from arena.ui.sound_events import SoundEvents, values_of
from arena.ui.theme import theme

TRIES = 20  # ports looked at when none was asked for
SILENT_S = 300  # a connection whose other side is gone without a word, or takes nothing, is cut after this time
M_ARENA_MAX = -8  # of glibc's malloc.h
SESSIONS = 500  # visitors whose state is kept; the oldest is forgotten first


def create_app(arena: Arena) -> FastAPI:
    """The application over an open arena. Whoever opened the arena closes it."""
    app = FastAPI(
        title="VLM Arena",
        version=VERSION,
        docs_url=None,  # these two load scripts from other hosts; our own page is /api
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )

    app.include_router(login_route.router(arena.settings))
    app.include_router(router(arena))
    app.include_router(csv_route.router(arena))
    app.include_router(document_route.router(arena))
    app.include_router(link_route.router(arena))
    app.include_router(chat_route.router(arena))
    app.include_router(bench_route.router(arena))
    if arena.classroom:
        app.include_router(class_route.router(arena, arena.classroom))
    app.include_router(api.router(arena))
    page = build_ui(arena)
    page.state_session_capacity = SESSIONS
    # Twice the queue of the device: what visitors do besides waiting for it must fit in too.
    page.queue(max_size=2 * arena.settings.queue_size, api_open=False, default_concurrency_limit=8)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=theme(),
        i18n=catalogue(arena.catalog.tasks.values()),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        max_file_size=arena.settings.max_upload_mb * 10**6,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )
    app.add_middleware(SoundEvents, takes=values_of(page))
    app.add_middleware(Shell, look="school" if arena.settings.school else "")
    if arena.settings.apart:
        app.add_middleware(Pathless, settings=arena.settings)
        app.add_middleware(Limits)
    app.add_middleware(Gate, settings=arena.settings)
    # Beside the file itself an upload has a boundary and a name; half a megabyte is plenty for both.
    app.add_middleware(Harden, max_upload=arena.settings.max_upload_mb * 10**6 + 500_000)
    return app


def listen(host: str, port: int, *, any_port: bool = False) -> socket.socket:
    """A listening socket. With `any_port` the next free port is taken when `port` is not.

    Raises `ArenaError` saying which port is taken or which address cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port, port + TRIES if any_port and port else port + 1):
        listener = socket.socket(family)
        if os.name != "nt":  # there it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise ArenaError("server.address", host=host, port=number, why=error.strerror) from error
        else:
            end_when_silent(listener)
            listener.listen(128)
            return listener
    raise ArenaError("server.port_taken", host=host, port=port)


def end_when_silent(listener: socket.socket) -> None:
    """Have the system end such connections, where it can; those that are accepted inherit it."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 8, "TCP_USER_TIMEOUT": SILENT_S * 1000}
    for name, value in wanted.items():
        if hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def few_heaps() -> None:
    """Have all threads share two heaps of the C library's, where it is glibc: it would make eight a core, each of which
    keeps the most that it ever held. What runs in Python takes turns anyhow."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def serve(
    arena: Arena, host: str, port: int, *, any_port: bool = False, told: Callable[[int], None] | None = None
) -> None:
    """Serve until told to end (Ctrl-C, SIGTERM). told: called with the port once there is one.

    Raises `ArenaError` when the port cannot be had."""
    few_heaps()
    listener = listen(host, port, any_port=any_port)
    with listener:
        app = create_app(arena)
        # What stands now is no garbage: to look through it took a seventh of the start, and would hold all visitors up
        # for a tenth of a second again and again.
        gc.collect()
        gc.freeze()
        gc.enable()
        number = listener.getsockname()[1]
        shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host  # noqa: S104
        print(f"http://{shown}:{number}/", flush=True)  # noqa: T201
        if told:
            told(number)
        settings = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
        uvicorn.Server(settings).run(sockets=[listener])
