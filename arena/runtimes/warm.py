"""The application's side of a warm parent: an `adapters.warm` process, started when needed."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

Forked = Callable[[int | None], None]
Exited = Callable[[int], None]


class WarmParent:
    """Asks one warm parent, which has imported `modules`, for workers.

    Every method returns at once; answers come by callback, from a thread. After the parent's death (its workers die
    with it) the next `fork` starts a new one.
    """

    def __init__(self, interpreter: list[str], env: dict[str, str], modules: tuple[str, ...]) -> None:
        self._command = [*interpreter, "-m", "adapters.warm"]
        self._env = env
        self._modules = modules
        self._lock = threading.Lock()  # protects everything below
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._tickets = itertools.count()
        self._waiting: dict[int, tuple[Forked, Exited]] = {}
        self._exited: dict[int, Exited] = {}
        self.threads: int | None = None  # of the parent when it last forked; 1 where that is safe

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def preload(self) -> None:
        """Have the modules imported, unless they are."""
        with self._lock:
            self._started()

    def fork(
        self,
        adapter: str,
        env: dict[str, str],
        descriptors: tuple[int, int, int],
        forked: Forked,
        exited: Exited,
    ) -> None:
        """A worker for `adapter`, with `env` besides ours, on the three descriptors.

        `forked` gets its pid, None if the parent died before; `exited` its exit code, negative for a signal.
        """
        with self._lock:
            channel = self._started()
            ticket = next(self._tickets)
            self._waiting[ticket] = (forked, exited)
            message = {"ticket": ticket, "adapter": adapter, "env": env}
            socket.send_fds(channel, [json.dumps(message).encode()], list(descriptors))

    def _started(self) -> socket.socket:
        """The channel to the parent, which is started if there is none."""
        if self._channel and self._process and self._process.poll() is None:
            return self._channel
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [*self._command, str(theirs.fileno()), str(os.getpid()), *self._modules],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._env,
                start_new_session=True,
            )
        self._channel = ours
        threading.Thread(target=self._listen, args=(ours, self._process), daemon=True, name="warm parent").start()
        return ours

    def _listen(self, channel: socket.socket, process: subprocess.Popen[bytes]) -> None:
        """Pass on what the parent says until it is gone; then nobody waits for it in vain."""
        while data := self._receive(channel):
            message: dict[str, Any] = json.loads(data)
            with self._lock:
                if message["event"] == "forked":
                    self.threads = message["threads"]
                    forked, self._exited[message["pid"]] = self._waiting.pop(message["ticket"])
                    call = partial(forked, message["pid"])
                else:
                    call = partial(self._exited.pop(message["pid"]), message["code"])
            call()
        process.wait()
        with self._lock:
            waiting, self._waiting = list(self._waiting.values()), {}
            exits, self._exited = list(self._exited.values()), {}
            channel.close()
            if self._process is process:
                self._process = None
        for forked, _ in waiting:
            forked(None)
        for exited in exits:
            exited(-9)

    @staticmethod
    def _receive(channel: socket.socket) -> bytes:
        try:
            return channel.recv(1 << 16)
        except OSError:
            return b""

    def stop(self) -> None:
        """End the parent and with it every worker of it."""
        with self._lock:
            process, channel = self._process, self._channel
        if process and channel and process.poll() is None:
            channel.shutdown(socket.SHUT_RDWR)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
