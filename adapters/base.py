"""What every adapter is given and gives back; standard library only, Python 3.10 and newer.

An adapter is one family of models behind one verb, `predict`. It never imports `arena`: it runs in a worker
process, perhaps under another interpreter with other pins, and talks to the application in `Job` and `Output`.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

FinishReason = Literal["stop", "length", "loop"]


@dataclass(frozen=True)
class Job:
    """One image and what is asked of it.

    image: path of an upright 8-bit RGB PNG; every model of a comparison gets the very same file.
        ``""`` where nothing is shown, which only an adapter with `Adapter.needs_image` False is given.
    prompt: the question, already in the user's language; engines that take none ignore it.
    task: id of the task (``ocr``, ``formatted_ocr``, ``description``, ``question``, ``chat``, ``layout``,
        ``grounding``); for the last the prompt names the thing to be found.
    language: language of the document as an ISO 639-1 code (``ru``, ``en``), or ``""`` when not known.
    params: ``max_new_tokens``, ``temperature``, ``top_p``, ``repetition_penalty``, ``seed``; of a chat ``history``,
        the turns before as ``[[question, answer], …]``, and ``system``, what the model is told before all of them; and
        what the adapter documents besides. A missing key means the adapter's default.
    """

    image: str
    prompt: str = ""
    task: str = "ocr"
    language: str = ""
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of `Job.image` (x to the right, y down), x0 < x1 and y0 < y1.

    kind: ``word``, ``line`` or a layout category such as ``Table``. confidence: 0 to 1, None where unknown.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    text: str = ""
    kind: str = "line"
    confidence: float | None = None

    @classmethod
    def within(cls, box: Any, width: int, height: int, **fields: Any) -> Box | None:
        """The box clamped to an image of `width` x `height` pixels, or None when nothing of it is left.

        Takes any four numbers, sorts the corners and refuses NaN, infinity and the wrong number of them.
        """
        try:
            xa, ya, xb, yb = (float(value) for value in box)
        except (TypeError, ValueError):
            return None
        if not all(math.isfinite(value) for value in (xa, ya, xb, yb)):
            return None
        x0, x1 = sorted((min(max(xa, 0.0), width), min(max(xb, 0.0), width)))
        y0, y1 = sorted((min(max(ya, 0.0), height), min(max(yb, 0.0), height)))
        if x1 <= x0 or y1 <= y0:
            return None
        return cls(x0, y0, x1, y1, **fields)


@dataclass(frozen=True)
class Output:
    """The whole answer to a job.

    text: the answer; the concatenation of all streamed pieces equals it.
    boxes, boxes_left_out: what the answer places, and how many of its boxes or elements could not be understood; None
        where it has none. Both come from `understood`.
    seen_width, seen_height: size in pixels of what the model really saw, None where the engine does not say.
    prompt_tokens, output_tokens, visual_tokens: counted by the model, None where it counts none.
    torch_allocated_mb, torch_reserved_mb: peaks of this job in MiB, None without torch on a GPU.
    retries: how often the request to a service had to be repeated, None where nothing was asked over a network.
    """

    text: str
    boxes: tuple[Box, ...] = ()
    boxes_left_out: int | None = None
    finish_reason: FinishReason = "stop"
    seen_width: int | None = None
    seen_height: int | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    visual_tokens: int | None = None
    torch_allocated_mb: float | None = None
    torch_reserved_mb: float | None = None
    retries: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Output:
        return cls(**{**data, "boxes": tuple(Box(**box) for box in data["boxes"])})


def understood(found: Iterable[Box | None]) -> dict[str, Any]:
    """The fields `Output.boxes` and `Output.boxes_left_out` of an answer. found: all that it meant as a box, None for
    each that is none."""
    every = list(found)
    return {"boxes": tuple(box for box in every if box), "boxes_left_out": every.count(None) if every else None}


def turns(job: Job) -> list[tuple[str, str]]:
    """The turns of a chat: what was asked and answered before, and last what is asked now, with an empty answer. What
    the model is told before all of them stands in the first, for few templates have another place for it."""
    before = [(str(question), str(answer)) for question, answer in job.params.get("history") or ()]
    (first, answer), *rest = [*before, (job.prompt, "")]
    system = str(job.params.get("system") or "")
    return [(f"{system}\n\n{first}" if system else first, answer), *rest]


class AdapterError(Exception):
    """A fault that the adapter can name: `kind` is one of the kinds of `arena.errors`, `detail` says what."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class Adapter:
    """One family of models. A subclass sets the class attributes and writes `load` and `predict`.

    tasks: ids of the tasks the family can do. prompted: whether it reads `Job.prompt`.
    needs_image: whether it can do nothing without `Job.image`. several_images: whether it is shown every picture of a
    conversation (``earlier_images`` in `Job.params`), and not the newest alone.
    requires: modules without which it cannot work (asked for with `find_spec`, never imported to look).
    preload: modules worth importing in the warm parent; they must not start threads or touch the GPU.
    params: names of the generation parameters it honours. choices: what some of them take, where it is one of a few.
    """

    tasks: ClassVar[tuple[str, ...]] = ("ocr",)
    prompted: ClassVar[bool] = False
    needs_image: ClassVar[bool] = True
    several_images: ClassVar[bool] = False
    requires: ClassVar[tuple[str, ...]] = ()
    preload: ClassVar[tuple[str, ...]] = ()
    params: ClassVar[tuple[str, ...]] = ()
    choices: ClassVar[Mapping[str, tuple[str | int, ...]]] = {}

    @classmethod
    def missing(cls) -> str | None:
        """What is absent on this machine although the modules of `requires` are there, and the command that
        brings it; None when nothing is. Cheap: called when the list of models is shown."""
        return None

    def load(self, model: dict[str, Any]) -> None:
        """Load the weights. `model` holds the catalogue entry: ``id``, ``source``, ``revision``,
        ``quantization``, ``dtype``, ``device``, ``options``. Raises `AdapterError`."""
        raise NotImplementedError

    def predict(self, job: Job) -> Iterator[str | Output]:
        """Yield pieces of the answer as they come, then one `Output`, last. Raises `AdapterError`.

        A worker that is told to stop closes the generator between two pieces."""
        raise NotImplementedError

    def versions(self) -> dict[str, str]:
        """Versions of the libraries that shape the answer, by name."""
        return {}

    def close(self) -> None:
        """Called once before a clean end; the memory comes back with the end of the process."""


def adapter_class(name: str) -> type[Adapter]:
    """The one `Adapter` subclass defined in ``adapters/<name>.py``. Raises `ImportError` or `LookupError`."""
    module = importlib.import_module(f"adapters.{name}")
    for value in vars(module).values():
        if not isinstance(value, type) or value is Adapter:
            continue
        if issubclass(value, Adapter) and value.__module__ == module.__name__:
            return value
    raise LookupError(f"adapters/{name}.py defines no Adapter")
