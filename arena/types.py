"""The nouns that travel through the program: a run with its timeline and memory, and the events on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from adapters.base import Box

Status = Literal["ok", "empty", "loop", "truncated", "timeout", "oom", "cancelled", "error"]
Stage = Literal["queued", "unloading", "starting", "loading", "generating"]
STAGES: tuple[Stage, ...] = ("queued", "unloading", "starting", "loading", "generating")


@dataclass(frozen=True)
class Timeline:
    """Seconds of each stage of one run; None where the stage did not happen or could not be measured.

    queue_s: waiting for the device. unload_s: ending the model before and proving its memory back.
    start_s: the worker process. load_s: the weights. first_token_s: from the request to the first piece of text.
    generate_s: from the request to the whole answer. total_s: all of it. cold: the model was loaded for this run.
    """

    queue_s: float | None = None
    unload_s: float | None = None
    start_s: float | None = None
    load_s: float | None = None
    first_token_s: float | None = None
    generate_s: float | None = None
    total_s: float | None = None
    cold: bool | None = None


@dataclass(frozen=True)
class Memory:
    """Peaks of one run in MiB; None where nothing measured it.

    peak_ram_mb: resident memory of the worker and its children, shared pages included.
    peak_vram_process_mb: NVML, the worker's processes. peak_vram_device_mb: NVML, the whole device.
    torch_allocated_mb, torch_reserved_mb: torch's own peaks inside the worker.
    """

    peak_ram_mb: float | None = None
    peak_vram_process_mb: float | None = None
    peak_vram_device_mb: float | None = None
    torch_allocated_mb: float | None = None
    torch_reserved_mb: float | None = None


@dataclass(frozen=True)
class Cell:
    """The place of a run in a benchmark; all None for a run of its own.

    repeat: 0 for a warm-up, which no figure of warm runs counts, then 1, 2, … host: the machine that answered.
    cached_from: the run whose answer this repeats instead of asking the model again, None for a real answer.
    """

    benchmark_id: str | None = None
    item: str | None = None
    repeat: int | None = None
    host: str | None = None
    cached_from: str | None = None


ALONE = Cell()


@dataclass(frozen=True)
class Run:
    """One model's answer to one image, or its failure, with what it cost: a row of the table and of the CSV.

    The order of the fields is the order of the CSV's columns.
    """

    run_id: str
    comparison_id: str
    side: str  # "A", "B", …
    order: int  # 0 for the model that ran first
    created_at: datetime  # UTC
    model: str
    title: str
    source: str
    revision: str
    adapter: str
    mode: str  # embedded, transformers, vllm, endpoint
    quantization: str
    dtype: str
    task: str
    language: str
    prompt: str
    prompt_sha256: str
    image_sha256: str | None  # None, as the sizes, where nothing was shown
    image_width: int | None
    image_height: int | None
    original_width: int | None
    original_height: int | None
    seen_width: int | None
    seen_height: int | None
    params: dict[str, Any]
    seed: int | None
    status: Status
    error_kind: str | None
    error_detail: str | None
    text: str
    characters: int
    prompt_tokens: int | None
    output_tokens: int | None
    visual_tokens: int | None
    retries: int | None
    tokens_per_s: float | None
    characters_per_s: float | None
    reference: str | None
    timeline: Timeline
    memory: Memory
    device: str
    driver: str | None
    app_version: str
    app_commit: str | None
    python_version: str
    library_versions: dict[str, str]
    energy_j: float | None = None  # of the whole GPU from the request to the end of the answer, by NVML
    cell: Cell = ALONE
    boxes_left_out: int | None = None  # that could not be understood; None for an answer that places nothing
    boxes: tuple[Box, ...] = ()
    scores: dict[str, float | None] = field(default_factory=dict)
    error_text: dict[str, str] = field(default_factory=dict)  # by language, for the page; not stored


@dataclass(frozen=True)
class Progress:
    """Where a side is now; comes at least once a second while anything is waited for.

    position: place in the queue, 1 is next; None when not queued. seconds: in this stage so far. phase: what is done
    within the stage, a key ``phases.*``, or "". log: the last lines that whatever is started wrote.
    """

    side: str
    stage: Stage
    seconds: float
    position: int | None = None
    phase: str = ""
    log: str = ""


@dataclass(frozen=True)
class Delta:
    """A further piece of a side's answer."""

    side: str
    text: str


Event = Progress | Delta | Run
