"""A worker in a process of its own: started, spoken to in JSON lines, ended with everything it started."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from io import FileIO
from pathlib import Path
from typing import Any

import psutil

from adapters.base import Job, Output, adapter_class
from adapters.descriptors import heard
from arena.cancel import Cancel
from arena.entries import SECRET
from arena.errors import RunError
from arena.runtimes.handle import NO_SIGN, Sign
from arena.runtimes.warm import WarmParent

ROOT = Path(__file__).parent.parent.parent
TICK = 0.1  # seconds between two signs of life while nothing comes
GRACE = 1.0  # seconds a worker has to stop by itself when told to
LOG_LINES, LOG_LINE = 200, 2000


def overlay(interpreter: str) -> Path:
    """The folder of packages that an older interpreter puts in front of ours; `make models-legacy` fills it."""
    return Path(sys.prefix) / "overlays" / interpreter


def worker_env(interpreter: str = "main") -> dict[str, str]:
    """The environment of every worker: offline, unbuffered, without our secrets, its own packages first."""
    env = {name: value for name, value in os.environ.items() if not SECRET.fullmatch(name)}
    own = "" if interpreter == "main" else str(overlay(interpreter))
    return env | {
        "PYTHONPATH": os.pathsep.join(filter(None, [own, str(ROOT), env.get("PYTHONPATH")])),
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    }


class Interpreters:
    """The interpreters workers run under, each with a warm parent for every set of imports.

    A worker has all that its parent has imported: one parent for all would give an engine of 50 MB the memory of torch.
    """

    def __init__(self, warm: bool = True) -> None:
        self.warm = warm and sys.platform == "linux"
        self._parents: dict[tuple[str, tuple[str, ...]], WarmParent] = {}
        self._lock = threading.Lock()  # protects _parents: two starts must not make two parents

    def command(self, interpreter: str) -> list[str]:
        """How to call the interpreter, in its `worker_env`. Raises `RunError` (``unavailable``) for one that is not
        installed."""
        if interpreter != "main" and not overlay(interpreter).is_dir():
            raise RunError("unavailable", key="models.no_interpreter", interpreter=interpreter)
        return [sys.executable]

    def parent(self, adapter: str, interpreter: str = "main") -> WarmParent:
        """The parent of the adapter's workers."""
        modules = adapter_class(adapter).preload
        with self._lock:
            if (interpreter, modules) not in self._parents:
                parent = WarmParent(self.command(interpreter), worker_env(interpreter), modules)
                self._parents[interpreter, modules] = parent
            return self._parents[interpreter, modules]

    def start(self, adapter: str, interpreter: str = "main", env: dict[str, str] | None = None) -> Worker:
        """A new worker for the adapter; returns at once, `Worker.wait_started` says when it is there."""
        if not self.warm:
            return Worker(adapter, self.command(interpreter), None, worker_env(interpreter) | (env or {}))
        return Worker(adapter, [], self.parent(adapter, interpreter), env or {})

    def preload(self, adapter: str, interpreter: str = "main") -> None:
        """Have the warm parent import what the adapter needs, if there is one."""
        if self.warm:
            self.parent(adapter, interpreter).preload()

    def stop(self) -> None:
        for parent in self._parents.values():
            parent.stop()


