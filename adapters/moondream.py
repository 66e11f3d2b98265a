"""Moondream 2 of vikhyatk, revision 2025-06-21, with its maker's code on an older transformers.

Four skills: a question is answered, a picture captioned, things are detected (boxes) or pointed at. The context is 2048
tokens, of which the image takes 730, so long texts are cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from adapters import remote_code
from adapters.base import Adapter, AdapterError, Job, Output, understood
from adapters.coordinates import boxes_in
from adapters.torch_generation import PeakMemory, number, versions

TOKENIZER = "moondream/starmie-v1"  # fetched by the model's code, from a repository of its own
VISUAL_TOKENS = 729
MAX_NEW_TOKENS = 768
SKILLS = ("query", "caption", "detect", "point")


class Moondream(Adapter):
    """Parameters besides the common ones: ``skill`` (query, caption, detect, point) and, for a caption, ``length``
    (short, normal, long). The prompt of detect and point is the name of the thing."""

    tasks = ("ocr", "description", "question", "grounding")
    prompted = True
    requires = ("torch", "torchvision", "transformers")
    preload = remote_code.PRELOAD
    params = ("max_new_tokens", "temperature", "top_p", "seed", "skill", "length")
    choices: ClassVar = {"skill": SKILLS, "length": ("short", "normal", "long")}

    def load(self, model: dict[str, Any]) -> None:
        from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled
        from transformers import AutoModelForCausalLM

        folder = remote_code.snapshot(model)
        remote_code.fix_commits(model.get("also") or {})
        self._commit = remote_code.commit_of(folder)
        self._device = model.get("device", "cpu")
        try:
            self._model = remote_code.load(AutoModelForCausalLM, folder, model, [])
        except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
            command = f"python -m arena models download {model['id']}"
            raise AdapterError("unavailable", f"its tokenizer {TOKENIZER} is missing. Run: {command}") from error

    def predict(self, job: Job) -> Iterator[str | Output]:
        import torch

        image = remote_code.picture(job)
        memory = PeakMemory(self._device)
        limit = int(number(job.params, "max_new_tokens", MAX_NEW_TOKENS, 1, 1_000_000))
        settings = {
            "temperature": number(job.params, "temperature", 0.0, 0.0, 100.0),
            "top_p": number(job.params, "top_p", 1.0, 1e-6, 1.0),
            "max_tokens": limit,
            "variant": None,
        }
        if job.params.get("seed") is not None:
            torch.manual_seed(int(job.params["seed"]))
        said: list[str] = []
        for piece in self._say(job, image, settings):
            said.append(piece)
            yield piece
        text = "".join(said)
        count = self._count(text)
        yield Output(
            text=text,
            **understood(boxes_in("moondream", text, image.size) if skill_for(job) == "detect" else ()),
            finish_reason="length" if count is not None and count >= limit else "stop",
            output_tokens=count or None,
            visual_tokens=VISUAL_TOKENS,
            **memory.fields(),
        )

    def _say(self, job: Job, image: Any, settings: dict[str, Any]) -> Iterator[str]:
        """The pieces of an answer; what was found as JSON, in fractions of the image's sides."""
        skill = skill_for(job)
        if skill == "query":
            yield from self._model.query(image, job.prompt, stream=True, settings=settings)["answer"]
        elif skill == "caption":
            length = job.params.get("length") or "normal"
            yield from self._model.caption(image, length, stream=True, settings=settings)["caption"]
        elif skill in SKILLS:
            found = getattr(self._model, skill)(image, job.prompt, settings={"max_objects": 50, "variant": None})
            yield json.dumps(next(iter(found.values())), ensure_ascii=False)
        else:
            raise AdapterError("bad_input", f"skill must be one of {', '.join(SKILLS)}, not {skill!r}")

    def _count(self, text: str) -> int | None:
        """Tokens of an answer, counted again since the code does not tell."""
        tokenizer = getattr(self._model.model, "tokenizer", None)
        return len(tokenizer.encode(text).ids) if tokenizer else None

    def versions(self) -> dict[str, str]:
        return versions(self._model, self._commit)


def skill_for(job: Job) -> str:
    """What is asked of the model: the named skill, else what suits the task."""
    suits = "detect" if job.task == "grounding" else "query" if job.prompt else "caption"
    return str(job.params.get("skill") or suits)
