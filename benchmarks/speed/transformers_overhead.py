"""An answer through the adapter against transformers called in one's own script: generation only, warm, greedy.

The model has the 28 layers of Qwen2-VL 2B, so a token takes about as many calls of Python as there, but narrow ones, so
that the measurement runs anywhere in a minute. On one thread of the processor: threads that wait for each other on a
busy machine would drown the difference.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from adapters.base import Job, Output, adapter_class
from arena.cancel import Cancel
from arena.runtimes.process import Interpreters
from benchmarks.speed.rows import Row, same_answer

SAMPLE = Path(__file__).parent.parent.parent / "assets" / "samples" / "receipt.jpg"
SHAPE = {"num_hidden_layers": 28, "intermediate_size": 1024}
TOKENS, REPEATS, GOAL = 48, 7, "<= 1.03"
PROMPT = "Read it."


def measure() -> list[Row]:
    if not find_spec("transformers"):
        return [Row("adapter / transformers directly", GOAL, detail="transformers is not installed")]
    import torch

    tiny = importlib.import_module("tests.tiny")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        source = str(tiny.qwen2_vl(Path(folder), **SHAPE))
        model = {"id": "bench", "source": source}
        job = Job(str(SAMPLE), PROMPT, "question", params={"max_new_tokens": TOKENS})
        adapter = adapter_class("transformers_chat")()
        adapter.load(model)

        def in_process() -> str:
            return next(piece.text for piece in adapter.predict(job) if isinstance(piece, Output))

        os.environ["OMP_NUM_THREADS"] = "1"  # for the worker, which takes our environment
        interpreters = Interpreters()
        worker = interpreters.start("transformers_chat")
        try:
            for _ in worker.wait_started(120, Cancel()):
                pass
            for _ in worker.load(model, 120, Cancel()):
                pass

            def in_worker() -> str:
                return next(piece.text for piece in worker.predict(job, 120, Cancel()) if isinstance(piece, Output))

            ours = {"adapter in its worker": in_worker, "adapter": in_process}
            direct = script(source)
            return [
                same_answer(f"{name} / transformers directly", GOAL, REPEATS, way, direct, f"{TOKENS} tokens")
                for name, way in ours.items()
            ]
        finally:
            worker.kill()
            for _ in worker.wait_gone():
                pass
            interpreters.stop()
            del os.environ["OMP_NUM_THREADS"]


def script(source: str) -> Callable[[], str]:
    """What one writes without this program."""
    import torch
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(source)  # type: ignore[no-untyped-call]
    model: Any = AutoModelForImageTextToText.from_pretrained(source)  # ready to generate as it comes

    def answer() -> str:
        image = Image.open(SAMPLE).convert("RGB")
        content = [{"type": "image", "image": image}, {"type": "text", "text": PROMPT}]
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            out = model.generate(**inputs, max_new_tokens=TOKENS, do_sample=False)
        said: str = processor.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return said

    return answer
