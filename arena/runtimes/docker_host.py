"""Where the Docker Engine listens, and whether anybody listens there: a socket may outlive its Engine."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Literal, NamedTuple

SOCKETS = ("/var/run/docker.sock", f"/run/user/{os.getuid() if hasattr(os, 'getuid') else 0}/docker.sock")

State = Literal["open", "silent", "closed", "none"]
"""open: may be asked (of an Engine across the network it is assumed); silent: installed and not running; closed: this
user is not let in; none: no Engine here."""


class Host(NamedTuple):
    address: str
    state: State

    @property
    def there(self) -> bool:
        """Whether it may be asked."""
        return self.state == "open"


def docker_host() -> Host:
    """The Engine that ``DOCKER_HOST`` names, else the first of the usual sockets that answers, else the one nearest
    to answering."""
    told = os.environ.get("DOCKER_HOST")
    hosts = [Host(address, state(address)) for address in ([told] if told else [f"unix://{path}" for path in SOCKETS])]
    order: tuple[State, ...] = ("open", "silent", "closed", "none")
    return min(hosts, key=lambda host: order.index(host.state), default=Host("", "none"))


def state(address: str) -> State:
    """Asks nothing of the Engine: a connection to a socket of this machine is made or refused at once."""
    scheme, _, path = address.partition("://")
    if scheme != "unix":
        return "open"
    if not Path(path).exists():
        return "none"
    if not os.access(path, os.R_OK | os.W_OK):
        return "closed"
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(1)
        try:
            door.connect(path)
        except OSError:
            return "silent"
    return "open"
