"""A real vLLM with a tiny random Qwen2-VL: started as a process here, in a container by the arena."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from PIL import Image, ImageDraw

from tests import tiny

ROOT = Path(__file__).parent.parent.parent
SHIM = Path(__file__).parent / "shim"
# About this page each step of the answer is far from a tie, so that rounding decides nothing.
QUESTION = "What colour is it?"
PATIENCE = 600  # seconds; a small machine takes one to four minutes to start vLLM
SIZE = {"shortest_edge": 3136, "longest_edge": 50176}  # pixels
OPTIONS = {"family": "qwen2_vl", "image_processor": {"size": SIZE}}
CPU = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "HF_HUB_OFFLINE": "1"}


def environment_folder() -> Path:
    return Path(os.environ.get("ARENA_TEST_VLLM") or ROOT / ".venv-vllm")


@pytest.fixture(scope="session")
def venv() -> Path:
    """The environment that vLLM is installed in."""
    folder = environment_folder()
    if not (folder / "bin" / "python").exists():
        pytest.skip(f"there is no vLLM in {folder}; `make test-vllm` installs it (2 GB)")
    return folder


@pytest.fixture(scope="session")
def weights() -> Path:
    return tiny.built(tiny.qwen2_vl)


def page(folder: Path) -> Path:
    """A white page with a black bar."""
    image = Image.new("RGB", (420, 280), "white")
    ImageDraw.Draw(image).rectangle((40, 60, 300, 120), fill="black")
    image.save(folder / "page.png")
    return folder / "page.png"


def agree(own: str, served: str) -> bool:
    """Whether two answers are the same, but for what follows half a letter near the end: random weights leave some
    there, and vLLM waits for the other half and gives out nothing more."""
    rest = own.removeprefix(served)
    return bool(own) and (own == served or (rest != own and rest[0] == "\ufffd" and len(rest) < 8))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Server:
    """vLLM as a process of this machine. seconds: what its start took."""

    def __init__(self, venv: Path, weights: Path) -> None:
        self.port = free_port()
        self.log = tempfile.TemporaryFile()  # noqa: SIM115
        command = [str(venv / "bin" / "python"), "-m", "vllm.entrypoints.openai.api_server", "--model", str(weights)]
        said = f"--host 127.0.0.1 --port {self.port} --served-model-name tiny --enforce-eager --max-model-len 1024"
        told = ["--dtype", "float32", "--trust-request-mm-kwargs", "--api-key", "a-key"]
        started = time.monotonic()
        self.process = subprocess.Popen(
            [*command, *said.split(), *told],
            env=os.environ | CPU | {"PYTHONPATH": str(SHIM), "VLLM_NO_USAGE_STATS": "1"},
            stdout=self.log,
            stderr=subprocess.STDOUT,
            cwd=tempfile.gettempdir(),
            start_new_session=True,
        )
        while not self.answers() and time.monotonic() - started < PATIENCE:
            if self.process.poll() is not None:
                self.log.seek(0)
                raise RuntimeError(self.log.read()[-3000:].decode("utf-8", "replace"))
            time.sleep(0.2)
        self.seconds = time.monotonic() - started

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def figure(self, name: str) -> float:
        """A figure of its metrics."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.log.close()


@pytest.fixture(scope="session")
def server(venv: Path, weights: Path) -> Iterator[Server]:
    started = Server(venv, weights)
    print(f"\nvLLM as a process: answers after {started.seconds:.0f} s")
    yield started
    started.stop()
