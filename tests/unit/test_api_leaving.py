"""Clients that leave, wherever their answer is, and clients that stay and take nothing: the device is free again."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from arena import server as web
from tests.serving import Serving, own_models, serving
from tests.unit.test_api_chat import asking

ENDLESS = "tokens=1000000 delay=0.01"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Serving]:
    """Whoever waits for the model `slow` waits longer than the tests do."""
    with serving(own_models(folder, slow={"options": {"load_delay": 600}})) as running:
        yield running


def request(server: Serving, model: str, prompt: str, stream: bool, most_buffered: int = 0) -> socket.socket:
    """A question on its way; nothing of the answer is read."""
    body = json.dumps({"model": model, "messages": asking(prompt), "stream": stream}).encode()
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.socket()
    if most_buffered:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, most_buffered)
    connection.connect((host, int(port)))
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def state(server: Serving) -> dict[str, object]:
    return next(iter(server.arena.slots.status()), {})


@pytest.mark.battery("A18")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("phase", ["queued", "loading", "before the first token", "amid the answer"])
def test_whoever_leaves_frees_the_device(server: Serving, folder: Path, phase: str, stream: bool) -> None:
    """At once, not when the answer, or the load, would have ended; and the next one is answered."""

    def noted(what: str) -> int:
        return (folder / "record.txt").read_text().count(what)

    before, predicted, midway = server.runs(), noted("predict"), noted("midway")
    model, prompt = {
        "queued": ("three", "tokens=2"),
        "loading": ("slow", "tokens=2"),
        "before the first token": ("two", "tokens=5 delay=600"),
        "amid the answer": ("two", ENDLESS),
    }[phase]
    holder = None
    if phase == "queued":
        holder = request(server, "two", ENDLESS, True)
        until(lambda: noted("midway") > midway)
    with request(server, model, prompt, stream):
        if phase == "queued":
            until(lambda: state(server)["waiting"] == 1)
        elif phase == "loading":
            until(lambda: state(server).get("state") == "starting")
        elif phase == "before the first token":
            until(lambda: noted("predict") > predicted)
        else:
            until(lambda: noted("midway") > midway)
    if holder:
        until(lambda: state(server)["waiting"] == 0)
        assert state(server)["busy"] and server.newest(before).model == "three", "the one who was served goes on"
        holder.close()
        before += 1
    assert server.free_again()
    newest = server.newest(before)
    assert (newest.model, newest.status) == ("two" if holder else model, "cancelled")
    assert bool(newest.text) == (phase in ("amid the answer", "queued"))
    body = {"model": model if phase != "loading" else "one", "messages": asking("tokens=2")}
    assert httpx.post(f"{server.base}/chat/completions", json=body, timeout=30).status_code == 200


@pytest.mark.battery("A19")
def test_a_reader_who_takes_nothing_holds_no_device(server: Serving) -> None:
    """The run goes on to its end and is kept; whoever asks next need not wait for the one who does not read."""
    before = server.runs()
    with request(server, "one", "tokens=3000", True, 4096):
        newest = server.newest(before, seconds=60)
        assert (newest.status, newest.output_tokens) == ("ok", 3000) and server.free_again()
        body = {"model": "two", "messages": asking("tokens=2")}
        assert httpx.post(f"{server.base}/chat/completions", json=body, timeout=30).status_code == 200


@pytest.mark.battery("A19")
def test_a_reader_who_takes_nothing_for_long_has_left(tmp_path: Path, monkeypatch) -> None:
    """Though he keeps the connection open: it is cut, and an answer without an end is stopped."""
    monkeypatch.setattr(web, "SILENT_S", 1)
    with serving(own_models(tmp_path)) as server, request(server, "one", "tokens=100000000", True, 4096):
        assert server.newest(0, seconds=60).status == "cancelled" and server.free_again()


@pytest.mark.battery("A19")
def test_a_connection_whose_other_side_vanished_is_found_out() -> None:
    """By the system, which asks for a sign of life: the pulled plug itself cannot be had in a test."""
    with web.listen("127.0.0.1", 0) as at, socket.create_connection(at.getsockname()), at.accept()[0] as accepted:
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        system = [socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_USER_TIMEOUT]
        idle, often, longest = [accepted.getsockopt(socket.IPPROTO_TCP, name) for name in system]
    assert idle + often < web.SILENT_S == longest / 1000
