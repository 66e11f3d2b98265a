"""`from arena import compare, load_model`: the same loop and the same slots as the page, for scripts and notebooks."""

from __future__ import annotations

import atexit
import io
import threading
import warnings
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from adapters.base import Job, Output
from arena.cancel import Cancel
from arena.catalog import ModelSpec
from arena.compare import Request, Side
from arena.compare import compare as events_of
from arena.config import load_settings
from arena.core import Arena
from arena.errors import RunError
from arena.images import StoredImage
from arena.record import composed
from arena.types import Run

# The seeds' callers name languages in English; adapters want ISO 639-1.
LANGUAGE_NAMES = {"russian": "ru", "english": "en", "chinese": "zh", "german": "de", "french": "fr", "spanish": "es"}

_lock = threading.Lock()  # protects _arena: two threads must not open two
_arena: Arena | None = None


def default_arena() -> Arena:
    """The arena of this process, opened from the ARENA_* variables when first asked for, closed at exit."""
    global _arena
    with _lock:
        if _arena is None:
            _arena = Arena.open(load_settings())
            atexit.register(_arena.close)
        return _arena


def language_code(language: str) -> str:
    """ISO 639-1 of a language given as a code or by its English name; "" stays unknown.

    >>> language_code("Russian"), language_code("EN"), language_code("")
    ('ru', 'en', '')
    """
    return LANGUAGE_NAMES.get(language.strip().lower(), language.strip().lower())


def stored(arena: Arena, image: Any, page: int = 1) -> StoredImage:
    """The image (path, bytes or PIL image), normalised and stored. Raises `RunError` (``bad_input``)."""
    if isinstance(image, (str, Path)):
        return arena.images.add(Path(image), page=page)
    if isinstance(image, bytes):
        return arena.images.add(image, page=page)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return arena.images.add(buffer.getvalue())


def compare(
    image: Any,
    models: list[str],
    *,
    task: str = "ocr",
    prompt: str | None = None,
    language: str = "",
    reference: str | None = None,
    params: dict[str, object] | None = None,
    page: int = 1,
    anyway: bool = False,
) -> list[Run]:
    """One image through the models, in this order, one in memory at a time; every run is stored.

    After a model's name may stand how it is to run: ``qwen2_vl_2b:8bit``. anyway: run also what is estimated not to
    fit the memory; of what may run out of it a `UserWarning` tells.
    A model's failure is a run with a status. Raises `RunError` for an image, model or task that cannot be used.
    """
    arena = default_arena()
    chosen = arena.catalog.task(task)
    code = language_code(language)
    request = Request(
        sides=tuple(Side(arena.catalog.find(name), params or {}) for name in models),
        image=stored(arena, image, page),
        task=chosen,
        prompt=prompt if prompt is not None else chosen.prompt_for(code or "en"),
        language=code,
        reference=reference,
        anyway=anyway,
    )
    for side in request.sides:
        warn(arena, side.spec)
    return [event for event in events_of(arena, request) if isinstance(event, Run)]


def warn(arena: Arena, spec: ModelSpec) -> None:
    """Say it when the memory may not do."""
    status = arena.status(spec)
    if status.warns:
        warnings.warn(f"{spec.label}: {status.text()}", stacklevel=3)


class Model:
    """A model of the catalogue, loaded. Another one loaded meanwhile takes its place; the next call brings it back."""

    def __init__(self, arena: Arena, spec: ModelSpec) -> None:
        self._arena = arena
        self.spec = spec

    def process_image(
        self, image: Any, prompt: str | None = None, *, task: str = "ocr", language: str = "", **params: Any
    ) -> Output:
        """The model's whole output: text, boxes, token counts. Raises `RunError`."""
        chosen = self._arena.catalog.task(task)
        code = language_code(language)
        job = Job(
            image=str(stored(self._arena, image).path),
            prompt=prompt if prompt is not None else chosen.prompt_for(code or "en"),
            task=chosen.known_as,
            language=code,
            params={**self.spec.params, **params},
        )
        with self._arena.slots.for_(self.spec).lease(self.spec, Cancel()) as lease:
            for _ in lease.acquire():
                pass
            for piece in lease.predict(job):
                if isinstance(piece, Output):
                    return replace(piece, text=composed(piece.text))
        raise RunError("bad_output", "the model ended without an answer")

    def extract_text(self, image: Any, language: str = "", **params: Any) -> str:
        """The text in the image. `language`: of the document, as a code or an English name."""
        return self.process_image(image, task="ocr", language=language, **params).text

    def chat(self, image: Any, prompt: str, **params: Any) -> str:
        """The answer to a question about the image. Raises `RunError` when the model takes no questions."""
        if "question" not in self.spec.tasks:
            raise RunError("bad_input", key="models.no_task", model=self.spec.id, task="question")
        return self.process_image(image, prompt, task="question", **params).text

    def load(self, *, anyway: bool = False) -> Model:
        """Bring the model up now instead of at the first call; `anyway` even when it is estimated not to fit.

        Raises `RunError`."""
        self._arena.check(self.spec, anyway=anyway)
        warn(self._arena, self.spec)
        with self._arena.slots.for_(self.spec).lease(self.spec, Cancel()) as lease:
            for _ in lease.acquire():
                pass
        return self

    def unload(self) -> None:
        """End the model, if it is the one on its device, and prove its memory back."""
        slot = self._arena.slots.for_(self.spec)
        if slot.status()["model"] == self.spec.id:
            for _ in slot.unload():
                pass

    def __enter__(self) -> Model:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.unload()


def load_model(name: str, *, anyway: bool = False) -> Model:
    """The model, loaded, `anyway` even when it is estimated not to fit; use it in a ``with`` to have it unloaded.

    Raises `RunError`."""
    arena = default_arena()
    return Model(arena, arena.catalog.find(name)).load(anyway=anyway)


class ModelLoader:
    """The names that ChatVLMLLM's scripts call."""

    @staticmethod
    def load_model(name: str) -> Model:
        return load_model(name)

    @staticmethod
    def unload_all_models() -> None:
        default_arena().slots.unload_all()
