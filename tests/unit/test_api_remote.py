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
from tests.serving import Serving, own_models, serving


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (90, 60), "white").save(out, "PNG")
    return out.getvalue()


class Elsewhere(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[str] = []  # noqa: RUF012 - the server makes a handler a request
    sent = 0  # bytes of the last body, as far as they were taken

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
        elif self.path == "/bomb":
            headers, body = {"Content-Encoding": "gzip", "Content-Type": "image/png"}, gzip.compress(bytes(10**7))
        elif self.path == "/huge":
            headers = {"Content-Length": str(10**10)}
        elif self.path == "/page":
            headers, body = {"Content-Type": "text/html"}, b"<h1>not an image</h1>"
        elif self.path == "/short":
            headers = {"Content-Length": str(len(body) + 10), "Connection": "close"}
        self.send_response(status)
        if self.path in ("/endless", "/drip"):
            self.close_connection = True
        else:
            headers = {"Content-Length": str(len(body))} | headers
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        Elsewhere.sent = 0
        try:
            for piece in {"/drip": drops(), "/endless": iter(lambda: bytes(10**5), b"")}.get(self.path, [body]):
                self.wfile.write(piece)
                Elsewhere.sent += len(piece)
        except OSError:
            self.close_connection = True


def drops() -> Iterator[bytes]:
    """A byte now and then, without end."""
    while True:
        time.sleep(0.02)
        yield b"x"


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


@pytest.fixture
def nobody_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test when a connection is as much as tried, wherever to."""

    def dial(address: object, *_: object) -> None:
        raise AssertionError(f"{address} was dialled")

    monkeypatch.setattr(socket, "create_connection", dial)


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


@pytest.mark.battery("A1", "A2")
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


PRIVATE = [
    "127.0.0.1", "localhost", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]",
    "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.1", "0", "100.100.100.200", "192.0.0.192",
    "[2002:7f00:1::]", "[64:ff9b::7f00:1]",
]  # fmt: skip


@pytest.mark.battery("A1", "A2")
@pytest.mark.parametrize("host", PRIVATE)
def test_this_network_is_not_asked_however_it_is_written(nobody_dialled: None, host: str) -> None:
    for scheme in ("http", "https"):
        refused(f"{scheme}://{host}:1/a.png", "private", made=Fetcher())


@pytest.mark.battery("A3")
def test_every_address_of_a_name_must_be_public(port: int) -> None:
    refused(f"http://both.example:{port}/a.png", "private")
    refused(f"http://inside.example:{port}/a.png", "private")
    assert Elsewhere.asked == []


@pytest.mark.battery("A3")
def test_a_name_is_resolved_once_a_hop(port: int) -> None:
    """One that changes between two questions is asked about once, and that answer is what is connected to."""
    asked = []

    def changing(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    made = Fetcher(changing, lambda address: address == "127.0.0.1")
    assert made.fetch(f"http://pictures.example:{port}/a.png", 10**6) == png()
    assert asked == ["pictures.example"]
    asked.clear()
    Elsewhere.asked.clear()
    refused(f"http://pictures.example:{port}/to/|a.png", "private", made=made)
    assert asked == ["pictures.example"] * 2 and len(Elsewhere.asked) == 1, "the second hop was asked about anew"


@pytest.mark.battery("A5", "A6")
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://pictures.example/x", "gopher://pictures.example/x", "http://", "http:///x",
        "http://a\\@127.0.0.1/", "http://pictures.example\\@127.0.0.1/", "http://pictures.example/\tx",
        "http://127.0.\t0.1/", "http://127.0.0.1\r/", "http://127.0.0.1\n/", "\nhttp://pictures.example/",
        "//127.0.0.1/", "../a.png", "/etc/passwd", "http://127\u30020\u30020\u30021/",
        "http://pictures.example/\r\nHost: x", "",
        "x.png", "http://user:word@pictures.example/", "http://user@pictures.example/", "http://пример.рф/", "http://[::1",
        "http://pictures.example:99999/", "http://pictures.example:0/", "http://pictures.example/" + "x" * 5000,
    ],
)  # fmt: skip
def test_an_address_that_could_mean_two_things_is_refused(nobody_dialled: None, url: str) -> None:
    refused(url, "address")


@pytest.mark.battery("A5")
@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://@127.0.0.1/", "private"),
        ("http://127.0.0.1#@pictures.example/", "private"),
        ("http://127.0.0.1?@pictures.example/", "private"),
        ("http://127.0.0.1./", "unreachable"),
        ("http://localhost./", "unreachable"),
        ("http://%31%32%37.0.0.1/", "unreachable"),
        ("http://xn--e1afmkfd.example/", "unreachable"),
    ],
)
def test_who_is_meant_is_who_is_checked(nobody_dialled: None, url: str, key: str) -> None:
    def known(host: str, port: int) -> list[str]:
        """A final dot, a percent sign: no address to anybody, so it would have to be a name."""
        return here(host, port)

    refused(url, key, made=Fetcher(known))


@pytest.mark.battery("A5")
def test_a_name_with_a_final_dot_is_asked_by_it(port: int) -> None:
    made = Fetcher(lambda host, _: NAMES[host.rstrip(".")], lambda address: address == "127.0.0.1")
    assert made.fetch(f"HTTP://Pictures.Example.:{port}", 10**6) == png()
    assert Elsewhere.asked == [f"pictures.example.:{port}/"]


@pytest.mark.battery("A4")
def test_redirects_are_checked_like_the_first_address(port: int) -> None:
    start = f"http://pictures.example:{port}/to/"
    assert fetcher().fetch(f"{start}|a.png", 10**6) == png()
    Elsewhere.asked.clear()
    refused(f"{start}http:||inside.example:{port}|a.png", "private")
    refused(f"{start}file:|||etc|passwd", "address")
    assert len(Elsewhere.asked) == 2, "nobody but the first was asked"
    refused(f"http://pictures.example:{port}/again", "redirects")
    assert len(Elsewhere.asked) == 2 + 4


@pytest.mark.battery("A7")
@pytest.mark.parametrize(
    ("path", "key"),
    [("huge", "too_large"), ("gone", "status"), ("bomb", "encoded"), ("short", "unreachable")],
)
def test_what_does_not_deliver_is_refused(port: int, path: str, key: str) -> None:
    refused(f"http://pictures.example:{port}/{path}", key)


def test_a_body_is_read_up_to_the_limit_only(port: int) -> None:
    refused(f"http://pictures.example:{port}/a.png", "too_large", most=len(png()) - 1)
    assert fetcher().fetch(f"http://pictures.example:{port}/a.png", len(png())) == png()


@pytest.mark.battery("A7")
def test_a_body_without_an_end_is_left(port: int) -> None:
    """Little more is sent than was wanted: what fits into the buffers of the system on the way."""
    refused(f"http://pictures.example:{port}/endless", "too_large")
    assert Elsewhere.sent < 40 * 10**6


@pytest.mark.battery("A7")
def test_a_side_that_sends_a_byte_now_and_then_is_given_up(port: int) -> None:
    refused(f"http://pictures.example:{port}/drip", "slow", made=fetcher(0.5))


@pytest.mark.battery("A7")
@pytest.mark.parametrize(
    ("scheme", "begins"), [("http", b"HTTP/1.1 200 OK\r\nX: "), ("https", b"\x16\x03\x03\x40\x00")], ids=["head", "tls"]
)
def test_nor_does_it_help_to_be_slow_before_the_body(scheme: str, begins: bytes) -> None:
    """In the head of the answer, and in the first record of TLS, which is announced as 16 kB."""

    def drip() -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as connection:
            connection.sendall(begins)
            for drop in drops():
                connection.sendall(drop)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        dripping = threading.Thread(target=drip)
        dripping.start()
        refused(f"{scheme}://pictures.example:{listener.getsockname()[1]}/", "slow", made=fetcher(0.5))
        dripping.join(20)
        assert not dripping.is_alive(), "the connection was left open"


@pytest.mark.battery("A7")
def test_a_side_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://pictures.example:{silent.getsockname()[1]}/"
        refused(url, "slow", made=fetcher(0.5))
    refused(url, "unreachable")


def ask(server: Serving, url: str) -> httpx.Response:
    part = {"type": "image_url", "image_url": {"url": url}}
    body = {"model": "one", "messages": [{"role": "user", "content": [part]}]}
    return httpx.post(f"{server.base}/chat/completions", json=body, timeout=30)


@pytest.mark.battery("A1", "A2", "A6")
def test_a_chat_may_not_name_what_is_inside(port: int, tmp_path: Path) -> None:
    """Over HTTP, with images from elsewhere allowed, as the program fetches them."""
    with serving(replace(own_models(tmp_path), remote_images=True)) as server:
        urls = [f"http://{host}:{port}/a.png" for host in PRIVATE]
        for url in (*urls, "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "../a.png", ""):
            answer = ask(server, url)
            assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages"), url
        assert Elsewhere.asked == [] and server.runs() == 0


@pytest.mark.battery("A7")
def test_a_chat_may_name_an_image_where_that_is_allowed(port: int, tmp_path: Path) -> None:
    settings = replace(own_models(tmp_path), remote_images=True)
    with serving(settings, fetcher()) as server:

        def post(path: str) -> httpx.Response:
            return ask(server, f"http://pictures.example:{port}/{path}")

        answer = post("a.png")
        assert answer.status_code == 200, answer.text
        (run,) = server.arena.store.comparison(answer.json()["id"].removeprefix("chatcmpl-"))
        assert (run.image_width, run.image_height) == (90, 60)
        for path in ("page", "gone", "bomb"):
            assert post(path).status_code == 400
