"""dots.ocr of rednote-hilab, with its makers' code on the transformers they name.

Prompts, sizes and the form of the answer: their repository. A page comes as a JSON list of elements of eleven
categories with boxes, tables as HTML, formulas as LaTeX, the rest as Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from adapters import remote_code
from adapters.base import Adapter, AdapterError, Job, Output, understood
from adapters.coordinates import from_pixels
from adapters.dots_layout import CATEGORIES, as_markdown, boxes
from adapters.torch_generation import PARAMS, Answer, PeakMemory, versions

SIDE = 28  # of a visual token, in pixels
# A fifth of what the checkpoint allows: without flash-attn the image's memory grows with the square of its pixels.
MAX_PIXELS = 3072 * SIDE * SIDE
MAX_PIXELS_CPU = 1024 * SIDE * SIDE

NAMES = "[" + ", ".join(f"'{name}'" for name in CATEGORIES) + "]"
PROMPTS = {
    "prompt_layout_all_en": (
        "Please output the layout information from the PDF image, including each layout element's bbox, its category, "
        "and the corresponding text content within the bbox.\n\n"
        "1. Bbox format: [x1, y1, x2, y2]\n\n"
        f"2. Layout Categories: The possible categories are {NAMES}.\n\n"
        "3. Text Extraction & Formatting Rules:\n"
        "    - Picture: For the 'Picture' category, the text field should be omitted.\n"
        "    - Formula: Format its text as LaTeX.\n"
        "    - Table: Format its text as HTML.\n"
        "    - All Others (Text, Title, etc.): Format their text as Markdown.\n\n"
        "4. Constraints:\n"
        "    - The output text must be the original text from the image, with no translation.\n"
        "    - All layout elements must be sorted according to human reading order.\n\n"
        "5. Final Output: The entire output must be a single JSON object.\n"
    ),
    "prompt_layout_only_en": (
        "Please output the layout information from this PDF image, including each layout's bbox and its category. The "
        "bbox should be in the format [x1, y1, x2, y2]. The layout categories for the PDF document include "
        f"{NAMES}. Do not output the corresponding text. The layout result should be in JSON format."
    ),
    "prompt_ocr": "Extract the text content from this image.",
    "prompt_grounding_ocr": (
        "Extract text from the given bounding box on the image (format: [x1, y1, x2, y2]).\nBounding Box:\n"
    ),
}
FOR_TASK = {"ocr": "prompt_ocr", "formatted_ocr": "prompt_layout_all_en", "layout": "prompt_layout_all_en"}


class DotsOCR(Adapter):
    """Options: ``max_pixels``, of what the model is given. Parameters besides the common ones: ``prompt``, the name of
    an official prompt, and ``box``, the four sides in pixels of what ``prompt_grounding_ocr`` is to read."""

    tasks = ("ocr", "formatted_ocr", "layout")
    requires = ("torch", "torchvision", "transformers")
    preload = remote_code.PRELOAD
    params = (*PARAMS, "prompt", "box")
    choices: ClassVar = {"prompt": tuple(PROMPTS)}

    def load(self, model: dict[str, Any]) -> None:
        from transformers import AutoModelForCausalLM, AutoProcessor

        folder = remote_code.snapshot(model)
        self._commit = remote_code.commit_of(folder)
        # The code imports it even where it is not used.
        stood_in = remote_code.stand_in("flash_attn", flash_attn_varlen_func=None)
        config = remote_code.config_of(folder)
        self._device = model.get("device", "cpu")
        on_gpu = self._device.startswith("cuda")
        if stood_in or not on_gpu:
            config._attn_implementation = "sdpa"
            # Its other way without flash-attn asks torch for what only a GPU has.
            config.vision_config.attn_implementation = "sdpa" if on_gpu else "eager"
        self._model = remote_code.load(AutoModelForCausalLM, folder, model, ["vision_tower", "lm_head"], config)
        self._processor = AutoProcessor.from_pretrained(folder, trust_remote_code=True, local_files_only=True)
        seen = self._processor.image_processor
        most = (model.get("options") or {}).get("max_pixels", MAX_PIXELS if on_gpu else MAX_PIXELS_CPU)
        seen.max_pixels = min(seen.max_pixels, int(most))

    def predict(self, job: Job) -> Iterator[str | Output]:
        image = remote_code.picture(job)
        size = image.size
        if max(size) > 200 * min(size):
            raise AdapterError("bad_input", "dots.ocr takes images up to 200 times as long as they are wide")
        image = large_enough(image)
        name = job.params.get("prompt") or FOR_TASK.get(job.task, "prompt_ocr")
        inputs = self._inputs(image, prompt(name, job.params.get("box"), size, self._seen(image)))
        _, rows, columns = inputs["image_grid_thw"][0].tolist()
        patch = self._processor.image_processor.patch_size
        seen = columns * patch, rows * patch
        raw: list[str] = []
        laid_out = "layout" in name
        readable = laid_out and job.task == "formatted_ocr"
        fields = {
            "seen_width": seen[0],
            "seen_height": seen[1],
            "prompt_tokens": int(inputs["input_ids"].shape[1]),
            "visual_tokens": int((inputs["input_ids"] == self._model.config.image_token_id).sum()) or None,
        }
        yield from remote_code.tell(
            Answer(self._model, self._processor.tokenizer, inputs, job.params),
            PeakMemory(self._device),
            lambda _: fields | understood(boxes("".join(raw), size, seen) if laid_out else ()),
            lambda pieces: as_markdown(pieces, raw) if readable else kept(pieces, raw),
        )

    def _inputs(self, image: Any, text: str) -> dict[str, Any]:
        turn = f"<|user|><|img|><|imgpad|><|endofimg|>{text}<|endofuser|><|assistant|>"
        return dict(self._processor(text=[turn], images=[image], return_tensors="pt").to(self._device))

    def _seen(self, image: Any) -> tuple[int, int]:
        """Width and height after the processor's resize."""
        from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

        own = self._processor.image_processor
        factor = own.patch_size * own.merge_size
        height, width = smart_resize(image.height, image.width, factor, own.min_pixels, own.max_pixels)
        return width, height

    def versions(self) -> dict[str, str]:
        return versions(self._model, self._commit)


def large_enough(image: Any) -> Any:
    """The image, or a larger one when a side is shorter than a visual token."""
    if min(image.size) >= SIDE:
        return image
    factor = SIDE / min(image.size)
    return image.resize((max(SIDE, round(image.width * factor)), max(SIDE, round(image.height * factor))))


def prompt(name: str, box: Any, size: tuple[int, int], seen: tuple[int, int]) -> str:
    """An official prompt by its name; the box goes in as pixels of the resized image. Raises `AdapterError`."""
    if name not in PROMPTS:
        raise AdapterError("bad_input", f"prompt must be one of {', '.join(PROMPTS)}, not {name!r}")
    if name != "prompt_grounding_ocr":
        return PROMPTS[name]
    try:
        left, top, right, bottom = (float(side) for side in box)
    except (TypeError, ValueError) as error:
        raise AdapterError("bad_input", "prompt_grounding_ocr needs a box of four numbers") from error
    return PROMPTS[name] + str(from_pixels("dots_ocr", (left, top, right, bottom), size, seen))


def kept(pieces: Any, raw: list[str]) -> Iterator[str]:
    """The pieces as they are; raw gets them too."""
    for piece in pieces:
        raw.append(piece)
        yield piece
