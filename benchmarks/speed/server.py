"""Our server against ``transformers serve``, on the same tiny checkpoint: first token of a stream, answers per second.

Both answer the same chat about the same image, warm, each in a process of its own, by turns, so that a machine that
slows down slows both. Every request has an image nobody has seen before: decoding it is part of the work. On one thread
of the processor each, for threads that wait for each other would drown the difference.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import importlib
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from benchmarks.speed.rows import Row, paired

SHAPE = {"num_hidden_layers": 28, "intermediate_size": 1024}  # as many layers as Qwen2-VL 2B
TOKENS, REPEATS, BATCH = 16, 7, 5
PROMPT = "Read it."
ROOT = Path(__file__).parent.parent.parent


def measure() -> list[Row]:
    if not find_spec("transformers"):
        return [Row("server / transformers serve: first token", "<= 1.0", detail="transformers is not installed")]
    tiny = importlib.import_module("tests.tiny")
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = str(tiny.qwen2_vl(Path(folder) / "weights", **SHAPE))
        home = Path(folder) / "home"
        home.mkdir()
        entry = {
            "adapter": "transformers_chat",
            "source": checkpoint,
            "modes": {"transformers": {}},
            "tasks": ["question"],
        }
        (home / "models.yaml").write_text(json.dumps({"models": {"bench": {**entry, "licence": "-"}}}))
        with ours(home) as our_port, theirs(checkpoint) as their_port:
            ways = (ask(our_port, "bench"), ask(their_port, checkpoint))
            if ways[0](0)[1][:8] != ways[1](0)[1][:8]:  # the other one leaves out a letter that is broken at the end
                raise AssertionError("the two servers give different texts")
            first: tuple[list[float], list[float]] = ([], [])
            whole: tuple[list[float], list[float]] = ([], [])
            for number in range(1, REPEATS + 1):
                for way, firsts, wholes in zip(ways, first, whole, strict=True):
                    firsts.append(min(way(10 * number + each)[0] for each in range(3)))
                    start = time.perf_counter()
                    for each in range(BATCH):
                        way(1000 * number + each)
                    wholes.append(BATCH / (time.perf_counter() - start))
    name = "server / transformers serve"
    return [
        paired(f"{name}: first token", "<= 1.0", first),
        paired(f"{name}: requests per second", ">= 1.0", whole, shown=lambda value: f"{value:.2f}/s"),
    ]


def ask(port: int, model: str) -> Callable[[int], tuple[float, str]]:
    """One streamed chat about an image of its own, over a new connection: seconds to the first text, and the text."""

    def asked(number: int) -> tuple[float, str]:
        content = [{"type": "image_url", "image_url": {"url": picture(number)}}, {"type": "text", "text": PROMPT}]
        body = {
            "model": model,
            "messages": [{"role": "user", "content": content}],
            "stream": True,
            "max_tokens": TOKENS,
            "temperature": 0,
        }
        first, said = 0.0, ""
        start = time.perf_counter()
        server = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        server.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        for line in server.getresponse():
            if not line.startswith(b"data: {"):
                continue
            chunk = json.loads(line.removeprefix(b"data: "))
            text = chunk["choices"][0]["delta"].get("content") if chunk.get("choices") else None
            if text:
                first = first or time.perf_counter() - start
                said += text
        server.close()
        return first, said

    return asked


def picture(number: int) -> str:
    """A page of text that differs from all others in one number, as a data URL."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (400, 300), "white")
    ImageDraw.Draw(image).text((30, 100), f"Receipt {number}", fill="black", font_size=48)
    out = io.BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


@contextlib.contextmanager
def ours(home: Path) -> Iterator[int]:
    """The application as it is started, page and all."""
    more = {"ARENA_HOME": str(home), "ARENA_IDLE_UNLOAD": "0"}
    with started(lambda port: [sys.executable, "app.py", "--port", str(port)], more) as port:
        yield port


@contextlib.contextmanager
def theirs(checkpoint: str) -> Iterator[int]:
    command = [str(Path(sys.executable).parent / "transformers"), "serve", checkpoint, "--device", "cpu"]
    with started(
        lambda port: [*command, "--host", "127.0.0.1", "--port", str(port), "--log-level", "error"], {}
    ) as port:
        yield port


@contextlib.contextmanager
def started(command: Callable[[int], list[str]], more: dict[str, str]) -> Iterator[int]:
    """A server on a free port, once it is healthy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **more}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command(port), cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 180
            while True:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                    break
                time.sleep(0.2)
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(log.read().decode("utf-8", "replace")[-2000:])
            yield port
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
