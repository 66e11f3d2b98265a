"""What the slot asks of anything that runs a model: a worker process, a container, an endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.base import Job, Output
from arena.cancel import Cancel


@dataclass(frozen=True)
class Sign:
    """A sign of life while a model is brought up or taken down.

    phase: what is done now, one of the keys ``phases.*`` of the string files, "" when there is nothing to add to the
    stage. log: the last lines that were written meanwhile.
    """

    phase: str = ""
    log: str = ""


NO_SIGN = Sign()


class Handle(Protocol):
    """A model being brought up, used and taken down. Its waits are generators that yield several times a second.

    broken: it must not be used again. versions: of the libraries that shape the answer, known once loaded.
    """

    broken: bool
    versions: dict[str, str]

    def alive(self) -> bool: ...

    def pids(self) -> list[int]:
        """Processes of this machine whose memory is the model's; of each the children count too."""
        ...

    def wait_started(self, timeout: float, cancel: Cancel) -> Iterator[Sign]:
        """Until it can be told to load. Raises `RunError`."""
        ...

    def load(self, model: dict[str, Any], timeout: float, cancel: Cancel) -> Iterator[Sign]:
        """Until the model can answer. Raises `RunError`; the handle is then broken."""
        ...

    def predict(self, job: Job, timeout: float, cancel: Cancel) -> Iterator[str | Output | None]:
        """Pieces of the answer, None while nothing comes, the `Output` last. Raises `RunError`."""
        ...

    def family(self) -> list[int]:
        """Every process of this machine that belongs to it, children included."""
        ...

    def kill(self) -> None:
        """End it; returns at once, `wait_gone` says when it is over."""
        ...

    def wait_gone(self) -> Iterator[Sign]:
        """Until nothing of it is left. Raises `RunError` when the system cannot end it."""
        ...
