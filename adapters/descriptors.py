"""Waiting for what has a descriptor; standard library only. Linux and other Unix."""

from __future__ import annotations

import io
import select
import socket


def heard(*given: int | socket.socket | io.RawIOBase, seconds: float | None = None) -> set[int]:
    """Numbers of those that have something to read, or have ended, once there is one or the time is up.

    By `poll`, for `select` fails where a thousand descriptors are open."""
    ready = select.poll()
    for each in given:
        ready.register(each, select.POLLIN)
    return {number for number, _ in ready.poll(None if seconds is None else 1000 * seconds)}
