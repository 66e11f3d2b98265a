"""Where a request comes from, as a name that means nothing outside this program and is gone when it ends."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio as gr
    from starlette.requests import Request

_KEY = secrets.token_bytes(32)


def origin_of(request: Request | gr.Request) -> str:
    """A keyed hash of the network the request comes from; the address itself is never kept.

    Behind a proxy on this machine the server has put the address that the proxy saw in place of the proxy's.
    """
    return named(request.client.host if request.client else "")


def named(address: str) -> str:
    """Addresses that one person has at will, the 2^64 of an IPv6 network, have one name."""
    try:
        found = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        network = address
    else:
        if isinstance(found, ipaddress.IPv6Address):
            mapped = found.ipv4_mapped
            network = str(mapped or ipaddress.ip_network((found, 64), strict=False))
        else:
            network = str(found)
    return hashlib.blake2b(network.encode(), key=_KEY, digest_size=8).hexdigest()
