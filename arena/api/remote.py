"""Images from elsewhere, without letting a caller look into the network of this machine.

A name is resolved once and every address it has must be public; the connection is made to the very address that was
looked at. Redirects go through the same checks. Bytes, hops and seconds are bounded, whatever the other side does.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from arena.api.errors import ApiError

SECONDS = 10.0
HOPS = 3  # redirects that are followed
CHUNK = 65_536
Resolve = Callable[[str, int], list[str]]
NAT64 = ipaddress.ip_network("64:ff9b::/96")
KEPT = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "64:ff9b:1::/48")))
REDIRECTS = (301, 302, 303, 307, 308)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether an address is one of the open Internet, also the one inside an IPv6 address that carries one.

    >>> is_public("8.8.8.8"), is_public("127.0.0.1"), is_public("::ffff:10.0.0.1"), is_public("2002:7f00:1::")
    (True, False, False, False)
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inside = [ip]
    if isinstance(ip, ipaddress.IPv6Address):
        carried = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in NAT64:
            carried.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        inside += [each for each in carried if each is not None]
    return all(each.is_global and not (each.is_multicast or each.is_reserved or kept(each)) for each in inside)


def kept(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """What some versions of Python take for global."""
    return any(ip in network for network in KEPT) or (isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local)


class Fetcher:
    """Fetches files. resolve, permitted: how names become addresses and which of these may be spoken to."""

    def __init__(
        self,
        resolve: Resolve = resolve,
        permitted: Callable[[str], bool] = is_public,
        seconds: float = SECONDS,
    ) -> None:
        self._resolve, self._permitted, self._seconds = resolve, permitted, seconds

    def fetch(self, url: str, most: int) -> bytes:
        """At most `most` bytes. Raises `ApiError` (400) for an address that is not allowed or does not deliver."""
        deadline = time.monotonic() + self._seconds
        for _ in range(HOPS + 1):
            parts = checked(url)
            answer = self._get(parts, deadline, most)
            if isinstance(answer, bytes):
                return answer
            url = urljoin(parts.geturl(), answer)
        raise failed("api.remote.redirects", hops=HOPS)

    def _get(self, parts: SplitResult, deadline: float, most: int) -> bytes | str:
        """The body, or where the other side sends us instead."""
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        connection = Pinned(host, port, self._address(host, port), parts.scheme == "https", deadline)
        # A side that sends a byte now and then would never meet the timeout of a single read.
        end = threading.Timer(max(0.0, deadline - time.monotonic()), connection.abort)
        end.daemon = True
        end.start()
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", path, headers={"Accept": "image/*", "Accept-Encoding": "identity"})
            with connection.getresponse() as answer:
                connection.check()
                if answer.status in REDIRECTS and (location := answer.getheader("Location")):
                    return location
                if answer.status != 200:
                    raise failed("api.remote.status", status=answer.status)
                if answer.getheader("Content-Encoding", "identity").lower() != "identity":
                    raise failed("api.remote.encoded")
                found = body(answer, most)
                connection.check()
                return found
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() >= deadline:
                raise failed("api.remote.slow", seconds=f"{self._seconds:g}") from error
            raise failed("api.remote.unreachable", host=host, why=type(error).__name__) from error
        finally:
            end.cancel()
            connection.close()

    def _address(self, host: str, port: int) -> str:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise failed("api.remote.unreachable", host=host, why=type(error).__name__) from error
        if not addresses or not all(self._permitted(address) for address in addresses):
            raise failed("api.remote.private", host=host)
        return addresses[0]


class Pinned(http.client.HTTPConnection):
    """A connection to one address, known to the other side by its name. No proxy of the environment is asked."""

    def __init__(self, host: str, port: int, address: str, secure: bool, deadline: float) -> None:
        super().__init__(host, port)
        self.default_port = 443 if secure else 80
        self._address, self._secure, self._deadline = address, secure, deadline
        self._dialled: socket.socket | None = None  # `sock` is gone once the answer alone holds the connection
        self._aborted = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), max(0.01, self._deadline - time.monotonic()))
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self._dialled = self.sock
        self.check()  # the abort may have come when there was nothing to end yet
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()

    def abort(self) -> None:
        """Have whatever waits for the other side, the TLS handshake too, come to an end."""
        self._aborted = True
        if self._dialled:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._dialled, socket.SHUT_RDWR)  # that of TLS would first drop its session

    def check(self) -> None:
        """Raises `TimeoutError` after an abort: what came looks like an end."""
        if self._aborted:
            raise TimeoutError


def checked(url: str) -> SplitResult:
    """The parts of an address that means the same to every program. Raises `ApiError`."""
    odd = any(letter <= " " or letter in "\\\x7f" for letter in url)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        usable = None
    if odd or not usable or not url.isascii() or len(url) > 4000:
        raise failed("api.remote.address")
    return parts


def body(answer: http.client.HTTPResponse, most: int) -> bytes:
    pieces, size = [], 0
    if (answer.length or 0) > most:
        raise failed("api.remote.too_large", limit=f"{most / 1e6:g}")
    while piece := answer.read1(CHUNK):
        size += len(piece)
        if size > most:
            raise failed("api.remote.too_large", limit=f"{most / 1e6:g}")
        pieces.append(piece)
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(pieces)


def failed(key: str, **params: Any) -> ApiError:
    return ApiError(400, key, param="messages", code="remote_image", **params)
