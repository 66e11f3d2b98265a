"""GOT-OCR 2.0 in transformers 5: reads plain or formatted text of a page, a part of it, one colour, or several pages.

It takes no question: the processor writes the whole prompt from these wishes, so there is nothing to chat with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from adapters.base import Adapter, AdapterError, Box, Job, Output
from adapters.torch_generation import PARAMS, Answer, PeakMemory, number, versions
from adapters.torch_loading import load
from adapters.transformers_chat import on_device, opened

STOP = "<|im_end|>"
COLOURS = ("red", "green", "blue")  # of the frames it was taught to look into
PLACE = re.compile(r"(\.\./[0-9a-f]{2}/)?[^/\\]+")  # a name, or one in a folder of images beside
PATCHES = 12  # the most that a dense page is cut into


class GotOcr(Adapter):
    """Params besides: ``box`` ``[x0, y0, x1, y1]`` in pixels of the image, read only that; ``color`` ``red``, ``green``
    or ``blue``, read only the frame of that colour; ``crop_to_patches``, look at a dense page in pieces, at most
    ``max_patches``; ``pages``, names of further images in the same folder, read as one document;
    ``no_repeat_ngram_size``, against endless repetition."""

    tasks = ("ocr", "formatted_ocr")
    requires = ("torch", "torchvision", "transformers")
    preload = ("torch", "transformers", "transformers.generation.utils", "transformers.models.auto.modeling_auto")
    params = (*PARAMS, "no_repeat_ngram_size", "box", "color", "crop_to_patches", "max_patches", "pages")
    choices: ClassVar = {"color": COLOURS, "crop_to_patches": (False, True)}

    def load(self, model: dict[str, Any]) -> None:
        self._device = model.get("device", "cpu")
        self._model, self._processor, self._commit = load(model)
        end = self._processor.tokenizer.convert_tokens_to_ids(STOP)
        ends = self._model.generation_config.eos_token_id
        self._model.generation_config.eos_token_id = [end, *(ends if isinstance(ends, list) else [ends])]

    def predict(self, job: Job) -> Iterator[str | Output]:
        memory = PeakMemory(self._device)
        image = opened(job.image)
        inputs, seen = self._inputs(job, image)
        repeat = int(number(job.params, "no_repeat_ngram_size", 0, 0, 1000))
        more = {"no_repeat_ngram_size": repeat} if repeat else {}
        answer = Answer(self._model, self._processor.tokenizer, inputs, job.params, **more)
        said: list[str] = []
        for piece in answer:
            said.append(piece)
            yield piece
        yield Output(
            text="".join(said),
            finish_reason="length" if answer.length else "stop",
            seen_width=seen[0],
            seen_height=seen[1],
            prompt_tokens=int(inputs["input_ids"].shape[1]),
            output_tokens=len(answer.tokens) or None,
            visual_tokens=int((inputs["input_ids"] == self._processor.image_token_id).sum()),
            **memory.fields(),
        )

    def _inputs(self, job: Job, image: Any) -> tuple[dict[str, Any], tuple[int, int]]:
        """Tensors for the wishes of a job, and the size in pixels its image was squashed to: aspect is not kept."""
        vision, images = self._model.config.vision_config, self._processor.image_processor
        side = images.size["width"], images.size["height"]
        wishes: dict[str, Any] = {
            "format": job.task == "formatted_ocr",
            # A quarter of the patches each way; the processor's own number is only right for 1024 pixels.
            "num_image_tokens": (vision.image_size // vision.patch_size // 4) ** 2,
        }
        if box := job.params.get("box"):
            wishes["box"] = within(box, image)
        if color := job.params.get("color"):
            if color not in COLOURS:
                raise AdapterError("bad_input", f"color must be one of {', '.join(COLOURS)}, not {color!r}")
            wishes["color"] = color
        if job.params.get("crop_to_patches"):
            most = int(number(job.params, "max_patches", PATCHES, 1, PATCHES))
            wishes |= {"crop_to_patches": True, "min_patches": 1, "max_patches": most}
            side = self._tiled(image.size, side, most)
        pages = [opened(beside(job.image, name)) for name in job.params.get("pages") or ()]
        if pages:
            if "box" in wishes:
                raise AdapterError("bad_input", "a box is of one page, not of several")
            wishes["multi_page"] = True
        inputs = self._processor([image, *pages] if pages else image, return_tensors="pt", **wishes)
        return on_device(inputs, self._model), side

    @staticmethod
    def _tiled(size: tuple[int, int], tile: tuple[int, int], most: int) -> tuple[int, int]:
        from transformers.models.got_ocr2.image_processing_got_ocr2 import get_optimal_tiled_canvas

        columns, rows = get_optimal_tiled_canvas((size[1], size[0]), (tile[1], tile[0]), 1, most)
        return columns * tile[0], rows * tile[1]

    def versions(self) -> dict[str, str]:
        return versions(self._model, self._commit)


def within(box: Any, image: Any) -> list[float]:
    """A box of the image as the list the processor wants: it writes into it, so every call gets its own."""
    checked = Box.within(box, *image.size)
    if not checked:
        raise AdapterError("bad_input", f"box must be four numbers inside {image.width} x {image.height}, not {box!r}")
    return [checked.x0, checked.y0, checked.x1, checked.y1]


def beside(image: str, name: Any) -> str:
    """The path of a further page: beside the first image, or in another folder of the application's images, for a path
    could lead anywhere on this machine."""
    if not isinstance(name, str) or not PLACE.fullmatch(name) or Path(name).name in ("", "..", "."):
        raise AdapterError("bad_input", f"pages must be names of files beside the first image, not {name!r}")
    return str(Path(image).parent / name)
