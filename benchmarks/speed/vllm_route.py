"""`compare()` with a real vLLM behind it against calling that vLLM in one's own script with the official client.

Runs where vLLM for CPUs is installed (`make test-vllm` does that); it serves a tiny random Qwen2-VL meanwhile.
"""

from __future__ import annotations

import base64
import importlib
import os
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import arena_of
from arena.spec import EndpointSpec, Mode, ModelSpec
from arena.types import Run
from benchmarks.speed.rows import Row, same_answer

SAMPLE = Path(__file__).parent.parent.parent / "assets" / "samples" / "receipt.jpg"
NAME, GOAL = "compare() with vLLM / vLLM directly", "<= 1.05"
TOKENS, REPEATS = 256, 15
PROMPT = "Read it."
KEY, VARIABLE = "a-key", "ARENA_BENCH_KEY"


def measure() -> Row:
    vllm, tiny = importlib.import_module("tests.vllm.conftest"), importlib.import_module("tests.tiny")
    venv = vllm.environment_folder()
    if not (venv / "bin" / "python").exists():
        return Row(NAME, GOAL, detail="vLLM is not installed; make test-vllm does that")
    with tempfile.TemporaryDirectory() as folder:
        server = vllm.Server(venv, tiny.qwen2_vl(Path(folder) / "weights"))
        os.environ[VARIABLE] = KEY
        try:
            with arena_of(load_settings({"ARENA_HOME": str(Path(folder) / "home")})) as arena:
                image = arena.images.add(SAMPLE)
                place = EndpointSpec(server.url, "tiny", VARIABLE)
                mode = Mode("endpoint", adapter="openai_chat", endpoint=place)
                spec = ModelSpec("tiny", "Tiny", "openai_chat", "", modes=(mode,), mode="endpoint")
                side = Side(spec, {"max_new_tokens": TOKENS})
                request = Request((side,), image, arena.catalog.task("question"), PROMPT)

                def through_us() -> str:
                    run = next(event for event in compare(arena, request) if isinstance(event, Run))
                    if run.status not in ("ok", "truncated", "loop"):
                        raise RuntimeError(run.error_detail)
                    return run.text

                return same_answer(NAME, GOAL, REPEATS, through_us, script(server.url, image.path), f"{TOKENS} tokens")
        finally:
            server.stop()
            del os.environ[VARIABLE]


def script(url: str, image: Path) -> Callable[[], str]:
    """What one writes without this program."""
    from openai import OpenAI

    client: Any = OpenAI(base_url=url, api_key=KEY)

    def answer() -> str:
        data = base64.b64encode(image.read_bytes()).decode()
        content = [
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
            {"type": "text", "text": PROMPT},
        ]
        stream = client.chat.completions.create(
            model="tiny",
            messages=[{"role": "user", "content": content}],
            max_tokens=TOKENS,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
        said = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
        return unicodedata.normalize("NFC", "".join(said))

    return answer
