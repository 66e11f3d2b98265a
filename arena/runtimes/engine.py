"""The Docker Engine: our containers, found by their labels, and nobody else's; every call bounded in time.

A container is ours when it bears the label of our role and of our owner (`arena.runtimes.hold`). A name, a port or an
image make none ours.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from arena.errors import RunError
from arena.runtimes.docker_host import docker_host
from arena.runtimes.hold import owner
from arena.runtimes.vllm_command import Plan, arguments
from arena.runtimes.vllm_log import cleaned

if TYPE_CHECKING:
    from docker.models.containers import Container as Made

LABEL = "org.vlm-arena."
TIMEOUT = 30  # seconds for one answer of the Engine; making a container of a large image takes a few
KEY = "VLLM_API_KEY="
GONE = "vllm.docker_gone"


class PortTaken(Exception):
    """Somebody listens on the port that a container was to have."""


@dataclass(frozen=True)
class End:
    """How a container ended. code: of its program; out_of_memory: killed by the system for it; error: what Docker
    said; removed: taken away, by whom nobody knows."""

    code: int | None
    out_of_memory: bool = False
    error: str = ""
    removed: bool = False


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Whatever goes wrong in a talk with the Engine, as a `RunError` that says what to do."""
    import docker

    try:
        yield
    except docker.errors.APIError as error:
        raise RunError("start_failed", key="vllm.docker_refused", why=shown(error.explanation or error)) from error
    except (docker.errors.DockerException, OSError) as error:
        # What the socket said is wrapped several times over; the innermost error tells the cases apart.
        inner = innermost(error)
        if isinstance(inner, PermissionError):
            raise RunError("unavailable", key="vllm.docker_closed") from error
        if isinstance(inner, TimeoutError):
            raise RunError("unavailable", key="vllm.docker_silent", s=TIMEOUT) from error
        raise RunError("unavailable", key=GONE, host=docker_host().address) from error


def innermost(error: BaseException) -> BaseException:
    seen = {id(error)}
    while (cause := error.__cause__ or error.__context__) and id(cause) not in seen:
        seen.add(id(cause))
        error = cause
    return error


def shown(why: object) -> str:
    return " ".join(cleaned(str(why)))[:500]


class Engine:
    """A connection to the Engine. Every method raises `RunError` (``unavailable``, ``start_failed``)."""

    def __init__(self) -> None:
        import docker

        host, state = docker_host()
        if state != "open":  # told at once, and not as five errors around one
            key = {"none": "vllm.docker_none", "closed": "vllm.docker_closed", "silent": GONE}[state]
            raise RunError("unavailable", key=GONE if os.environ.get("DOCKER_HOST") else key, host=host)
        with told():
            self.client = docker.DockerClient(base_url=host, version="auto", timeout=TIMEOUT)

    def close(self) -> None:
        self.client.close()

    # --- ours

    def ours(self) -> list[Made]:
        """Our containers in whichever state, the newest first."""
        labels = [f"{LABEL}role=vllm", f"{LABEL}owner={owner()}"]
        with told():
            found = self.client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
        return sorted(found, key=lambda each: str(each.attrs["Created"]), reverse=True)

    def make(self, plan: Plan, detached: bool) -> Made:
        """The container, made and not started. Raises `RunError`, of its own text for a name that is taken."""
        import docker

        labels = {
            f"{LABEL}role": "vllm",
            f"{LABEL}owner": owner(),
            f"{LABEL}config": plan.digest,
            f"{LABEL}model": plan.model,
            f"{LABEL}port": str(plan.port),
            f"{LABEL}detached": str(int(detached)),
        }
        with told():
            try:
                return self.client.containers.create(**arguments(plan, secrets.token_urlsafe(24), labels))
            except docker.errors.APIError as error:
                if error.status_code != 409:
                    raise
                raise RunError("start_failed", key="vllm.name_taken", **self._named(plan.name)) from error

    def start(self, made: Made) -> None:
        """Raises `PortTaken`; `RunError`, of its own text for GPUs that Docker cannot give."""
        import docker

        with told():
            try:
                made.start()
            except docker.errors.APIError as error:
                why = str(error.explanation or error)
                if re.search(r"port is already allocated|address already in use", why):
                    raise PortTaken from error
                if re.search(r"could not select device driver|nvidia-container|CDI device", why):
                    raise RunError("unavailable", key="vllm.no_toolkit", why=shown(why)) from error
                raise

    def remove(self, made: Made) -> None:
        """End it and take it away; nothing to do when that has happened. Its volume stays."""
        import docker

        with told(), contextlib.suppress(docker.errors.NotFound):
            try:
                made.remove(force=True)
            except docker.errors.APIError as error:
                if "is already in progress" not in str(error):
                    raise

    def clear(self, which: Callable[[Made], bool] = lambda _: True) -> list[str]:
        """Take all of ours away, or those that `which` tells, and see that they are gone, with every process; their
        names. Raises `RunError`."""
        made = [each for each in self.ours() if which(each)]
        pids = {pid for each in made for pid in processes(each)}
        for each in made:
            self.remove(each)
        deadline = time.monotonic() + TIMEOUT
        while left := [str(each.name) for each in self.ours() if which(each)] + [
            str(pid) for pid in pids if psutil.pid_exists(pid)
        ]:
            if time.monotonic() > deadline:
                raise RunError("vram_not_released", key="vllm.not_gone", left=", ".join(left), s=TIMEOUT)
            time.sleep(0.05)
        return [str(each.name) for each in made]

    def end(self, made: Made) -> End | None:
        """How it ended; None while it runs."""
        import docker

        with told():
            try:
                made.reload()
            except docker.errors.NotFound:
                return End(None, removed=True)
        state = made.attrs["State"]
        if state.get("Running"):
            return None
        return End(state.get("ExitCode"), bool(state.get("OOMKilled")), shown(state.get("Error") or ""))

    def log(self, made: Made, lines: int) -> list[str]:
        """The last lines it wrote, fit to be shown; the key of its API is not among them."""
        import docker

        with told():
            try:
                text = made.logs(tail=lines).decode("utf-8", "replace")
            except docker.errors.APIError:  # of one that is just being removed there is none
                return []
        return [line.replace(key_of(made) or "\0", "…")[:500] for line in cleaned(text)]

    # --- others'

    def _named(self, name: str) -> dict[str, str]:
        """Who has the name already."""
        import docker

        with contextlib.suppress(docker.errors.NotFound):
            other = self.client.containers.get(name)
            return {"name": name, "id": other.short_id, "image": str(other.attrs["Config"]["Image"])}
        return {"name": name, "id": "?", "image": "?"}


def label(made: Made, name: str) -> str:
    return str(made.labels.get(LABEL + name, ""))


def key_of(made: Made) -> str:
    """The key of its API. Whoever may ask the Engine for it could as well do anything else."""
    env = made.attrs["Config"].get("Env") or []
    return next((line.removeprefix(KEY) for line in env if line.startswith(KEY)), "")


def processes(made: Made) -> list[int]:
    """Its first process and all below it, by their numbers on this machine; none when Docker runs elsewhere."""
    pid = int(made.attrs["State"].get("Pid") or 0)
    with contextlib.suppress(psutil.Error, OSError):
        # A Docker in a virtual machine or across the network counts its own processes, not ours.
        if pid and str(made.id) in Path(f"/proc/{pid}/cgroup").read_text():
            return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return []
