"""A property under a fuzzer that follows branches: ``python -m tests.fuzz.guided layout -max_total_time=60``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["adapters", "arena", "PIL"]):
    from arena.decode import replied
    from tests.fuzz import properties, test_fuzz_chat


def answer(data: bytes) -> str:
    return atheris.FuzzedDataProvider(data).ConsumeUnicode(len(data))


def picture(data: bytes) -> None:
    """In this very process, so that the branches are seen; a fault of ours is told in the reply."""
    request = {"page": 1, "max_pixels": properties.MAX_PIXELS, "out": "/dev/null"}
    assert "fault" not in json.loads(replied(request, data))


TARGETS: dict[str, Callable[[bytes], object]] = {
    "layout": lambda data: properties.a_layout_is_read(answer(data), [*data[:4]]),
    "boxes": lambda data: properties.boxes_are_within(answer(data)),
    "marks": lambda data: properties.marks_are_taken_out(answer(data), [*data[:4]]),
    "picture": picture,
    "request": test_fuzz_chat.test_a_request.hypothesis.fuzz_one_input,  # bytes alone would seldom be JSON
}

if __name__ == "__main__":
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()
