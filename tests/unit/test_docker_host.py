"""Where the Docker Engine is, by real sockets: one that listens, one that its program left behind, none."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.cancel import Cancel
from arena.errors import RunError
from arena.runtimes import docker_host as module
from arena.runtimes.containers import make_room
from arena.runtimes.docker_host import Host, docker_host
from arena.runtimes.engine import Engine


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The two usual places of the socket; nothing is there."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    places = tmp_path / "root.sock", tmp_path / "user.sock"
    monkeypatch.setattr(module, "SOCKETS", tuple(map(str, places)))
    return places


@pytest.fixture
def listening(usual: tuple[Path, Path]) -> Iterator[Path]:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(usual[1]))
        door.listen()
        yield usual[1]


def refused(key: str) -> None:
    with pytest.raises(RunError) as told:
        Engine()
    assert (told.value.kind, told.value.key) == ("unavailable", key)


def left_behind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))


@pytest.mark.battery("D1")
def test_no_socket_is_no_engine(usual: tuple[Path, Path]) -> None:
    assert docker_host().state == "none"
    refused("vllm.docker_none")


@pytest.mark.battery("D1")
def test_a_socket_that_its_engine_left_behind_is_no_engine(usual: tuple[Path, Path]) -> None:
    left_behind(usual[0])
    assert docker_host() == Host(f"unix://{usual[0]}", "silent")
    refused("vllm.docker_gone")


def test_the_socket_that_answers_is_taken(usual: tuple[Path, Path], listening: Path) -> None:
    left_behind(usual[0])
    assert docker_host() == Host(f"unix://{listening}", "open") and docker_host().there


@pytest.mark.battery("D1")
def test_a_socket_that_is_closed_to_the_user(listening: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root, to whom all is open
    assert docker_host().state == "closed"
    refused("vllm.docker_closed")


def test_what_was_told_goes_before_the_usual(listening: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")
    assert docker_host() == Host("tcp://127.0.0.1:2375", "open")


def test_a_model_needs_no_engine_to_have_the_gpu(usual: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    left_behind(usual[0])
    assert list(make_room(Cancel())) == []
    with socket.create_server(("127.0.0.1", 0)) as ended:
        port = ended.getsockname()[1]
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")  # found out only by asking
    for _ in make_room(Cancel()):
        pass


@pytest.mark.parametrize("told", [True, False])
def test_an_engine_that_is_not_there_is_told_with_its_address(usual, monkeypatch, told: bool) -> None:
    left_behind(usual[0])
    if told:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{usual[1]}")
    with pytest.raises(RunError) as gone:
        Engine()
    assert gone.value.key == "vllm.docker_gone" and str(usual[told]) in gone.value.text()
