"""InternVL2 of OpenGVLab, with its makers' code on an older transformers.

Call, tiles and template: the model card. The image becomes up to twelve tiles of 448 x 448 pixels in the grid that is
nearest to its shape, and one small view of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from adapters import remote_code
from adapters.base import Adapter, Job, Output, turns, understood
from adapters.coordinates import boxes_in, where_is
from adapters.torch_generation import PARAMS, Answer, PeakMemory, versions

TILES = 12
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


class InternVL2(Adapter):
    """Options: ``max_tiles``, the most tiles that an image is cut into."""

    tasks = ("ocr", "formatted_ocr", "description", "question", "chat", "grounding")
    prompted = True
    requires = ("torch", "torchvision", "transformers", "timm", "einops", "sentencepiece")
    preload = remote_code.PRELOAD
    params = PARAMS

    def load(self, model: dict[str, Any]) -> None:
        from transformers import AutoModel, AutoTokenizer

        folder = remote_code.snapshot(model)
        self._commit = remote_code.commit_of(folder)
        self._device = model.get("device", "cpu")
        self._most = int((model.get("options") or {}).get("max_tiles", TILES))
        config = remote_code.config_of(folder)
        for part in (config, config.vision_config, config.llm_config):
            part.use_flash_attn = False
            part.attn_implementation = "eager"
        parts = ["vision_model", "mlp1", "language_model.output", "language_model.lm_head"]
        self._model = remote_code.load(AutoModel, folder, model, parts, config)
        self._tokenizer = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=True, local_files_only=True, use_fast=False
        )

    def predict(self, job: Job) -> Iterator[str | Output]:
        image = remote_code.picture(job)
        side = self._side()
        columns, rows = grid(*image.size, self._most, side)
        pixels = tensor(tiles(image, columns, rows, side)).to(self._device, self._model.dtype)
        *before, (question, _) = conversation(job)
        call = remote_code.Call(
            self._model.language_model,
            partial(self._model.chat, self._tokenizer, pixels, question, {"do_sample": False}, history=before or None),
        )

        def fields(text: str) -> dict[str, Any]:
            found = boxes_in("internvl", answer.marked(), image.size) or boxes_in("internvl", text, image.size)
            return {
                **understood(found),
                "prompt_tokens": call.prompt_tokens,
                "visual_tokens": int(pixels.shape[0]) * self._model.num_image_token,
                "seen_width": columns * side,
                "seen_height": rows * side,
            }

        answer = Answer(call, self._tokenizer, {}, job.params, num_beams=1)
        yield from remote_code.tell(answer, PeakMemory(self._device), fields)

    def _side(self) -> int:
        """Width and height of a tile in pixels."""
        return int(self._model.config.force_image_size or self._model.config.vision_config.image_size)

    def versions(self) -> dict[str, str]:
        return versions(self._model, self._commit)


def conversation(job: Job) -> list[tuple[str, str]]:
    """The turns as the code wants them, the image in the first."""
    *before, (question, _) = turns(job)
    asked = [*before, (where_is("internvl", question) if job.task == "grounding" else question, "")]
    return [(f"<image>\n{asked[0][0]}", asked[0][1]), *asked[1:]]


def grid(width: int, height: int, most: int, side: int) -> tuple[int, int]:
    """Columns and rows, at most `most` tiles of `side` pixels: the nearest shape, of equals the one the image fills.

    Of two grids with the same shape the larger is taken if the image has more than half its pixels (model card).
    """
    shapes = sorted(
        {(i, j) for i in range(1, most + 1) for j in range(1, most // i + 1)}, key=lambda shape: shape[0] * shape[1]
    )
    best, least = (1, 1), float("inf")
    for columns, rows in shapes:
        off = abs(width / height - columns / rows)
        if off < least or (off == least and width * height > side * side * columns * rows / 2):
            best, least = (columns, rows), off
    return best


def tiles(image: Any, columns: int, rows: int, side: int) -> list[Any]:
    """The image in tiles, row by row, and the whole of it last when there is more than one tile."""
    from PIL import Image

    whole = image.resize((columns * side, rows * side), Image.Resampling.BICUBIC)
    cut = [
        whole.crop((column * side, row * side, (column + 1) * side, (row + 1) * side))
        for row in range(rows)
        for column in range(columns)
    ]
    return cut if len(cut) == 1 else [*cut, image.resize((side, side), Image.Resampling.BICUBIC)]


def tensor(images: list[Any]) -> Any:
    """Images of one size as floats, (number, 3, side, side), normalised as the image encoder was trained."""
    import numpy
    import torch

    stacked = torch.from_numpy(numpy.stack([numpy.asarray(image) for image in images])).float() / 255
    return ((stacked - torch.tensor(MEAN)) / torch.tensor(DEVIATION)).permute(0, 3, 1, 2).contiguous()
