"""Images from elsewhere: only from public addresses, to the address that was checked, bounded in every way."""

from __future__ import annotations

import contextlib
import gzip
import io
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from PIL import Image

from arena.api.errors import ApiError
from arena.api.remote import Fetcher, is_public
from tests.serving import own_models, serving


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (90, 60), "white").save(out, "PNG")
    return out.getvalue()


class Elsewhere(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[str] = []  # noqa: RUF012 - the server makes a handler a request

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # whoever asked has had enough
            super().handle()

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['host']}{self.path}")
        body, headers, status = png(), {}, 200
        if self.path.startswith("/to/"):
            status, headers, body = 302, {"Location": self.path.removeprefix("/to/").replace("|", "/")}, b""
        elif self.path == "/again":
            status, headers, body = 302, {"Location": "/again"}, b""
        elif self.path == "/gone":
            status = 404
        elif self.path == "/gzip":
            headers, body = {"Content-Encoding": "gzip"}, gzip.compress(body)
        elif self.path == "/huge":
            headers = {"Content-Length": str(10**10)}
        elif self.path == "/page":
            headers, body = {"Content-Type": "text/html"}, b"<h1>not an image</h1>"
        elif self.path == "/short":
            headers = {"Content-Length": str(len(body) + 10), "Connection": "close"}
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        if self.path in ("/endless", "/drip"):
            self.close_connection = True
        self.end_headers()
        try:
            if self.path == "/drip":
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(0.05)
            else:
                self.wfile.write(body)
        except OSError:
            self.close_connection = True


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    Elsewhere.asked.clear()


NAMES = {"pictures.example": ["127.0.0.1"], "inside.example": ["10.0.0.1"], "both.example": ["127.0.0.1", "10.0.0.1"]}


def here(host: str, port: int) -> list[str]:
    """Names of the tests; addresses are themselves."""
    if host in NAMES:
        return NAMES[host]
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]


def fetcher(seconds: float = 10.0) -> Fetcher:
    """Treats this very address, and it alone, as a public one."""
    return Fetcher(here, lambda address: address == "127.0.0.1", seconds)


def refused(url: str, key: str, most: int = 10**6, made: Fetcher | None = None) -> None:
    with pytest.raises(ApiError) as caught:
        (made or fetcher()).fetch(url, most)
    assert caught.value._key == f"api.remote.{key}", caught.value
    assert caught.value.status == 400 and caught.value.message("ru") != caught.value.message("en")


def test_a_public_image_is_fetched_under_its_name(port: int) -> None:
    assert fetcher().fetch(f"http://pictures.example:{port}/a.png?size=1", 10**6) == png()
    assert Elsewhere.asked == [f"pictures.example:{port}/a.png?size=1"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200",
        "192.0.0.192", "fec0::1", "64:ff9b:1::1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
        "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "x",
    ],
)  # fmt: skip
def test_addresses_of_this_network_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are() -> None:
    assert all(map(is_public, ["8.8.8.8", "2606:4700:4700::1111", "2002:0808:0808::1"]))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_this_machine_is_not_asked_however_it_is_written(port: int, host: str) -> None:
    refused(f"http://{host}:{port}/a.png", "private", made=Fetcher())
    assert Elsewhere.asked == []


def test_every_address_of_a_name_must_be_public(port: int) -> None:
    refused(f"http://both.example:{port}/a.png", "private")
    refused(f"http://inside.example:{port}/a.png", "private")
    assert Elsewhere.asked == []


def test_a_name_is_resolved_once_a_hop(port: int) -> None:
    """One that changes between two questions is asked about once, and that answer is what is connected to."""
    asked = []

    def changing(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    made = Fetcher(changing, lambda address: address == "127.0.0.1")
    assert made.fetch(f"http://pictures.example:{port}/a.png", 10**6) == png()
    assert asked == ["pictures.example"]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://pictures.example/x", "gopher://pictures.example/x", "http://", "http:///x",
        "http://a\\@pictures.example/", "http://pictures.example/\tx", "http://pictures.example/\r\nHost: x", "",
        "x.png", "http://user:word@pictures.example/", "http://user@pictures.example/", "http://пример.рф/", "http://[::1",
        "http://pictures.example:99999/", "http://pictures.example:0/", "http://pictures.example/" + "x" * 5000,
    ],
)  # fmt: skip
def test_an_address_that_could_mean_two_things_is_refused(url: str) -> None:
    refused(url, "address")


def test_redirects_are_checked_like_the_first_address(port: int) -> None:
    start = f"http://pictures.example:{port}/to/"
    assert fetcher().fetch(f"{start}|a.png", 10**6) == png()
    Elsewhere.asked.clear()
    refused(f"{start}http:||inside.example:{port}|a.png", "private")
    refused(f"{start}file:|||etc|passwd", "address")
    assert len(Elsewhere.asked) == 2, "nobody but the first was asked"
    refused(f"http://pictures.example:{port}/again", "redirects")
    assert len(Elsewhere.asked) == 2 + 4


@pytest.mark.parametrize(
    ("path", "key"),
    [("huge", "too_large"), ("gone", "status"), ("gzip", "encoded"), ("short", "unreachable")],
)
def test_what_does_not_deliver_is_refused(port: int, path: str, key: str) -> None:
    refused(f"http://pictures.example:{port}/{path}", key)


def test_a_body_is_read_up_to_the_limit_only(port: int) -> None:
    refused(f"http://pictures.example:{port}/a.png", "too_large", most=len(png()) - 1)
    assert fetcher().fetch(f"http://pictures.example:{port}/a.png", len(png())) == png()


def test_a_side_that_sends_a_byte_now_and_then_is_given_up(port: int) -> None:
    began = time.monotonic()
    refused(f"http://pictures.example:{port}/drip", "slow", made=fetcher(0.6))
    assert time.monotonic() - began < 5


def test_a_side_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://pictures.example:{silent.getsockname()[1]}/"
        refused(url, "slow", made=fetcher(0.5))
    refused(url, "unreachable")


def test_a_chat_may_name_an_image_where_that_is_allowed(port: int, tmp_path: Path) -> None:
    def asked(url: str) -> dict:
        part = {"type": "image_url", "image_url": {"url": url}}
        return {"model": "one", "messages": [{"role": "user", "content": [part]}]}

    settings = replace(own_models(tmp_path), remote_images=True)
    with serving(settings, fetcher()) as server:

        def post(path: str) -> httpx.Response:
            body = asked(f"http://pictures.example:{port}/{path}")
            return httpx.post(f"{server.base}/chat/completions", json=body, timeout=30)

        answer = post("a.png")
        assert answer.status_code == 200, answer.text
        (run,) = server.arena.store.comparison(answer.json()["id"].removeprefix("chatcmpl-"))
        assert (run.image_width, run.image_height) == (90, 60)
        for path in ("page", "gone"):
            assert post(path).status_code == 400
