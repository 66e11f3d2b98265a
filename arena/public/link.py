"""The public link: a tunnel of the page's framework to this program, watched, told of when it dies, and opened anew.

The tunnel is a process that the framework fetches once and starts; its service gives an address under which the page is
reached from anywhere, for up to a week. Without internet there is no link and the page goes on here.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Literal

import httpx

from arena.config import Settings

LASTS = timedelta(days=7)  # at the most, says the service
LOOK_S = 20.0  # between two looks whether the link answers
MISSED = 3  # looks in a row without an answer after which it is dead
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 300.0  # before the next try, doubled with each
log = logging.getLogger(__name__)
# off: not wanted. opening: being asked for. open: answers. dead: did, and does not any more. none: not to be had yet.
Condition = Literal["off", "opening", "open", "dead", "none"]


@dataclass(frozen=True)
class State:
    """What is known of the link; `url` and `until` are those of the last one."""

    condition: Condition
    url: str = ""
    until: datetime | None = None


class Tunnel:
    """One process of the framework's, open until `close`. Raises `OSError`, `RuntimeError`, `ValueError` or an error of
    httpx when there is no way out."""

    def __init__(self, port: int, host: str, folder: Path) -> None:
        from gradio import networking
        from gradio.tunneling import CURRENT_TUNNELS

        folder.mkdir(parents=True, exist_ok=True)
        # By default beside the folder one happens to be in, which may be read-only.
        networking.CERTIFICATE_PATH = str(folder / "share.pem")
        before = list(CURRENT_TUNNELS)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.url = networking.setup_tunnel(host, port, secrets.token_urlsafe(32), None, None)
        finally:
            for made in [each for each in CURRENT_TUNNELS if each not in before]:
                CURRENT_TUNNELS.remove(made)
                self._process, made.proc = made.proc, None  # ended by us, silently
            for output in (self._process.stdout, self._process.stderr) if self._process else ():
                if output:  # what nobody reads stops the process in the end
                    threading.Thread(target=_drain, args=(output,), daemon=True, name="tunnel output").start()
            if not hasattr(self, "url"):
                self.close()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Link:
    """The link of one program. `start` it once the page has a port; `told` hears of every change, in a thread."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home
        self._host = settings.host if settings.host not in ("0.0.0.0", "::", "") else "127.0.0.1"  # noqa: S104
        self.state = State("opening" if settings.share else "off")
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, port: int, told: Callable[[State], None]) -> None:
        """Keep a link open to the port until `close`."""
        self._thread = threading.Thread(target=self._keep, args=(port, told), daemon=True, name="public link")
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        if self._thread:
            self._thread.join(10)  # longer only while it asks for a link; the framework ends that at the end

    def _keep(self, port: int, told: Callable[[State], None]) -> None:
        """Open a link, watch it until it dies or its time is up, and again."""

        def tell(state: State) -> None:
            if state != self.state:
                self.state = state
                told(state)

        wait = FIRST_WAIT_S
        while not self._over.is_set():
            try:
                tunnel = Tunnel(port, self._host, self._folder)
            except (OSError, RuntimeError, ValueError, httpx.HTTPError) as error:
                log.info("no public link: %s", error)
                tell(replace(self.state, condition="dead" if self.state.url else "none"))
            else:
                opened = time.monotonic()
                tell(State("open", tunnel.url, datetime.now(UTC) + LASTS))
                try:
                    self._watch(tunnel, opened + LASTS.total_seconds())
                finally:
                    tunnel.close()
                if self._over.is_set():
                    return
                tell(replace(self.state, condition="dead"))
                if time.monotonic() - opened > LONGEST_WAIT_S:
                    wait = FIRST_WAIT_S
            self._over.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)

    def _watch(self, tunnel: Tunnel, end: float) -> None:
        """Until the link is dead, over or not wanted any more."""
        missed, looked = 0, time.monotonic()
        while tunnel.alive and missed < MISSED and time.monotonic() < end:
            if self._over.wait(min(1.0, LOOK_S)):
                return
            if time.monotonic() - looked >= LOOK_S:
                missed, looked = 0 if answers(tunnel.url) else missed + 1, time.monotonic()


def answers(url: str) -> bool:
    """Whether this program is found behind the link."""
    try:
        return bool(httpx.get(f"{url.rstrip('/')}/health", timeout=10).json()["status"] == "ok")
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return False


def _drain(output: IO[bytes]) -> None:
    with contextlib.suppress(ValueError), output:  # closed under our hands
        for _ in output:
            pass
