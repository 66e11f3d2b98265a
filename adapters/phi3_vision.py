"""Phi-3 Vision and Phi-3.5 Vision of Microsoft, with their makers' code on an older transformers.

Call and prompt: the model cards. The image is cut into squares of 336 pixels, up to 16 of them for one image.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters import remote_code
from adapters.base import Adapter, Job, Output, turns
from adapters.torch_generation import Answer, PeakMemory, versions

CROPS = 16  # for one image, by the card


class Phi3Vision(Adapter):
    """Options: ``num_crops``, the most squares that an image is cut into."""

    tasks = ("ocr", "formatted_ocr", "description", "question", "chat")
    prompted = True
    requires = ("torch", "torchvision", "transformers")
    preload = remote_code.PRELOAD
    # The ids of the image are negative, and a penalty would look them up in the vocabulary.
    params = ("max_new_tokens", "temperature", "top_p", "seed")

    def load(self, model: dict[str, Any]) -> None:
        from transformers import AutoModelForCausalLM, AutoProcessor

        folder = remote_code.snapshot(model)
        self._commit = remote_code.commit_of(folder)
        config = remote_code.config_of(folder)
        config._attn_implementation = "eager"  # the checkpoint demands flash-attn, which few machines have
        self._device = model.get("device", "cpu")
        self._model = remote_code.load(
            AutoModelForCausalLM, folder, model, ["model.vision_embed_tokens", "lm_head"], config
        )
        self._processor = AutoProcessor.from_pretrained(
            folder,
            trust_remote_code=True,
            local_files_only=True,
            num_crops=(model.get("options") or {}).get("num_crops", CROPS),
        )

    def predict(self, job: Job) -> Iterator[str | Output]:
        image = remote_code.picture(job)
        words = self._processor.tokenizer
        prompt = words.apply_chat_template(conversation(job), tokenize=False, add_generation_prompt=True)
        inputs = self._processor(prompt, [image], return_tensors="pt").to(self._device)
        height, width = (int(side) for side in inputs["image_sizes"][0])
        seen = {
            "prompt_tokens": int(inputs["input_ids"].shape[1]),
            "visual_tokens": int((inputs["input_ids"] < 0).sum()) or None,
            "seen_width": width,
            "seen_height": height,
        }
        params = {name: value for name, value in job.params.items() if name in self.params}
        ends = sorted({words.eos_token_id, words.convert_tokens_to_ids("<|end|>")} - {None, words.unk_token_id})
        self._model.generation_config.eos_token_id = ends
        answer = Answer(self._model, words, dict(inputs), params, pad_token_id=words.pad_token_id)
        yield from remote_code.tell(answer, PeakMemory(self._device), lambda _: seen)

    def versions(self) -> dict[str, str]:
        return versions(self._model, self._commit)


def conversation(job: Job) -> list[dict[str, str]]:
    """The turns as the template wants them, the image in the first."""
    messages = []
    for question, answer in turns(job):
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    messages[0]["content"] = f"<|image_1|>\n{messages[0]['content']}"
    return messages[:-1]
