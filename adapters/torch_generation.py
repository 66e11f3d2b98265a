"""Answers of transformers' `generate`, token by token: sampling, stopping, and text that is whole letters."""

from __future__ import annotations

import functools
import importlib.metadata
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from adapters.base import AdapterError

MAX_NEW_TOKENS = 1024
MIB = 1024 * 1024
PARAMS = ("max_new_tokens", "temperature", "top_p", "repetition_penalty", "seed")


class Answer:
    """One answer while it is made: iterate over its pieces of text; then `tokens` and `length` are whole.

    tokens: ids of everything that was generated. length: whether the limit ended it.
    Closing the iterator stops the model at the next token.
    """

    def __init__(self, model: Any, tokenizer: Any, inputs: dict[str, Any], params: dict[str, Any], **more: Any) -> None:
        self.tokens: list[int] = []
        self.length = False
        self._model, self._tokenizer = model, tokenizer
        self._limit = int(number(params, "max_new_tokens", MAX_NEW_TOKENS, 1, 1_000_000))
        self._arguments = {**inputs, "max_new_tokens": self._limit, **sampling(params), **more}
        self._seed = params.get("seed")

    def __iter__(self) -> Iterator[str]:
        import torch

        if self._seed is not None:
            torch.manual_seed(int(self._seed) % 2**63)
        text = Text(self._tokenizer)
        for token in chosen(self._model, self._arguments):
            self.tokens.append(token)
            if piece := text.add(token):
                yield piece
        self.length = len(self.tokens) >= self._limit and self.tokens[-1] not in ends(self._model)
        if piece := text.rest():
            yield piece

    def marked(self) -> str:
        """The answer with its special tokens, among them the marks around boxes."""
        said: str = self._tokenizer.decode(self.tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return said


def ends(model: Any) -> list[int]:
    """Ids of the tokens that end an answer."""
    said = model.generation_config.eos_token_id
    return said if isinstance(said, list) else [said]


def number(params: dict[str, Any], name: str, default: float, least: float, most: float) -> float:
    """A parameter, `default` where it is missing. Raises `AdapterError` (``bad_input``) when it is out of range."""
    value = params.get(name)
    try:
        value = default if value is None else float(value)
    except (TypeError, ValueError):
        value = least - 1
    if not least <= value <= most:
        raise AdapterError("bad_input", f"{name} must be from {least:g} to {most:g}, not {params[name]!r}")
    return value


def sampling(params: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `generate`: greedy unless a temperature above zero is asked for, whatever the checkpoint prefers."""
    temperature = number(params, "temperature", 0.0, 0.0, 100.0)
    top_p = number(params, "top_p", 1.0, 1e-6, 1.0)
    chosen = {"repetition_penalty": number(params, "repetition_penalty", 1.0, 0.01, 100.0)}
    if temperature:
        return {**chosen, "do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0}
    return {**chosen, "do_sample": False, "temperature": None, "top_p": None, "top_k": None}


@functools.cache
def generating() -> ThreadPoolExecutor:
    """The one thread of this process that `generate` runs in. It stays, and with it the memory that torch and the
    allocator keep for a thread: in a new one every answer would begin with a thousand page faults."""
    return ThreadPoolExecutor(1, thread_name_prefix="generate")


def chosen(model: Any, arguments: dict[str, Any]) -> Iterator[int]:
    """Ids of new tokens as `generate`, in a thread, chooses them; its errors are raised here."""
    import torch

    ids: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
    stopped = threading.Event()

    class Stopped(Exception):
        pass

    class Tap:
        """A streamer: `generate` gives it the prompt first, then every token."""

        prompted = False

        def put(self, tokens: Any) -> None:
            if stopped.is_set():
                raise Stopped
            if self.prompted:
                ids.put(int(tokens[0]))
            self.prompted = True

        def end(self) -> None:
            pass

    def run() -> None:
        try:
            with torch.inference_mode():
                model.generate(**arguments, streamer=Tap())
            ids.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is waited for
            ids.put(error)

    running = generating().submit(run)
    try:
        while (token := ids.get()) is not None:
            if isinstance(token, BaseException):
                raise token
            yield token
    finally:
        stopped.set()
        running.result()


class Text:
    """Token ids to text, piece by piece: a letter comes out once its bytes are whole.

    A piece is what the text of a short window gains by a token, since many tokenizers treat the first token of a text
    differently from the same token inside it.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._window: list[int] = []  # the tokens of the piece before, then those that gave nothing yet
        self._known = 0  # of the window, how many have given their text
        self._before = ""  # the text of those

    def add(self, token: int) -> str:
        """The text that this token completes, "" when a letter is still broken."""
        self._window.append(token)
        text = self._decode(self._window)
        return "" if text.endswith("\ufffd") else self._gain(text)

    def rest(self) -> str:
        """What is left at the end, broken letters included."""
        return self._gain(self._decode(self._window))

    def _decode(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _gain(self, text: str) -> str:
        gained = text[len(self._before) :]
        self._window = self._window[self._known :]
        self._known = len(self._window)
        self._before = self._decode(self._window)
        return gained


class PeakMemory:
    """The most that torch held on the GPU since this was made; nothing on a CPU."""

    def __init__(self, device: str) -> None:
        import torch

        self._device = device if device.startswith("cuda") else ""
        if self._device:
            torch.cuda.reset_peak_memory_stats(self._device)

    def fields(self) -> dict[str, float]:
        """Fields of an `Output`, in MiB."""
        import torch

        if not self._device:
            return {}
        return {
            "torch_allocated_mb": torch.cuda.max_memory_allocated(self._device) / MIB,
            "torch_reserved_mb": torch.cuda.max_memory_reserved(self._device) / MIB,
        }


def versions(model: Any, commit: str = "") -> dict[str, str]:
    """Of the libraries that shape the answer, and the commit of the weights where the Hub gave them.

    Before transformers 5 the model's configuration knew it."""
    found = {name: importlib.metadata.version(name) for name in ("torch", "transformers")}
    commit = commit or getattr(model.config, "_commit_hash", None) or ""
    return found | ({"weights": commit} if commit else {})
