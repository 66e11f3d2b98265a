"""What vLLM's log says about a start: how far it has come, its last lines, whether memory was what it lacked.

The phrases are those of vLLM 0.32; one that changes costs a caption and nothing else.
"""

from __future__ import annotations

import re

SHOWN = 5  # lines while a container starts
TOLD = 30  # lines when it has died

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*(?:\x07|\x1b\\)|\x1b.")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

# The last line that says something decides.
PHASES = (
    ("warming", r"init engine .* took|Starting vLLM|Application startup|Started server process|Available routes"),
    ("compiling", r"torch\.compile|Dynamo bytecode|Compiling a graph|graph captur|Capturing CUDA graph|autotun"),
    ("compiling", r"Available KV cache memory|GPU KV cache size|CPU KV cache size|Maximum concurrency"),
    ("loading", r"Starting to load model|Loading (?:safetensors|weights|drafter)|Model loading took"),
    ("starting", r"vLLM API server version|non-default args|Initializing a V\d"),
)
NO_MEMORY = re.compile(r"less than desired GPU memory utilization|CUDA out of memory|No available memory for the cache")


def cleaned(text: str) -> list[str]:
    """The lines as they may be shown: no control characters, of a line that was overwritten what stood there last."""
    lines = ESCAPES.sub("", text).split("\n")
    shown = (CONTROLS.sub("", line.rstrip("\r").rsplit("\r", 1)[-1]).rstrip() for line in lines)
    return [line for line in shown if line]


def phase(lines: list[str], before: str) -> str:
    """How far the start has come; `before` when the lines do not say."""
    for line in reversed(lines):
        for name, said in PHASES:
            if re.search(said, line, re.IGNORECASE):
                return name
    return before


def lacked_memory(text: str) -> bool:
    return bool(NO_MEMORY.search(text))
