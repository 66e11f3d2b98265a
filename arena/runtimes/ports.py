"""Who listens on a port of this machine."""

from __future__ import annotations

import contextlib
import socket

import psutil

from arena.errors import RunError
from arena.runtimes.engine import Engine, told


def check(engine: Engine, port: int) -> None:
    """Raises `RunError` when somebody listens on the port of 127.0.0.1, saying who."""
    with socket.socket() as test:
        test.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just been closed does not count
        try:
            test.bind(("127.0.0.1", port))
        except OSError as error:
            raise taken(engine, port) from error


def taken(engine: Engine, port: int) -> RunError:
    return RunError("start_failed", key="vllm.port_taken", port=port, holder=holder(engine, port))


def holder(engine: Engine, port: int) -> str:
    """A container or a program, as far as this user may see it; ? beyond."""
    with told():
        others = engine.client.containers.list(ignore_removed=True)
    for other in others:
        published = [place for places in other.ports.values() for place in places or []]
        if any(place["HostPort"] == str(port) for place in published):
            return f"Docker: {other.name} ({other.short_id})"
    with contextlib.suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port and each.pid:
                return f"{psutil.Process(each.pid).name()}, PID {each.pid}"
    return "?"
