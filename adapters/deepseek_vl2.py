"""DeepSeek-VL2 Tiny of deepseek-ai, with its makers' package ``deepseek_vl2`` on an older transformers.

The package is in no registry: it is installed from its makers' repository. Call and prompt: its README.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters import remote_code
from adapters.base import Adapter, AdapterError, Job, Output, turns, understood
from adapters.coordinates import boxes_in, where_is
from adapters.deepseek_marks import WithMarks, without_marks
from adapters.torch_generation import PARAMS, Answer, PeakMemory, versions

PACKAGE = "deepseek_vl2 @ git+https://github.com/deepseek-ai/DeepSeek-VL2@ef9f91e2b6426536b83294c11742c27be66361b1"


class DeepSeekVL2(Adapter):
    """Boxes come when the question names a thing as ``<|ref|>thing<|/ref|>`` or begins with ``<|grounding|>``."""

    tasks = ("ocr", "formatted_ocr", "description", "question", "chat", "grounding")
    prompted = True
    requires = ("torch", "torchvision", "transformers", "einops", "timm")
    preload = remote_code.PRELOAD
    params = PARAMS

    def load(self, model: dict[str, Any]) -> None:
        from transformers import AutoModelForCausalLM

        folder = remote_code.snapshot(model)
        self._commit = remote_code.commit_of(folder)
        remote_code.stand_in("xformers.ops", memory_efficient_attention=attention)
        try:
            from deepseek_vl2.models import DeepseekVLV2Processor
        except ImportError as error:
            target = f"--no-deps --target {remote_code.overlay()}"
            command = f'python -m pip install {target} "{PACKAGE}"'
            raise AdapterError("unavailable", f"its makers' package is missing ({error}). Run: {command}") from error
        self._device = model.get("device", "cpu")
        self._processor = DeepseekVLV2Processor.from_pretrained(folder)
        self._model = remote_code.load(AutoModelForCausalLM, folder, model, ["vision", "projector", "language.lm_head"])
        self._model.generation_config.eos_token_id = self._processor.tokenizer.eos_token_id

    def predict(self, job: Job) -> Iterator[str | Output]:
        import torch

        image = remote_code.picture(job)
        inputs = self._processor(conversations=conversation(job), images=[image], force_batchify=True, system_prompt="")
        inputs = inputs.to(self._device, dtype=self._model.dtype)
        with torch.inference_mode():
            embeds = self._model.prepare_inputs_embeds(**inputs)
        names = ("input_ids", "attention_mask", "images", "images_seq_mask", "images_spatial_crop")
        tokenizer = self._processor.tokenizer
        answer = Answer(
            self._model,
            WithMarks(tokenizer),
            {name: inputs[name] for name in names} | {"inputs_embeds": embeds},
            job.params,
            pad_token_id=tokenizer.eos_token_id,
            use_cache=True,
        )

        def fields(_: str) -> dict[str, Any]:
            return {
                **understood(boxes_in("deepseek", answer.marked(), image.size)),
                "prompt_tokens": int(inputs["input_ids"].shape[1]),
                "visual_tokens": int(inputs["images_seq_mask"].sum()) or None,
            }

        memory = PeakMemory(self._device)
        yield from remote_code.tell(answer, memory, fields, lambda pieces: without_marks(pieces, names=True))

    def versions(self) -> dict[str, str]:
        return versions(self._model, self._commit)


def conversation(job: Job) -> list[dict[str, Any]]:
    """The turns as the code wants them, the image in the first, the last answer empty."""
    messages: list[dict[str, Any]] = []
    for question, answer in turns(job):
        messages += [{"role": "<|User|>", "content": question}, {"role": "<|Assistant|>", "content": answer}]
    if job.task == "grounding":
        messages[-2]["content"] = where_is("deepseek", job.prompt)
    messages[0] |= {"content": f"<image>\n{messages[0]['content']}", "images": [job.image]}
    return messages


def attention(query: Any, key: Any, value: Any, p: float = 0.0) -> Any:
    """What xformers computes, (batch, places, heads, width), by torch itself."""
    from torch.nn.functional import scaled_dot_product_attention

    turned = (each.transpose(1, 2) for each in (query, key, value))
    return scaled_dot_product_attention(*turned, dropout_p=p).transpose(1, 2)
