"""The right to have a vLLM container: one program of a user on a machine has it, whatever its data folder.

The lock is the operating system's, so it is gone with the program that held it, however that ended. What the lock
guards is found again by `owner`, a label that all programs under the same lock put on their containers.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from arena.errors import RunError


def folder() -> Path:
    return platformdirs.user_state_path("vlm-arena")


def owner() -> str:
    """Whose containers the lock guards: the same user with the same home, on whichever day."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    return hashlib.sha256(f"{user}:{folder()}".encode()).hexdigest()[:12]


class Hold:
    """Taken by one `Hold` at a time, in this program or any other; given back, or lost with the program."""

    def __init__(self) -> None:
        name = f"vllm-{platform.node() or 'here'}"  # a home may be shared by machines, each with its own Docker
        self._lock = FileLock(folder() / f"{name}.lock", thread_local=False)
        self._pid = folder() / f"{name}.pid"

    @property
    def held(self) -> bool:
        return bool(self._lock.is_locked)

    def take(self) -> None:
        """Have it at once. Raises `RunError` (``busy``) naming the program that has it."""
        if self.held:
            return
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise RunError("busy", key="vllm.busy", pid=self._read() or "?") from error
        self._pid.write_text(str(os.getpid()))

    def give_back(self) -> None:
        if self.held:
            self._pid.unlink(missing_ok=True)
            self._lock.release()

    def _read(self) -> str:
        with contextlib.suppress(OSError):
            return self._pid.read_text().strip()
        return ""
