"""The public link, with a stand-in for the one part that needs the internet: the framework's tunnel process."""

from __future__ import annotations

import re
import socket
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from gradio import networking, tunneling

from arena.cli_public import telling
from arena.config import Settings, load_settings
from arena.errors import ConfigError
from arena.passwords import hashed
from arena.public import link as link_module
from arena.public.link import LASTS, Link, State
from arena.public.opening import KEPT_DAYS, checked
from arena.strings import LANGUAGES, tr
from arena.ui.kept_banner import banner

# Called as the framework calls its own: forwards a port of its own to the page's and says its address. It ends, or lets
# nothing through, when told by a file.
STAND_IN = """
import pathlib, socket, sys, threading, time
folder, arguments = pathlib.Path(__file__).parent, sys.argv[1:]
port = int(arguments[arguments.index("-l") + 1])
if (folder / "refuse").exists():
    print("login to server failed: no", flush=True)
    time.sleep(60)
listener = socket.create_server(("127.0.0.1", 0))
def pump(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass
def serve():
    while True:
        client, _ = listener.accept()
        if (folder / "deaf").exists():
            client.close()
            continue
        page = socket.create_connection(("127.0.0.1", port))
        for pair in ((client, page), (page, client)):
            threading.Thread(target=pump, args=pair, daemon=True).start()
threading.Thread(target=serve, daemon=True).start()
print(f"start proxy success: http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
while not (folder / "die").exists():
    print("x" * 1000, flush=True)  # more than a pipe holds, were nobody to read it
    time.sleep(0.01)
(folder / "die").unlink()
"""


@pytest.fixture
def page() -> Iterator[int]:
    """A page that says that it is well; its port."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "ok"}')

        def log_message(self, *said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def frpc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stand-in; looks and tries follow each other quickly."""
    program = tmp_path / "frpc"
    program.write_text(f"#!{sys.executable}\n{textwrap.dedent(STAND_IN)}")
    program.chmod(0o755)
    monkeypatch.setattr(tunneling, "BINARY_PATH", str(program))
    monkeypatch.setattr(networking, "GRADIO_SHARE_SERVER_ADDRESS", "127.0.0.1:9")
    monkeypatch.setattr(networking, "CERTIFICATE_PATH", networking.CERTIFICATE_PATH)
    monkeypatch.setattr(link_module, "LOOK_S", 0.05)
    monkeypatch.setattr(link_module, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(link_module, "LONGEST_WAIT_S", 0.1)
    return tmp_path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"ARENA_HOME": str(tmp_path / "home"), "ARENA_SHARE": "1", "ARENA_PASSWORD": "open sesame"})


class Watched:
    """A link that is kept open, and everything told of it."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.link, self.told = Link(settings), list[State]()
        self.link.start(port, self.told.append)

    def until(self, *conditions: str) -> list[State]:
        """What was told, once these have come in this order."""
        deadline = time.monotonic() + 20
        while [state.condition for state in self.told][: len(conditions)] != list(conditions):
            assert time.monotonic() < deadline, self.told
            time.sleep(0.01)
        return self.told


@pytest.fixture
def watched(settings: Settings, page: int, frpc: Path) -> Iterator[Watched]:
    watched = Watched(settings, page)
    yield watched
    watched.link.close()


def test_a_link_is_opened_and_says_until_when(watched: Watched) -> None:
    (state,) = watched.until("open")
    assert link_module.answers(state.url), "the page is found behind it"
    assert state.until and abs(state.until - datetime.now(UTC) - LASTS) < timedelta(minutes=1)
    watched.link.close()
    assert not link_module.answers(state.url), "closed with the program"
    assert [each.condition for each in watched.told] == ["open"]


def test_a_link_whose_process_ends_is_noticed_and_opened_anew(watched: Watched, frpc: Path) -> None:
    (first,) = watched.until("open")
    (frpc / "die").touch()
    states = watched.until("open", "dead", "open")
    assert states[1].url == first.url != states[2].url
    assert link_module.answers(states[2].url)


def test_a_link_that_lets_nothing_through_is_noticed(watched: Watched, frpc: Path) -> None:
    watched.until("open")
    (frpc / "deaf").touch()
    watched.until("open", "dead", "open", "dead")
    (frpc / "deaf").unlink()
    deadline = time.monotonic() + 20
    while watched.link.state.condition != "open" or not link_module.answers(watched.link.state.url):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_link_is_renewed_when_its_time_is_up(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "LASTS", timedelta(seconds=0.3))
    watched.link.close()
    again = Watched(load_settings({"ARENA_HOME": str(watched.link._folder), "ARENA_SHARE": "1"}), 1)
    again.until("open", "dead", "open")
    again.link.close()


@pytest.mark.battery("W9")
def test_offline_there_is_no_link_and_it_is_said_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{shut.getsockname()[1]}"
        monkeypatch.setattr(networking, "GRADIO_API_SERVER", address)
        monkeypatch.setattr(networking, "CERTIFICATE_PATH", networking.CERTIFICATE_PATH)
        monkeypatch.setattr(link_module, "FIRST_WAIT_S", 0.01)
        monkeypatch.setattr(link_module, "LONGEST_WAIT_S", 0.01)
        watched = Watched(settings, 1)
        watched.until("none")
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            assert [state.condition for state in watched.told] == ["none"], "once, not with every try"
        watched.link.close()


def test_a_service_that_refuses_is_none(
    settings: Settings, page: int, frpc: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (frpc / "refuse").touch()
    watched = Watched(settings, page)
    watched.until("none")
    (frpc / "refuse").unlink()
    watched.until("none", "open")
    watched.link.close()


@pytest.mark.battery("W9")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_terminal_and_the_page_say_the_same(lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    until = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    for condition in ("opening", "open", "dead", "none"):
        state = State(condition, "https://abc.example", until)  # type: ignore[arg-type]
        telling(lang)(state)
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "{" not in said
        shown = banner("f" * 16, 7, state, lang, entered=True)
        assert re.search(r"\[\w+\]", shown) is None
        if condition in ("open", "dead"):
            assert "https://abc.example" in said and "https://abc.example" in shown
        if condition == "open":
            assert "2026-05-01 12:30 UTC" in said and 'datetime="2026-05-01T12:30:00Z"' in shown
    assert 'role="status"' not in banner("", 0, State("off"), lang, entered=False)


def test_a_link_without_a_password_is_refused_with_what_to_do(settings: Settings) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(replace(settings, password=""))
    for lang in LANGUAGES:
        assert tr("public.no_password", lang) in caught.value.text(lang) and "ARENA_PASSWORD" in caught.value.text(lang)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"password": "secret"}, "short.password"),
        ({"teacher_password": "chalk"}, "short.teacher"),
        ({"password": hashed("open sesame")[:-4]}, "not_a_hash.password"),
        ({"teacher_password": "scrypt:1"}, "not_a_hash.teacher"),
    ],
)
def test_what_is_no_good_password_is_told(settings: Settings, given: dict[str, str], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(replace(settings, **given))  # type: ignore[arg-type]
    for lang in LANGUAGES:
        assert tr(f"public.{key}", lang, least=8) in caught.value.text(lang)


def test_asking_for_a_link_sets_what_belongs_to_it(settings: Settings) -> None:
    alone = replace(settings, share=False, keep_days=0.0)
    assert checked(alone) == alone
    assert checked(alone, share=True, days_set=False) == replace(settings, keep_days=KEPT_DAYS)
    assert checked(alone, share=True).keep_days == 0
    assert checked(replace(settings, password=hashed("short"))), "what a hash is of is not known"
