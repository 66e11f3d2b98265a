"""What a family of models wants to hear, and how it answers, when a server runs it: one line a family.

The same prompts, sizes, marks and coordinates as in the family's own adapter, as far as a request can say them: the
chat template is the server's. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import ceil, floor, sqrt
from typing import Any

from adapters import deepseek_ocr, dots_ocr
from adapters.base import AdapterError, Box, Job, turns
from adapters.coordinates import FAMILIES as PLACED
from adapters.coordinates import Size, boxes_in, where_is
from adapters.deepseek_marks import without_marks
from adapters.dots_layout import as_markdown, boxes
from adapters.prompts import asked

QWEN_MARKS = re.compile(r"<\|(?:(?:object_ref|box|quad|vision|im)_(?:start|end)|\w+_pad|endoftext)\|>")
INTERN_MARKS = re.compile(r"</?(?:ref|box|quad|img)>|</?s>|<IMG_CONTEXT>|<\|[a-z_]+\|>")
LONGEST_MARK = 24
LEAST_DOTS, MOST_DOTS = 3136, 11289600  # pixels, by the checkpoint of dots.ocr
# Against endless repetition, as its makers set them; the two tokens are <td> and </td>, which a table may repeat.
DEEPSEEK_NGRAMS = {"ngram_size": 30, "window_size": 90, "whitelist_token_ids": [128821, 128822]}


class Dialect:
    """Of a family that takes the question as it stands.

    family: its name in `adapters.coordinates`, "" where it gives no boxes. marks: special tokens that stand in the
    answer but are not for the reader; None where the server may leave them out. stop: strings that end an answer.
    side: of a visual token in pixels, 0 where the image is not simply a grid. system: whether the chat template has a
    place for what the model is told before all turns.
    """

    def __init__(
        self,
        family: str = "",
        marks: re.Pattern[str] | None = None,
        stop: tuple[str, ...] = (),
        side: int = 0,
        system: bool = True,
    ) -> None:
        self.family, self.marks, self.stop, self.side, self.system = family, marks, stop, side, system

    def processor(self, options: dict[str, Any], device: str) -> dict[str, Any]:
        """Arguments for the family's image processor on the server."""
        return dict(options.get("image_processor") or {})

    def seen(self, size: Size, options: dict[str, Any], device: str) -> Size | None:
        """Width and height of what the model is given of an image by a server that takes `processor`. Raises
        `AdapterError` (``bad_input``)."""
        budget = self.processor(options, device).get("size") or {}
        least, most = budget.get("shortest_edge"), budget.get("longest_edge")
        return smart_resize(size, self.side, least, most) if self.side and least and most else None

    def seen_by_default(self, size: Size) -> Size | None:
        """The same of a server that does as the checkpoint says, None where that is not known."""
        return None

    def turns(self, job: Job, size: Size | None, seen: Size | None) -> list[tuple[str, str]]:
        """Questions and answers, the last answer empty. size, seen: None without an image."""
        wanted = job.task == "grounding" and self.family in PLACED
        prompt = where_is(self.family, job.prompt) if wanted else asked(job)
        return turns(replace(job, prompt=prompt, params=job.params | ({"system": ""} if self.system else {})))

    def body(self) -> dict[str, Any]:
        """Further fields of the request that vLLM understands."""
        return {}

    def shown(self, job: Job, pieces: Iterable[str], raw: list[str]) -> Iterator[str]:
        """What of the answer is for the reader, piece by piece; `raw` gets all of it."""
        pieces = dots_ocr.kept(pieces, raw)
        return without(pieces, self.marks) if self.marks else pieces

    def boxes(self, job: Job, answer: str, size: Size, seen: Size | None) -> tuple[Box | None, ...]:
        """What the answer means as boxes, in pixels of the image; None for each that cannot be understood."""
        found = boxes_in(self.family, answer, size, seen)
        unknown = seen is None and self.family in PLACED and PLACED[self.family].span is None
        return (None,) * len(found) if unknown else found


