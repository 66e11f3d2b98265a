"""Any model of transformers 5 that is an `AutoModelForImageTextToText` with a chat template: Qwen-VL, SmolVLM, Llama.

Tokens are handed on as they are decoded; a stop takes effect at the next token. Greedy unless a temperature is given,
and then the same input gives the same text.
"""

from __future__ import annotations

import importlib.metadata
import queue
import threading
from collections.abc import Iterator
from typing import Any

from adapters.base import Adapter, AdapterError, Job, Output

DTYPES = {"auto": "auto", "bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
MAX_NEW_TOKENS = 1024
MIB = 1024 * 1024


class TransformersChat(Adapter):
    """Options: ``skip_modules``, full dotted names that quantization leaves alone; ``size``, the pixel budget given to
    the image processor (for Qwen-VL: ``shortest_edge`` and ``longest_edge`` as numbers of pixels)."""

    tasks = ("ocr", "formatted_ocr", "description", "question", "layout")
    prompted = True
    requires = ("torch", "torchvision", "transformers")
    preload = ("torch", "transformers", "transformers.generation.utils", "transformers.models.auto.modeling_auto")
    params = ("max_new_tokens", "temperature", "top_p", "repetition_penalty", "seed")

    def load(self, model: dict[str, Any]) -> None:
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor

        source = {
            "pretrained_model_name_or_path": model["source"],
            "trust_remote_code": False,
            "local_files_only": True,
        }
        if model.get("revision"):
            source["revision"] = model["revision"].removeprefix("pin:")
        options = model.get("options", {})
        self._device = model.get("device", "cpu")
        self._processor = AutoProcessor.from_pretrained(**source)
        if "size" in options:
            self._processor.image_processor.size = options["size"]
        self._model, report = AutoModelForImageTextToText.from_pretrained(
            **source,
            dtype=DTYPES[model.get("dtype", "auto")],
            quantization_config=quantization(model.get("quantization", "none"), options.get("skip_modules")),
            device_map={"": self._device},
            use_safetensors=True,
            output_loading_info=True,
        )
        # A model with random weights answers fluent nonsense: better none at all.
        if absent := sorted({*report["missing_keys"], *map(str, report["mismatched_keys"])}):
            raise AdapterError("start_failed", f"weights missing from the checkpoint: {', '.join(absent[:8])}")
        self._model.eval()
        if self._device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats()

    def predict(self, job: Job) -> Iterator[str | Output]:
        import torch

        inputs = self._inputs(job)
        count = int(inputs["input_ids"].shape[1])
        limit = int(job.params.get("max_new_tokens") or MAX_NEW_TOKENS)
        if job.params.get("seed") is not None:
            torch.manual_seed(int(job.params["seed"]))
        said: list[str] = []
        tokens: list[int] = []
        text = Detokenizer(self._processor.tokenizer)
        for token in self._generate({**inputs, "max_new_tokens": limit, **sampling(job.params)}, count):
            tokens.append(token)
            if piece := text.add(token):
                said.append(piece)
                yield piece
        if piece := text.rest():
            said.append(piece)
            yield piece
        yield Output(
            text="".join(said),
            finish_reason="length" if len(tokens) >= limit and tokens[-1] not in self._ends() else "stop",
            prompt_tokens=count,
            output_tokens=len(tokens) or None,
            visual_tokens=self._visual_tokens(inputs["input_ids"]),
            **self._seen(inputs),
            **self._torch_memory(),
        )

    def _inputs(self, job: Job) -> dict[str, Any]:
        """Tensors for one user turn: the image, then the prompt."""
        from PIL import Image

        try:
            with Image.open(job.image) as file:
                image = file.convert("RGB")
        except OSError as error:
            raise AdapterError("bad_input", f"The image cannot be read: {error}") from error
        content = [{"type": "image", "image": image}, {"type": "text", "text": job.prompt}]
        inputs = self._processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        ).to(self._device)
        return {
            name: value.to(self._model.dtype) if value.is_floating_point() else value for name, value in inputs.items()
        }

    def _generate(self, arguments: dict[str, Any], skip: int) -> Iterator[int]:
        """Ids of new tokens as they are chosen; closing the iterator stops the model at the next one."""
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList

        ids: queue.Queue[int | BaseException | None] = queue.Queue()
        stopped = threading.Event()

        class Tap(StoppingCriteria):  # sees every token once, and may end the loop
            def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
                ids.put(int(input_ids[0, -1]))
                return torch.full((1,), stopped.is_set(), dtype=torch.bool, device=input_ids.device)

        def run() -> None:
            try:
                with torch.inference_mode():
                    self._model.generate(**arguments, stopping_criteria=StoppingCriteriaList([Tap()]))
                ids.put(None)
            except BaseException as error:  # noqa: BLE001 - raised again where the answer is waited for
                ids.put(error)

        thread = threading.Thread(target=run, daemon=True, name="generate")
        thread.start()
        try:
            while (token := ids.get()) is not None:
                if isinstance(token, BaseException):
                    raise token
                yield token
        finally:
            stopped.set()
            thread.join()

    def _ends(self) -> set[int]:
        """Ids of the tokens that end an answer."""
        ends = self._model.generation_config.eos_token_id
        return set(ends) if isinstance(ends, list) else {ends}

    def _visual_tokens(self, ids: Any) -> int | None:
        image = getattr(self._model.config, "image_token_id", None) or getattr(
            self._model.config, "image_token_index", None
        )
        return int((ids == image).sum()) or None if image is not None else None

    def _seen(self, inputs: dict[str, Any]) -> dict[str, int]:
        """Width and height in pixels after the processor's resize, where the tensors tell."""
        if "image_grid_thw" in inputs:
            patch = self._processor.image_processor.patch_size
            _, rows, columns = inputs["image_grid_thw"][0].tolist()
            return {"seen_width": columns * patch, "seen_height": rows * patch}
        return {}

    def _torch_memory(self) -> dict[str, float]:
        import torch

        if not self._device.startswith("cuda"):
            return {}
        return {
            "torch_allocated_mb": torch.cuda.max_memory_allocated() / MIB,
            "torch_reserved_mb": torch.cuda.max_memory_reserved() / MIB,
        }

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("torch", "transformers")}


