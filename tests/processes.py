"""Whether a process of the tests is still there."""

from __future__ import annotations

import psutil


def exists(pid: int) -> bool:
    """Alive; a zombie that nobody has reaped yet is not. Whoever reaps it may do so while it is looked at."""
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False