class Worker:
    """One worker process, a `Handle`. Its waits yield at least every `TICK` seconds.

    broken: it must not be used again. pid: None until the process is there.
    """

    def __init__(self, adapter: str, command: list[str], parent: WarmParent | None, env: dict[str, str]) -> None:
        self.adapter = adapter
        adapter_class(adapter)  # raises before anything is opened
        self.pid: int | None = None
        self.exit_code: int | None = None
        self.broken = False
        self.versions: dict[str, str] = {}
        self._started = False
        self._doomed = False
        self._gone = threading.Event()  # the process has ended; a zombie holds nothing any more
        self._reaped = threading.Event()  # its exit code is known, which a busy warm parent tells late
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._ids = itertools.count()
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._lifeline: FileIO | None = None  # closed by the kernel if we die: a plainly started worker then ends
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe()
        self._stdin = os.fdopen(ours_in, "wb", buffering=0)
        theirs = (theirs_in, theirs_out, theirs_err)
        try:
            if parent:
                parent.fork(adapter, env, theirs, self._is_there, self._has_ended)
            else:
                self._popen(command, env, theirs)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self._readers = [
            threading.Thread(target=self._read_events, args=(ours_out,), daemon=True, name=f"{adapter} events"),
            threading.Thread(target=self._read_log, args=(ours_err,), daemon=True, name=f"{adapter} log"),
        ]
        for reader in self._readers:
            reader.start()

    def _popen(self, command: list[str], env: dict[str, str], theirs: tuple[int, int, int]) -> None:
        # Only Linux signals the end of a pipe. A forked worker is ended by its warm parent.
        line: int | None = None
        if sys.platform == "linux":
            line, ours = os.pipe()
            self._lifeline = os.fdopen(ours, "wb", buffering=0)
        try:
            process = subprocess.Popen(
                [*command, "-m", "adapters.worker", self.adapter, str(os.getpid()), *([str(line)] if line else [])],
                stdin=theirs[0],
                stdout=theirs[1],
                stderr=theirs[2],
                pass_fds=[line] if line else [],
                env=env,
                cwd=tempfile.gettempdir(),
                start_new_session=True,
            )
        finally:
            if line:
                os.close(line)
        self.pid = process.pid
        threading.Thread(target=lambda: self._has_ended(process.wait()), daemon=True, name="reaper").start()

    def _is_there(self, pid: int | None) -> None:
        self.pid = pid
        if pid is None:
            self._has_ended(-9)
            return
        if self._doomed:
            self._signal_group()
        threading.Thread(target=self._watch_end, args=(pid,), daemon=True, name=f"{self.adapter} end").start()

    def _watch_end(self, pid: int) -> None:
        with contextlib.suppress(OSError):  # it is gone already
            pidfd = os.pidfd_open(pid)
            try:
                heard(pidfd)
            finally:
                os.close(pidfd)
        self._gone.set()

    def _has_ended(self, code: int) -> None:
        self.exit_code = code
        self._reaped.set()
        self._gone.set()
        self._signal_group()  # whatever it started and left behind

    def _read_events(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as pipe:
            for line in pipe:
                try:
                    self._events.put(json.loads(line))
                except ValueError:
                    self._log.append(f"unreadable message of {len(line)} bytes")
        self._events.put(None)

    def _read_log(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb", buffering=1 << 16) as pipe:  # as much as a pipe holds
            while line := pipe.readline(LOG_LINE):
                self._log.append(line.decode("utf-8", "replace").rstrip())

    @property
    def log(self) -> str:
        """The last lines the worker wrote to stderr."""
        return "\n".join([*self._log][-30:])[-4000:]

    def alive(self) -> bool:
        return not self.broken and not self._gone.is_set()

    def wait_started(self, timeout: float, cancel: Cancel) -> Iterator[Sign]:
        """Until the process has done its imports. Raises `RunError`."""
        while not self._started:
            for message in self._until(timeout, cancel, "start_timeout"):
                if message and message["event"] == "started":
                    self._started = True
                    break
                yield NO_SIGN

    def load(self, model: dict[str, Any], timeout: float, cancel: Cancel) -> Iterator[Sign]:
        """Until the weights are loaded. Raises `RunError`; the worker is then broken."""
        self._send(op="load", model=model)
        for message in self._until(timeout, cancel, "start_timeout"):
            if message and message["event"] == "loaded":
                self.versions = message["versions"]
                return
            yield NO_SIGN

    def predict(self, job: Job, timeout: float, cancel: Cancel) -> Iterator[str | Output | None]:
        """Pieces of the answer, None while nothing comes, the `Output` last. Raises `RunError`.

        Closed before its end it stops the model; one that does not stop within `GRACE` is ended.
        """
        job_id = next(self._ids)
        self._send(op="predict", id=job_id, job=asdict(job))
        running = True
        try:
            for message in self._until(timeout, cancel, "timeout", job_id):
                if message is None:
                    yield None
                elif message["event"] == "delta":
                    yield message["text"]
                else:
                    running = False
                    yield Output.from_dict(message["output"])
                    return
        except RunError:
            running = False
            raise
        finally:
            if running:
                self._interrupt(job_id)

    def _until(
        self, timeout: float, cancel: Cancel, late: str, job_id: int | None = None
    ) -> Iterator[dict[str, Any] | None]:
        """Messages, None every `TICK`; what ends the wait instead is raised as `RunError`."""
        deadline = time.monotonic() + timeout
        while True:
            if cancel.is_set():
                self.broken = job_id is None or not self._interrupt(job_id)
                raise RunError("cancelled", "stopped by the user")
            if time.monotonic() > deadline:
                self.broken = job_id is None or not self._interrupt(job_id)
                raise RunError(late, f"no answer after {timeout:g} s")
            try:
                message = self._events.get(timeout=TICK)
            except queue.Empty:
                yield None
                continue
            if message is None:
                raise self._died()
            if message["event"] == "error":
                self.broken = job_id is None or message["kind"] not in ("bad_input", "model_error", "cancelled")
                self.broken |= "CUDA error" in message["detail"]  # the context is lost with it
                raise RunError(message["kind"], message["detail"])
            yield message

    def _interrupt(self, job_id: int) -> bool:
        """Tell the worker to stop; False, and broken, when it has not within the grace time."""
        self._send(op="cancel", id=job_id)
        deadline = time.monotonic() + GRACE
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self._events.get(timeout=left)
            except queue.Empty:
                break
            if message is None:
                break
            if message["event"] in ("output", "error") and message["id"] == job_id:
                return True
        self.broken = True
        return False

    def _died(self) -> RunError:
        self.broken = True
        self._reaped.wait(1.0)
        for reader in self._readers:
            if reader is not threading.current_thread():
                reader.join(0.5)
        how = "ended" if self.exit_code is None else f"exit code {self.exit_code}"
        if self.exit_code is not None and self.exit_code < 0:
            how = signal.Signals(-self.exit_code).name
        return RunError("worker_died", f"{self.adapter}: {how}\n{self.log}".strip())

    def _send(self, **message: Any) -> None:
        # A dead worker is noticed by its end of output; to one that was ended meanwhile, the pipe is closed.
        with contextlib.suppress(OSError, ValueError):
            self._stdin.write(json.dumps(message).encode() + b"\n")

    def _signal_group(self) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def pids(self) -> list[int]:
        return [self.pid] if self.pid and self.alive() else []

    def family(self) -> list[int]:
        """Its pid and those of everything it started."""
        if self.pid is None:
            return []
        with contextlib.suppress(psutil.Error):
            return [self.pid, *(child.pid for child in psutil.Process(self.pid).children(recursive=True))]
        return [self.pid]

    def kill(self) -> None:
        """End the process group; returns at once, `wait_gone` says when it is over."""
        self.broken = self._doomed = True
        if not self._gone.is_set():
            self._signal_group()
        with contextlib.suppress(OSError):
            self._stdin.close()
        if self._lifeline:
            self._lifeline.close()

    def wait_gone(self, timeout: float = 5.0) -> Iterator[Sign]:
        """Until the process has ended and was reaped. Raises `RunError` when the system cannot end it."""
        deadline = time.monotonic() + timeout
        while not self._gone.wait(TICK):
            if time.monotonic() > deadline:
                raise RunError("vram_not_released", f"process {self.pid} of {self.adapter} does not end")
            yield NO_SIGN
