"""From the start of the program to its first page, against an empty application of the same framework."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.speed.rows import Row, paired

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 5
GOAL = "<= 1.5"
SLOWEST = 120.0  # seconds; a start that takes longer has failed
EMPTY = """
import sys
import gradio as gr
with gr.Blocks() as page:
    pass
page.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def first_page(command: list[str], home: Path) -> float:
    """Seconds until the program that `command` starts, with a port as its last argument, has served its page."""
    port = free_port()
    environ = {**os.environ, "ARENA_HOME": str(home), "GRADIO_ANALYTICS_ENABLED": "False", "NO_PROXY": "127.0.0.1"}
    began = time.perf_counter()
    with subprocess.Popen(
        [*command, str(port)], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            while True:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=SLOWEST) as page:
                        page.read()
                    return time.perf_counter() - began
                except OSError:
                    if process.poll() is not None or time.perf_counter() - began > SLOWEST:
                        raise RuntimeError(f"{command[1]} did not start") from None
                    time.sleep(0.01)
        finally:
            process.terminate()


def measure() -> Row:
    """The two are started in turn, so that a busy moment of the machine meets both.

    Before that each is started once, for the files that the system then has in memory and for our database.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        commands = {"ours": [sys.executable, "app.py", "--port"], "empty": [sys.executable, "-c", EMPTY]}
        times: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(ROUNDS + 1):
            for name, command in commands.items():
                seconds = first_page(command, home)
                if turn:
                    times[name].append(seconds)
    return paired("page start / empty Gradio app", GOAL, (times["ours"], times["empty"]), note="to the first page")
