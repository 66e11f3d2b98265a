"""vLLM's containers as the command line handles them: one brought up to stay, what is there, its log, the end of it.

A container brought up here stays when the program that asked for it ends; the page takes it over if it is the one it
would have started, and replaces it otherwise. There is never a second one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from arena.cancel import Cancel
from arena.config import Settings
from arena.errors import RunError
from arena.gpu import Device
from arena.runtimes.handle import Sign
from arena.spec import ModelSpec


@dataclass(frozen=True)
class Found:
    """A container of ours, running or not.

    id: the short one that ``docker ps`` shows. model: id in the catalogue. port: on 127.0.0.1. state: Docker's word
    (``running``, ``exited``, ``created``). since: when it was created, ISO 8601, UTC. url: up to ``/v1``.
    detached: whether it was meant to stay.
    """

    id: str
    name: str
    model: str
    port: int
    state: str
    since: str
    url: str
    detached: bool


def up(spec: ModelSpec, settings: Settings, gpu: Device | None, cancel: Cancel) -> Iterator[Sign]:
    """Bring the model up until it has answered about an image, and leave it running; whichever container of ours was
    there before is gone then. `spec` in mode ``vllm``. Raises `RunError`, among them ``busy`` while another program
    of ours has a container; nothing is left behind then."""
    raise RunError("unavailable", "not there yet")


def down(settings: Settings) -> list[str]:
    """End every container of ours; their names. Raises `RunError`: ``busy`` while another program of ours uses one,
    ``unavailable`` without a Docker Engine."""
    raise RunError("unavailable", "not there yet")


def ours(settings: Settings) -> list[Found]:
    """Every container of ours, the newest first. Raises `RunError` (``unavailable``)."""
    raise RunError("unavailable", "not there yet")


def logs(settings: Settings, model: str | None = None, lines: int = 100) -> str:
    """The last lines that the container (of this model) wrote, "" when there is none. Raises `RunError`."""
    raise RunError("unavailable", "not there yet")


def repin(settings: Settings, image: str = "") -> str:
    """Have the image that the name stands for on this machine now be the one that is run; its digest. Without a name
    the one of the settings. Raises `RunError` (``unavailable``) when it is not on this machine."""
    raise RunError("unavailable", "not there yet")
