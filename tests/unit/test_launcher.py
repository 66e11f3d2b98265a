"""The menu in a real terminal, and the same without one: what is recommended, what a choice does, how it ends."""

from __future__ import annotations

import json
import os
import pty
import select
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from arena.cli import main
from arena.config import load_settings
from arena.core import arena_of
from arena.runtimes.process import ROOT

pytest_plugins = ("nvml",)


# What makes a pseudo-terminal the one that Ctrl-C is typed at.
OWN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


class Terminal:
    """A command in a pseudo-terminal of its own, as somebody sits before it."""

    def __init__(self, *arguments: str, **environ: str) -> None:
        self._descriptor, theirs = pty.openpty()
        command = [sys.executable, "-c", OWN, sys.executable, "-m", "arena", *arguments]
        streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        self.process = subprocess.Popen(command, **streams, cwd=ROOT, env=os.environ | environ, start_new_session=True)
        os.close(theirs)
        self.seen = ""
        self._read_to = 0

    def until(self, text: str, seconds: float = 60) -> str:
        """What was written since the last time, up to and with `text`."""
        deadline = time.monotonic() + seconds
        while text not in self.seen[self._read_to :]:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} did not come:\n{self.seen}"
            if select.select([self._descriptor], [], [], left)[0]:
                self.seen += os.read(self._descriptor, 1 << 16).decode("utf-8", "replace")
        start, self._read_to = self._read_to, self.seen.index(text, self._read_to) + len(text)
        return self.seen[start : self._read_to]

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def ends(self) -> int:
        """Its exit code. What it still writes is read, lest it wait for that."""
        try:
            while os.read(self._descriptor, 1 << 16):
                pass
        except OSError:  # the other end is closed
            pass
        return self.process.wait(20)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._descriptor)


@pytest.fixture
def environ(tmp_path, monkeypatch) -> dict[str, str]:
    """A machine without Docker, in English."""
    told = {
        "ARENA_HOME": str(tmp_path / "home"),
        "DOCKER_HOST": f"unix://{tmp_path}/absent.sock",
        "LC_ALL": "en_US.UTF-8",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return told


@pytest.fixture
def terminal(environ) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str, **more: str) -> Terminal:
        started.append(Terminal(*arguments, **environ | more))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_the_menu_tells_the_machine_does_what_is_chosen_and_quits(terminal):
    menu = terminal("launch")
    said = menu.until("What shall it be?")
    assert "Memory:" in said and "embedded engines" in said and "got_ocr_hf" in said
    menu.type("9\n")
    menu.until("9 is not among the numbers.")
    menu.until("What shall it be?")
    menu.type("5\n")
    assert "No NVIDIA GPU." in menu.until("What shall it be?")
    menu.type("8\n")
    menu.until("What shall it be?")
    menu.type("6\n")
    assert "Bring up a model" in menu.until("What shall it be?")
    menu.type("0\n")
    assert "Check this machine" in menu.until("What shall it be?")
    menu.type("0\n")
    assert menu.ends() == 0


def test_a_model_is_chosen_by_its_number(terminal):
    menu = terminal("launch")
    menu.until("What shall it be?")
    menu.type("4\n")
    listed = menu.until("Number or id of the model")
    assert "qwen3_vl_2b" in listed and "rapidocr" not in listed
    menu.type("2\n")
    # No network here: the model is named, and the refusal leads back to the menu.
    assert "Qwen/Qwen2-VL-2B-Instruct" in menu.until("What shall it be?")
    menu.type("4\n")
    menu.until("Number or id of the model")
    menu.type("\n")
    menu.until("What shall it be?")
    menu.type("\x04")
    assert menu.ends() == 0


def test_the_menu_speaks_russian(terminal):
    menu = terminal("launch", LC_ALL="ru_RU.UTF-8")
    said = menu.until("Что выбираете?")
    assert "Открыть страницу в рекомендуемом режиме: transformers" in said and "видеокарты нет" in said
    menu.type("0\n")
    assert menu.ends() == 0


def test_the_page_opens_from_the_menu_and_ctrl_c_leads_back(terminal):
    menu = terminal("launch", "--port", "0")
    menu.until("What shall it be?")
    menu.type("1\n")
    menu.until("http://localhost:")
    port = menu.until("/").rstrip("/")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "ok"
    menu.type("\x03")
    menu.until("What shall it be?")
    menu.type("0\n")
    assert menu.ends() == 0


def test_in_a_script_it_asks_nothing(environ, capsys):
    assert main(["launch", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["mode"], told["choice"], told["docker"], told["gpus"]) == ("transformers", "no_gpu", False, [])
    assert told["models"][:2] == ["rapidocr", "tesseract"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["launch", "--yes", "--port", port]) == 1  # it went straight to the page, which wants that port
    assert port in capsys.readouterr().err


def test_without_a_terminal_the_flags_are_named(environ):
    command = [sys.executable, "-m", "arena", "launch"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, cwd=ROOT, text=True, timeout=60)
    assert done.returncode == 2 and "--yes" in done.stderr


def test_what_is_recommended_follows_the_gpu(environ, capsys, nvml):
    nvml.write("gpu total=8192 used=700 name=Card uuid=GPU-a")
    assert main(["launch", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["gpus"] == [{"name": "Card", "uuid": "GPU-a", "total_mb": 8192, "used_mb": 700}]
    assert told["choice"] == "both_no_docker" and told["mode"] == "transformers"


@pytest.mark.parametrize(
    ("mode", "card", "docker", "started"),
    [
        ("", 12288, True, "transformers"),
        ("transformers", 12288, True, "transformers"),
        ("vllm", 4096, False, "vllm"),
        ("auto", 12288, True, "vllm"),
        ("auto", 12288, False, "transformers"),
        ("auto", 8192, True, "transformers"),
        ("auto", 0, True, "transformers"),
    ],
)
def test_models_start_in_the_mode_that_was_asked_for(tmp_path, monkeypatch, nvml, mode, card, docker, started):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1" if docker else "unix:///absent.sock")
    if card:
        nvml.write(f"gpu total={card} used=300 name=Card uuid=GPU-a")
    with arena_of(load_settings({"ARENA_HOME": str(tmp_path), "ARENA_MODE": mode})) as arena:
        assert arena.catalog.find("qwen3_vl_2b").mode == started
        assert arena.catalog.find("got_ocr_hf").mode == "transformers"  # it has no other
        assert arena.catalog.find("rapidocr").mode == "embedded"
        assert arena.catalog.find("qwen3_vl_2b:transformers").mode == "transformers"


@pytest.mark.parametrize("mode", ["transformers", "vllm"])
@pytest.mark.parametrize("card", [0, 6144, 24576])
def test_the_page_offers_the_mode_that_was_asked_for_whatever_suits(tmp_path, monkeypatch, nvml, mode, card):
    from arena.ui.variant import usual

    monkeypatch.setenv("DOCKER_HOST", "unix:///absent.sock")
    if card:
        nvml.write(f"gpu total={card} used=300 name=Card uuid=GPU-a")
    with arena_of(load_settings({"ARENA_HOME": str(tmp_path), "ARENA_MODE": mode})) as arena:
        assert usual(arena, arena.catalog.models["qwen3_vl_2b"]).spec.mode == mode
        assert usual(arena, arena.catalog.models["got_ocr_hf"]).spec.mode == "transformers"


def test_a_mode_that_is_none_is_refused_at_the_start(environ, capsys, monkeypatch):
    monkeypatch.setenv("ARENA_MODE", "fast")
    assert main(["models"]) == 1
    assert "ARENA_MODE='fast'" in capsys.readouterr().err
