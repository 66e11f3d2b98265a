"""DeepSeek-OCR of deepseek-ai, with its makers' code on an older transformers.

Call, sizes and prompts: the README. Pages become Markdown; with ``<|grounding|>`` in the prompt every block has a box.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

from adapters import remote_code
from adapters.base import Adapter, AdapterError, Job, Output, understood
from adapters.coordinates import boxes_in, where_is
from adapters.deepseek_marks import WithMarks, without_marks
from adapters.torch_generation import PARAMS, Answer, PeakMemory, versions

# By name: pixels of the view of the whole, of a tile, and whether tiles are cut at all.
MODES = {
    "tiny": (512, 512, False),
    "small": (640, 640, False),
    "base": (1024, 1024, False),
    "large": (1280, 1280, False),
    "gundam": (1024, 640, True),
}
PROMPTS = {
    "markdown": "<|grounding|>Convert the document to markdown.",
    "free_ocr": "Free OCR.",
    "ocr": "<|grounding|>OCR this image.",
    "figure": "Parse the figure.",
    "describe": "Describe this image in detail.",
    "locate": where_is("deepseek", "{thing}"),
}
FOR_TASK = {"ocr": "free_ocr", "formatted_ocr": "markdown", "layout": "markdown", "description": "describe"} | {
    "grounding": "locate"
}


class DeepSeekOCR(Adapter):
    """Options: ``mode`` (tiny, small, base, large, gundam). Parameters besides the common ones: ``mode``, and
    ``prompt``, the name of an official prompt; for ``locate`` the job's prompt names the thing."""

    tasks = ("ocr", "formatted_ocr", "description", "layout", "grounding")
    requires = ("torch", "torchvision", "transformers", "einops", "addict", "easydict")
    preload = remote_code.PRELOAD
    params = (*PARAMS, "mode", "prompt")
    choices: ClassVar = {"mode": tuple(MODES), "prompt": tuple(PROMPTS)}

    def load(self, model: dict[str, Any]) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        folder = remote_code.snapshot(model)
        self._commit = remote_code.commit_of(folder)
        self._device = model.get("device", "cpu")
        self._mode = (model.get("options") or {}).get("mode", "gundam")
        if self._device == "cpu":
            torch.Tensor.cuda = lambda tensor, *_, **__: tensor  # type: ignore[method-assign] # its code asks for CUDA
        config = remote_code.config_of(folder)
        config._attn_implementation = "eager"
        parts = ["model.sam_model", "model.vision_model", "model.projector", "lm_head"]
        self._model = remote_code.load(AutoModel, folder, model, parts, config)
        self._tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True, local_files_only=True)

    def predict(self, job: Job) -> Iterator[str | Output]:
        image = remote_code.picture(job)
        base, tile, cut = chosen(MODES, "mode", job.params.get("mode") or self._mode)
        prompt = chosen(PROMPTS, "prompt", job.params.get("prompt") or FOR_TASK.get(job.task, "free_ocr"))
        with tempfile.TemporaryDirectory() as folder:  # it makes folders for results even when it keeps none
            call = remote_code.Call(
                self._model,
                partial(
                    self._model.infer,
                    self._tokenizer,
                    prompt="<image>\n" + prompt.replace("{thing}", job.prompt),
                    image_file=job.image,
                    output_path=folder,
                    base_size=base,
                    image_size=tile,
                    crop_mode=cut,
                    eval_mode=True,
                ),
            )
            answer = Answer(call, WithMarks(self._tokenizer), {}, job.params)

            def fields(_: str) -> dict[str, Any]:
                return {
                    **understood(boxes_in("deepseek", answer.marked(), image.size)),
                    "prompt_tokens": call.prompt_tokens,
                    "visual_tokens": call.visual_tokens,
                }

            memory = PeakMemory(self._device)
            yield from remote_code.tell(answer, memory, fields, lambda pieces: without_marks(pieces, names=False))

    def versions(self) -> dict[str, str]:
        return versions(self._model, self._commit)


def chosen(table: dict[str, Any], what: str, name: Any) -> Any:
    """The entry of a table. Raises `AdapterError` (``bad_input``) for a name that is not in it."""
    if name not in table:
        raise AdapterError("bad_input", f"{what} must be one of {', '.join(table)}, not {name!r}")
    return table[name]
