"""MiniCPM-V 2.6 of OpenBMB, with its makers' code on an older transformers.

Call: the model card. Images of any shape up to 1.8 megapixels; above that the code makes them smaller itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from adapters import remote_code
from adapters.base import Adapter, Job, Output, turns
from adapters.torch_generation import PARAMS, Answer, PeakMemory, versions


class MiniCPMV(Adapter):
    """Options: ``max_slices``, the most slices that an image is cut into (the checkpoint's own number is 9)."""

    tasks = ("ocr", "formatted_ocr", "description", "question", "chat")
    prompted = True
    requires = ("torch", "torchvision", "transformers")
    preload = remote_code.PRELOAD
    params = PARAMS

    def load(self, model: dict[str, Any]) -> None:
        from transformers import AutoModel, AutoProcessor, AutoTokenizer

        folder = remote_code.snapshot(model)
        self._commit = remote_code.commit_of(folder)
        self._device = model.get("device", "cpu")
        config = remote_code.config_of(folder)
        config._attn_implementation = "sdpa"
        self._model = remote_code.load(AutoModel, folder, model, ["vpm", "resampler", "llm.lm_head"], config)
        source = {"trust_remote_code": True, "local_files_only": True}
        self._tokenizer = AutoTokenizer.from_pretrained(folder, **source)
        self._processor = AutoProcessor.from_pretrained(folder, **source)
        self._slices = (model.get("options") or {}).get("max_slices")

    def predict(self, job: Job) -> Iterator[str | Output]:
        call = remote_code.Call(
            self._model.llm,
            partial(
                self._model.chat,
                image=None,
                msgs=conversation(job, remote_code.picture(job)),
                tokenizer=self._tokenizer,
                processor=self._processor,
                sampling=False,
                max_slice_nums=self._slices,
            ),
        )
        answer = Answer(call, self._tokenizer, {}, job.params, num_beams=1)
        memory = PeakMemory(self._device)
        yield from remote_code.tell(answer, memory, lambda _: {"prompt_tokens": call.prompt_tokens})

    def versions(self) -> dict[str, str]:
        return versions(self._model, self._commit)


def conversation(job: Job, image: Any) -> list[dict[str, Any]]:
    """The turns as the code wants them, the image in the first."""
    messages: list[dict[str, Any]] = []
    for question, answer in turns(job):
        messages += [{"role": "user", "content": [question]}, {"role": "assistant", "content": [answer]}]
    messages[0]["content"].insert(0, image)
    return messages[:-1]
