"""Any model of transformers 5 that is an `AutoModelForImageTextToText` with a chat template: Qwen-VL, SmolVLM, Llama.

Tokens are handed on as they are decoded; a stop takes effect at the next token. Greedy unless a temperature is given,
and then the same input gives the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from adapters.base import Adapter, AdapterError, Job, Output, turns, understood
from adapters.coordinates import FAMILIES, boxes_in, where_is
from adapters.prompts import asked
from adapters.seen import seen_size, visual_tokens
from adapters.shown import shown
from adapters.torch_generation import PARAMS, Answer, PeakMemory, versions
from adapters.torch_loading import load

SystemForm = Callable[[str], Any]  # of the content of a message


class TransformersChat(Adapter):
    """Options: ``image_processor``, attributes to set on it, such as the pixel budget ``size``; ``skip_modules``, full
    dotted names that quantization leaves alone, where the family's own list does not do.
    Params besides: ``history`` and ``system``, see `adapters.base.Job`; ``image_turn`` and ``earlier_images``, see
    `adapters.shown`."""

    tasks = ("ocr", "formatted_ocr", "description", "question", "chat", "layout", "grounding")
    prompted = True
    needs_image = False
    several_images = True
    requires = ("torch", "torchvision", "transformers")
    preload = ("torch", "transformers", "transformers.generation.utils", "transformers.models.auto.modeling_auto")
    params = PARAMS

    def load(self, model: dict[str, Any]) -> None:
        self._device = model.get("device", "cpu")
        self._model, self._processor, self._commit = load(model)
        if not (getattr(self._processor, "chat_template", None) or self._processor.tokenizer.chat_template):
            raise AdapterError("start_failed", f"{model['source']} has no chat template, so nothing can be asked of it")
        self._system = system_form(self._processor)

    def predict(self, job: Job) -> Iterator[str | Output]:
        memory = PeakMemory(self._device)
        image = opened(job.image) if job.image else None
        inputs = self._inputs(job, image)
        answer = Answer(self._model, self._processor.tokenizer, inputs, job.params)
        said: list[str] = []
        for piece in answer:
            said.append(piece)
            yield piece
        seen = seen_size(self._processor, inputs, image.size) if image else None
        yield Output(
            text="".join(said),
            **understood(boxes_in(self._model.config.model_type, answer.marked(), image.size, seen) if image else ()),
            finish_reason="length" if answer.length else "stop",
            seen_width=seen[0] if seen else None,
            seen_height=seen[1] if seen else None,
            prompt_tokens=int(inputs["input_ids"].shape[1]),
            output_tokens=len(answer.tokens) or None,
            visual_tokens=visual_tokens(self._model, self._processor, inputs, image.size) if image else None,
            **memory.fields(),
        )

    def _inputs(self, job: Job, image: Any) -> dict[str, Any]:
        """Tensors for the conversation."""
        try:
            inputs = self._processor.apply_chat_template(
                conversation(self._asking(job), image, self._system, opened),
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            )
        except ValueError as error:  # too narrow an image, or the image's own mark inside the prompt
            raise AdapterError("bad_input", str(error)) from error
        return on_device(inputs, self._model)

    def _asking(self, job: Job) -> Job:
        """The job with its prompt in the words that the family and the task want."""
        family = self._model.config.model_type
        if job.task == "grounding" and family in FAMILIES:
            return replace(job, prompt=where_is(family, job.prompt))
        return replace(job, prompt=asked(job))

    def versions(self) -> dict[str, str]:
        return versions(self._model, self._commit)


def opened(path: str) -> Any:
    """The image as PIL has it. Raises `AdapterError` (``bad_input``)."""
    from PIL import Image

    try:
        with Image.open(path) as file:
            return file.convert("RGB")
    except OSError as error:
        raise AdapterError("bad_input", f"The image cannot be read: {error}") from error


def on_device(inputs: Any, model: Any) -> dict[str, Any]:
    """The tensors beside the model; pixels in its precision, for not every family casts them itself."""
    return {
        name: value.to(model.device, model.dtype if value.is_floating_point() else None)
        for name, value in inputs.items()
    }


def conversation(
    job: Job, image: Any, system: SystemForm | None, read: Callable[[str], Any] = str
) -> list[dict[str, Any]]:
    """The turns of the chat, each image before the question of its turn; `system` as the template wants it.

    image: that of the job. read: how those shown before it are opened."""
    told = str(job.params.get("system") or "")
    apart = bool(system and told)
    if apart:
        job = replace(job, params={**job.params, "system": ""})  # else it stands in the first turn
    messages: list[dict[str, Any]] = []
    for question, answer in turns(job):
        messages.append({"role": "user", "content": parts(question)})
        messages.append({"role": "assistant", "content": parts(answer)})
    messages.pop()  # what is asked for
    for turn, path in reversed(shown(job, len(messages) // 2 + 1)):
        opened = image if path == job.image else read(path)
        messages[2 * turn]["content"].insert(0, {"type": "image", "image": opened})
    return [{"role": "system", "content": system(told)}, *messages] if system and apart else messages


def parts(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}]


def system_form(processor: Any) -> SystemForm | None:
    """How the chat template takes the content of a system message beside an image; None when it takes none: some
    refuse it, some pass it over in silence, and some write a list of parts as Python would."""
    mark = "told before all else"
    asking = {"role": "user", "content": [{"type": "image"}, *parts("What?")]}
    forms: tuple[SystemForm, ...] = (parts, str)
    for form in forms:
        try:
            text = processor.apply_chat_template([{"role": "system", "content": form(mark)}, asking], tokenize=False)
        except Exception:  # noqa: BLE001, S112 - a template may raise anything, above all its own "not supported"
            continue
        if mark in text and f"'{mark}'" not in text:
            return form
    return None