def quantization(name: str, skip_modules: list[str] | None) -> Any:
    """The bitsandbytes configuration for ``8bit`` or ``4bit``; None for ``none``.

    `skip_modules` are full dotted names: a list of one's own replaces the automatic one, so it names the output layer
    too, and a bare ``visual`` would match nothing.
    """
    if name == "none":
        return None
    from transformers import BitsAndBytesConfig

    if not skip_modules:
        raise AdapterError("start_failed", "quantization needs skip_modules in the model's options")
    if name == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=skip_modules)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", llm_int8_skip_modules=skip_modules)


def sampling(params: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `generate`: greedy unless a temperature above zero is asked for."""
    chosen: dict[str, Any] = {"repetition_penalty": float(params.get("repetition_penalty") or 1.0)}
    if temperature := float(params.get("temperature") or 0):
        return {**chosen, "do_sample": True, "temperature": temperature, "top_p": float(params.get("top_p") or 1.0)}
    return {**chosen, "do_sample": False, "temperature": None, "top_p": None, "top_k": None}


class Detokenizer:
    """Token ids to text, piece by piece: a character of several tokens comes out once it is whole.

    A piece is what the text of a short window gains by a token, since many tokenizers treat the first token of a text
    differently from the same token inside it.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._begin = self._read = 0

    def _text(self, begin: int, end: int) -> str:
        text: str = self._tokenizer.decode(self._ids[begin:end], skip_special_tokens=True)
        return text

    def add(self, token: int) -> str:
        """The text that this token completes, "" when a character is still broken."""
        self._ids.append(token)
        return "" if self._gain().endswith("\ufffd") else self._advance()

    def rest(self) -> str:
        """What is left at the end, broken characters included."""
        return self._advance()

    def _gain(self) -> str:
        return self._text(self._begin, len(self._ids))[len(self._text(self._begin, self._read)) :]

    def _advance(self) -> str:
        gained = self._gain()
        self._begin, self._read = self._read, len(self._ids)
        return gained
