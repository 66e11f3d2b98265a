"""Answers that no model ought to give: read as far as they make sense, in time that grows with their length alone."""

from __future__ import annotations

import pytest
from hypothesis import example, given

from tests.fuzz import properties
from tests.fuzz.strategies import answers, loops, places

HUGE = "1" + "0" * 400  # an integer that is no float


def deep(depth: int) -> str:
    """JSON that is whole, and nested deeper than Python goes."""
    return '{"bbox": [1, 2, 30, 40], "text": ' + "[" * depth + "]" * depth + "}"


@given(answers | loops, places)
@example(f'{{"bbox": [{HUGE}, 2, 3, 4], "category": "Text", "text": "x"}}', [])
@example('{"text": "' + "} " * 50_000 + "x", [])
@example('{"bbox": [1, 2, 30, 40], "text": "' + "word " * 20_000, [*range(0, 100_000, 5)])
@example(deep(900), [])
@example(deep(50_000), [])
@example(deep(900).replace('"text"', '"category"'), [])
def test_a_layout(answer: str, cuts: list[int]) -> None:
    properties.a_layout_is_read(answer, cuts)


@given(answers | loops)
@example(f'{{"bbox": [{HUGE}, 2, 3, 4]}}')
@example(deep(900).replace('"text"', '"a"'))
@example(deep(50_000))
@example("<" + "a" * 100_000)
def test_boxes(answer: str) -> None:
    properties.boxes_are_within(answer)


@given(answers | loops, places)
@example("<|ref|>a<|/ref|><|det|>" + "word " * 20_000, [*range(0, 100_000, 5)])
@example("<|ref|>" + "word " * 20_000, [*range(0, 100_000, 5)])
def test_marks(answer: str, cuts: list[int]) -> None:
    properties.marks_are_taken_out(answer, cuts)


@pytest.mark.parametrize(
    "piece", ['{"bbox":', "<|ref|>", "<|object_ref_start|>", "<ref>", "<|ref|>a<|/ref|><|det|>", " "]
)
def test_a_model_that_repeats_itself(piece: str) -> None:
    """A hundred thousand letters, as a model without an end gives them; what is not linear here does not end."""
    answer = (piece * 100_000)[:100_000]
    properties.a_layout_is_read(answer)
    properties.boxes_are_within(answer)
    properties.marks_are_taken_out(answer)