class Dots(Dialect):
    """dots.ocr has a prompt for every task and takes no others. Served with ``--chat-template-content-format string``,
    the place of the image is written by the client, and no line break follows it."""

    def processor(self, options: dict[str, Any], device: str) -> dict[str, Any]:
        most = options.get("max_pixels") or (dots_ocr.MAX_PIXELS_CPU if device == "cpu" else dots_ocr.MAX_PIXELS)
        return {"size": {"shortest_edge": LEAST_DOTS, "longest_edge": int(most)}}

    def seen_by_default(self, size: Size) -> Size | None:
        return smart_resize(size, self.side, LEAST_DOTS, MOST_DOTS)

    def turns(self, job: Job, size: Size | None, seen: Size | None) -> list[tuple[str, str]]:
        if size is None:
            raise AdapterError("bad_input", "dots.ocr needs an image")
        text = dots_ocr.prompt(prompt_name(job), job.params.get("box"), size, seen or size)
        return [(f"<|img|><|imgpad|><|endofimg|>{text}", "")]

    def shown(self, job: Job, pieces: Iterable[str], raw: list[str]) -> Iterator[str]:
        readable = job.task == "formatted_ocr" and "layout" in prompt_name(job)
        return as_markdown(pieces, raw) if readable else dots_ocr.kept(pieces, raw)

    def boxes(self, job: Job, answer: str, size: Size, seen: Size | None) -> tuple[Box | None, ...]:
        return boxes(answer, size, seen) if seen and "layout" in prompt_name(job) else ()


class DeepSeek(Dialect):
    """DeepSeek-VL2 takes any question; what a box is called stands in the text."""

    def shown(self, job: Job, pieces: Iterable[str], raw: list[str]) -> Iterator[str]:
        return without_marks(dots_ocr.kept(pieces, raw), names=True)


class DeepSeekOCR(Dialect):
    """DeepSeek-OCR has a prompt for every task and takes no others."""

    def turns(self, job: Job, size: Size | None, seen: Size | None) -> list[tuple[str, str]]:
        name = job.params.get("prompt") or deepseek_ocr.FOR_TASK.get(job.task, "free_ocr")
        text = deepseek_ocr.chosen(deepseek_ocr.PROMPTS, "prompt", name)
        return [(text.replace("{thing}", job.prompt), "")]

    def body(self) -> dict[str, Any]:
        return {"vllm_xargs": DEEPSEEK_NGRAMS}

    def shown(self, job: Job, pieces: Iterable[str], raw: list[str]) -> Iterator[str]:
        return without_marks(dots_ocr.kept(pieces, raw), names=False)


ENDS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|end|>")
DEEPSEEK_MARKS = re.compile("<\uff5c")  # its own way of taking them out is used
# By the name that an entry of the catalogue gives as ``options: {family: …}``.
DIALECTS: dict[str, Dialect] = {
    "": Dialect(),
    "qwen2_vl": Dialect("qwen2_vl", QWEN_MARKS, side=28),
    "qwen2_5_vl": Dialect("qwen2_5_vl", side=28),
    "qwen3_vl": Dialect("qwen3_vl", side=32),
    "smolvlm": Dialect(),
    "phi3_vision": Dialect(system=False),
    "internvl2": Dialect("internvl", INTERN_MARKS, ENDS, system=False),
    "minicpm_v": Dialect("", QWEN_MARKS, ("<|im_end|>", "<|endoftext|>"), system=False),
    "dots_ocr": Dots("dots_ocr", side=dots_ocr.SIDE, system=False),
    "deepseek_vl2": DeepSeek("deepseek", DEEPSEEK_MARKS, system=False),
    "deepseek_ocr": DeepSeekOCR("deepseek", DEEPSEEK_MARKS, system=False),
}


def prompt_name(job: Job) -> str:
    """Of dots.ocr's official prompts."""
    return str(job.params.get("prompt") or dots_ocr.FOR_TASK.get(job.task, "prompt_ocr"))


def without(pieces: Iterable[str], marks: re.Pattern[str]) -> Iterator[str]:
    """The text without its marks; what may become one waits for the next piece."""
    waiting = ""
    for piece in pieces:
        waiting = marks.sub("", waiting + piece)
        start = waiting.rfind("<", max(0, len(waiting) - LONGEST_MARK))
        whole = start < 0 or ">" in waiting[start:]
        ready, waiting = (waiting, "") if whole else (waiting[:start], waiting[start:])
        yield ready
    if waiting:
        yield waiting


def smart_resize(size: Size, side: int, least: int, most: int) -> Size:
    """Width and height that Qwen's image processor resizes to: multiples of `side`, from `least` to `most` pixels.

    Source: ``smart_resize`` of Qwen2-VL in transformers. Raises `AdapterError` for what is too narrow.
    """
    if max(size) > 200 * min(size):
        raise AdapterError("bad_input", "the model takes images up to 200 times as long as they are wide")
    width, height = (round(length / side) * side for length in size)
    if width * height > most:
        factor = sqrt(size[0] * size[1] / most)
        width, height = (max(side, floor(length / factor / side) * side) for length in size)
    elif width * height < least:
        factor = sqrt(least / (size[0] * size[1]))
        width, height = (ceil(length * factor / side) * side for length in size)
    return width, height
