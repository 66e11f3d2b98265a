"""From what happened to the fact: everything a run's row says, put together in one place."""

from __future__ import annotations

import hashlib
import platform
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ulid import ULID

from adapters.base import Output
from arena.config import VERSION
from arena.errors import RunError
from arena.score import outcome, score
from arena.slot import Lease
from arena.strings import LANGUAGES
from arena.types import Memory, Run, Status, Timeline

if TYPE_CHECKING:
    from arena.compare import Request, Side
    from arena.core import Arena


def new_id() -> str:
    """A ULID: unique, and sorted by time."""
    return str(ULID())


def composed(text: str) -> str:
    """A model's text with its letters in one piece (Unicode NFC): the same words are then found and compared as the
    same. Its stream is passed on as it comes, for a letter would have to wait for the marks that may follow it."""
    return unicodedata.normalize("NFC", text)


@dataclass
class Answer:
    """What one side said and when (monotonic seconds); filled while it answers, whole or not."""

    pieces: list[str] = field(default_factory=list)
    output: Output | None = None
    error: RunError | None = None
    looped: bool = False
    asked: float | None = None
    first: float | None = None
    last: float | None = None
    answered: float | None = None
    ended: float | None = None
    memory: Memory = field(default_factory=Memory)
    energy_j: float | None = None

    def add(self, piece: str, now: float) -> None:
        self.pieces.append(piece)
        self.first = self.first or now
        self.last = now

    @property
    def text(self) -> str:
        return composed(self.output.text if self.output else "".join(self.pieces))


def status_of(got: Answer) -> Status:
    if got.error:
        return got.error.status  # type: ignore[return-value]
    return "loop" if got.looped or got.output is None else outcome(got.output)


def timeline_of(lease: Lease, got: Answer) -> Timeline:
    """The stages' seconds; the total is their sum, for nothing happens between them.

    Of a service elsewhere nobody knows what it loads and when: finding it belongs to the start.
    """
    load_s, start_s, cold = lease.load_s, lease.start_s, lease.cold
    if lease.spec.elsewhere:
        load_s, start_s, cold = None, (start_s or 0.0) + load_s if load_s is not None else start_s, None
    generate_s = (got.answered or got.ended or got.asked or 0) - got.asked if got.asked else None
    first = got.first or got.answered
    stages = (lease.queue_s, lease.unload_s, start_s, load_s, generate_s)
    return Timeline(
        queue_s=lease.queue_s,
        unload_s=lease.unload_s,
        start_s=start_s,
        load_s=load_s,
        first_token_s=first - got.asked if got.asked and first else None,
        generate_s=generate_s,
        total_s=sum(stage for stage in stages if stage is not None) if lease.queue_s is not None else None,
        cold=cold,
    )


def rates_of(got: Answer, generate_s: float | None) -> tuple[float | None, float | None]:
    """Tokens and characters per second.

    Tokens: (n - 1) / (last piece - first piece), the decode rate as serving benchmarks define it; None unless the
    model counted its tokens and streamed. Characters: of the whole answer, over the whole time it took.
    """
    tokens = got.output.output_tokens if got.output else None
    decoding = got.last - got.first if got.first and got.last else 0.0
    per_s = (tokens - 1) / decoding if tokens and tokens > 1 and decoding > 0 else None
    return per_s, len(got.text) / generate_s if generate_s and got.text else None


def record(arena: Arena, request: Request, order: int, letter: str, side: Side, lease: Lease, got: Answer) -> Run:
    """The run as it will be stored and shown."""
    spec, image, output, timeline = side.spec, request.image, got.output, timeline_of(lease, got)
    params = {**spec.params, **side.params}
    tokens_per_s, characters_per_s = rates_of(got, timeline.generate_s)
    gpu = next((gpu for gpu in arena.gpus.devices() if gpu.index == lease.slot.device_index), None)
    memory, boxes = got.memory, output.boxes if output else ()
    if output:
        memory = replace(
            memory,
            torch_allocated_mb=output.torch_allocated_mb,
            torch_reserved_mb=output.torch_reserved_mb,
        )
    return Run(
        run_id=new_id(),
        comparison_id=request.comparison_id,
        side=letter,
        order=order,
        created_at=datetime.now(UTC),
        model=spec.id,
        title=spec.title,
        source=spec.source,
        revision=spec.revision,
        adapter=spec.adapter,
        mode=spec.mode,
        quantization=spec.quantization,
        dtype=spec.dtype,
        task=request.task.id,
        language=request.language,
        prompt=request.prompt,
        prompt_sha256=hashlib.sha256(request.prompt.encode("utf-8", "surrogatepass")).hexdigest(),
        image_sha256=image.sha256 if image else None,
        image_width=image.width if image else None,
        image_height=image.height if image else None,
        original_width=image.original_width if image else None,
        original_height=image.original_height if image else None,
        seen_width=output.seen_width if output else None,
        seen_height=output.seen_height if output else None,
        params=params,
        seed=int(params["seed"]) if params.get("seed") is not None else None,
        status=status_of(got),
        error_kind=got.error.kind if got.error else None,
        error_detail=got.error.detail if got.error else None,
        text=got.text,
        characters=len(got.text),
        prompt_tokens=output.prompt_tokens if output else None,
        output_tokens=output.output_tokens if output else None,
        visual_tokens=output.visual_tokens if output else None,
        retries=output.retries if output else None,
        tokens_per_s=tokens_per_s,
        characters_per_s=characters_per_s,
        reference=request.reference if request.truth is None else request.truth.shown,
        timeline=timeline,
        memory=memory,
        device=spec.elsewhere.host if spec.elsewhere else gpu.name if gpu else arena.cpu,
        driver=gpu.driver if gpu else None,
        app_version=VERSION,
        app_commit=arena.commit,
        python_version=platform.python_version(),
        library_versions=lease.handle.versions if lease.handle else {},
        boxes_left_out=output.boxes_left_out if output else None,
        boxes=boxes,
        scores=score(got.text, boxes, request.known, request.task.metrics) if not got.error else {},
        energy_j=got.energy_j,
        cell=request.cell,
        error_text={lang: got.error.text(lang) for lang in LANGUAGES} if got.error else {},
    )
