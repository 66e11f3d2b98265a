"""The address under which others on the local network find this program, looked up without asking anybody, and as a
QR code."""

from __future__ import annotations

import ipaddress
import re
import socket

import psutil

LOCAL = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "[::]", "::", "::1", "")  # noqa: S104
# Networks inside this machine, which nobody else can reach: containers, virtual machines, tunnels.
INSIDE = re.compile(r"^(lo|docker|br-|veth|virbr|vmnet|vboxnet|tun|tap|wg|tailscale|zt|utun|vEthernet)", re.IGNORECASE)
NAME = re.compile(r"^[A-Za-z0-9.\-]+$|^\[[0-9A-Fa-f:]+\]$")


def lan_addresses() -> list[str]:
    """This machine's IPv4 addresses on its networks, the likeliest first; empty without a network."""
    up = {name for name, stats in psutil.net_if_stats().items() if stats.isup}
    found = []
    for name, addresses in psutil.net_if_addrs().items():
        for each in addresses:
            if name in up and each.family == socket.AF_INET:
                address = ipaddress.ip_address(each.address)
                if not address.is_loopback:
                    found.append((INSIDE.match(name) is not None, address.is_link_local, each.address))
    usual = _usual()
    return [each[-1] for each in sorted(found, key=lambda each: (*each[:2], each[2] != usual))]


def _usual() -> str:
    """The address that the system would send from; a datagram socket that is connected sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address that is nobody's (RFC 5737)
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def address_for(host: str) -> str:
    """Where pupils go, given the ``Host`` of a request of the teacher's: the name he came by, unless that means his own
    machine only.

    >>> address_for("school-pc.local:7860"), address_for("192.168.1.5")
    ('http://school-pc.local:7860/class', 'http://192.168.1.5/class')
    """
    name, colon, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    if name.lower() in LOCAL or not NAME.match(name):
        name = next(iter(lan_addresses()), "localhost")
    return f"http://{name}{colon}{port}/class"


def qr_svg(text: str, label: str) -> str:
    """The text as a QR code: one path, black on white in either theme, four modules of margin (ISO/IEC 18004).

    label: for those who cannot see it; HTML-safe."""
    import qrcode

    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4)
    code.add_data(text)
    rows = code.get_matrix()
    dots = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return (
        f'<svg class="qr" role="img" aria-label="{label}" viewBox="0 0 {len(rows)} {len(rows)}" '
        f'xmlns="http://www.w3.org/2000/svg" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{len(rows)}v'
        f'{len(rows)}H0z"/><path fill="#000" d="{dots}"/></svg>'
    )
