"""Warm decoders: quick, one file each, ended when late, and back again whatever happened to their parent."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import resource
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from PIL import Image

from arena.decoders import Decoders, Late
from arena.images import ImageStore


def png(number: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60 + number, 50), "white").save(out, "PNG")
    return out.getvalue()


def every_child() -> set[int]:
    return {child.pid for child in psutil.Process().children() if "arena.decoders" in " ".join(child.cmdline())}


@pytest.fixture(autouse=True)
def before() -> Iterator[None]:
    """Parents of other tests' stores, which may still wait for the collector of garbage."""
    OTHERS.update(every_child())
    yield
    OTHERS.clear()


OTHERS: set[int] = set()


def children() -> set[int]:
    return every_child() - OTHERS


def parent_of(decoders: Decoders) -> int:
    (pid,) = children()
    return pid


def ask(decoders: Decoders, data: bytes, out: Path, seconds: float = 20) -> tuple[bytes, int]:
    return decoders.ask({"page": 1, "max_pixels": 10**7, "out": str(out), "seconds": seconds}, data, seconds)


def test_a_parent_that_was_ended_comes_back(tmp_path: Path) -> None:
    decoders = Decoders(1)
    try:
        assert b'"width": 61' in ask(decoders, png(1), tmp_path / "a")[0]
        first = parent_of(decoders)
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        assert b'"width": 62' in ask(decoders, png(2), tmp_path / "b")[0]
        assert parent_of(decoders) != first
    finally:
        decoders.close()
    assert children() == set()


def test_a_late_decoder_is_ended_and_the_next_one_is_not_disturbed(tmp_path: Path) -> None:
    decoders = Decoders(1)
    try:
        fifo = tmp_path / "fifo"  # whoever writes into it waits for a reader
        os.mkfifo(fifo)
        assert ask(decoders, png(1), tmp_path / "a")
        parent = parent_of(decoders)
        deadline = time.monotonic() + 20
        while not (waiting := psutil.Process(parent).children()) and time.monotonic() < deadline:
            time.sleep(0.01)  # until one is there for the next file
        with pytest.raises(Late):
            ask(decoders, png(2), fifo, seconds=0.5)
        assert waiting and not any(psutil.pid_exists(child.pid) for child in waiting)
        assert b'"width": 63' in ask(decoders, png(3), tmp_path / "b")[0]
        assert parent_of(decoders) == parent
    finally:
        decoders.close()


@pytest.mark.battery("I20")
def test_a_program_with_a_thousand_files_open_still_decodes(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    decoders = Decoders(1)
    with contextlib.ExitStack() as held:
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        held.callback(decoders.close)
        for _ in range(1_100):
            held.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        assert b'"width": 61' in ask(decoders, png(1), tmp_path / "a")[0]
        parent = parent_of(decoders)
        assert b'"width": 62' in ask(decoders, png(2), tmp_path / "b")[0]
        assert parent_of(decoders) == parent


def test_many_threads_share_two(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    with ThreadPoolExecutor(12) as threads:
        widths = [added.result(60).width for added in [threads.submit(store.add, png(n)) for n in range(12)]]
    assert widths == [60 + number for number in range(12)]
    assert 1 <= len(children()) <= 2
    del store
    gc.collect()
    deadline = time.monotonic() + 5
    while children() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert children() == set(), "a store nobody has any more leaves no process behind"
