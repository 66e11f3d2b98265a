"""Who uses a GPU: our workers, with the program they work for, our containers, and everybody else, who is left alone.

A worker is known by its command line, its user and the folder it runs from; whether its program lives, by its
ancestors: whoever outlives his program has been handed to somebody else. In a container of Docker a process is known by
its control group, which has the container's id in its name.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from arena.gpu import Gpus
from arena.runtimes.containers import Found
from arena.runtimes.process import ROOT

Kind = Literal["worker", "orphan", "container", "other"]
MODULES = ("adapters.worker", "adapters.warm")


@dataclass(frozen=True)
class Holder:
    """A process on a GPU.

    mb: MiB of the GPU, None where the driver does not say. kind: ``worker``, in use by our program `program`;
    ``orphan``, a worker whose program is gone; ``container``, one of ours; ``other``. model: id in the catalogue, or as
    much of it as is known. name: of the program, or of the container. user: "" where it may not be seen.
    """

    pid: int
    mb: float | None
    kind: Kind
    model: str = ""
    name: str = ""
    user: str = ""
    program: int | None = None


def holders(gpus: Gpus, index: int, found: Iterable[Found] = ()) -> list[Holder] | None:
    """Every process on the device, most memory first; None when the driver has no list. found: our containers."""
    if gpus.processes(index) is None:
        return None
    found = list(found)
    return [holder_of(pid, mb, found) for pid, mb in gpus.held_by(index)]


def holder_of(pid: int, mb: float | None, found: list[Found]) -> Holder:
    group = control_group(pid)
    if ours := next((each for each in found if each.id in group), None):
        return Holder(pid, mb, "container", ours.model, ours.name)
    try:
        process = psutil.Process(pid)
        for each in (process, *process.parents()):
            if known := as_worker(each):
                return Holder(pid, mb, *known)
    except (psutil.Error, OverflowError):  # it is gone, or another namespace's
        return Holder(pid, mb, "other")
    name, user = "", ""
    with contextlib.suppress(psutil.Error):
        name = process.name()
        user = process.username()
    return Holder(pid, mb, "other", name=name, user=user)


def control_group(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    return ""


def as_worker(process: psutil.Process) -> tuple[Kind, str, str, str, int] | None:
    """(kind, model, name, user, program) if this is one of our workers; None for what is not, or cannot be looked into.

    Raises `psutil.NoSuchProcess` when it has ended meanwhile."""
    try:
        command = process.cmdline()
        # ``-m adapters.worker ADAPTER PROGRAM …`` or ``-m adapters.warm CHANNEL PROGRAM``
        module, _, number, *_ = [*command[command.index("-m") + 1 :], "", "", ""] if "-m" in command else [""] * 3
        if module not in MODULES or not number.isdigit():
            return None
        if not same_user(process) or str(ROOT) not in process.environ().get("PYTHONPATH", "").split(os.pathsep):
            return None
        program = int(number)
        lives = any(each.pid == program for each in process.parents())
        # A worker takes the name of its model (see `adapters.worker`); before it has one it is called as Python is.
        name = process.name()
        model = "" if name.startswith("python") else name
        return "worker" if lives else "orphan", model, module, process.username(), program
    except psutil.AccessDenied:
        return None


def same_user(process: psutil.Process) -> bool:
    return not hasattr(os, "getuid") or bool(process.uids().real == os.getuid())


def orphans() -> Iterator[psutil.Process]:
    """Our workers whose program is gone, whether they are on a GPU or not."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if (known := as_worker(process)) and known[0] == "orphan":
                yield process


def end_orphans() -> list[int]:
    """End them with everything they started; their pids."""
    ended = []
    for process in list(orphans()):
        with contextlib.suppress(psutil.Error, OSError):
            if os.getpgid(process.pid) == process.pid and process.is_running():
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            ended.append(process.pid)
    return ended
