"""Runs made up for the tests of the store and of the export."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from adapters.base import Box
from arena.types import Memory, Run, Timeline

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def make_run(number: int = 0, **changes: Any) -> Run:
    """A complete run; `number` makes its ids and its time, a second apart."""
    usual: dict[str, Any] = {
        "run_id": f"run-{number:05d}",
        "comparison_id": f"comparison-{number // 2:05d}",
        "side": "AB"[number % 2],
        "order": number % 2,
        "created_at": NOON + timedelta(seconds=number),
        "model": "tesseract",
        "title": "Tesseract",
        "source": "tesserocr",
        "revision": "5.5",
        "adapter": "tesseract",
        "mode": "embedded",
        "quantization": "none",
        "dtype": "auto",
        "task": "ocr",
        "language": "ru",
        "prompt": "Прочитай весь текст",
        "prompt_sha256": "0" * 64,
        "image_sha256": "f" * 64,
        "image_width": 800,
        "image_height": 600,
        "original_width": 1600,
        "original_height": 1200,
        "seen_width": 800,
        "seen_height": None,
        "params": {"max_new_tokens": 256, "temperature": 0.5},
        "seed": 42,
        "status": "ok",
        "error_kind": None,
        "error_detail": None,
        "text": f"Кассовый чек № {number}\nИТОГО: 1 234,50",
        "characters": 30,
        "prompt_tokens": None,
        "output_tokens": 12,
        "visual_tokens": None,
        "retries": None,
        "tokens_per_s": 3.25,
        "characters_per_s": 40.0,
        "reference": None,
        "timeline": Timeline(queue_s=0.0, load_s=1.5, generate_s=0.25, total_s=1.75, cold=True),
        "memory": Memory(peak_ram_mb=120.5),
        "device": "Some CPU (2 cores)",
        "driver": None,
        "app_version": "0.1.0",
        "app_commit": "0123456789ab",
        "python_version": "3.11.2",
        "library_versions": {"tesserocr": "2.13.1"},
        "boxes": (Box(0, 1.5, 20, 30, "Кассовый", "word", 0.875), Box(30, 1, 40, 31)),
        "scores": {"cer": 0.125, "wer": None},
    }
    return Run(**usual | changes)


TEXTS = (
    "comparison_id",
    "side",
    "model",
    "title",
    "source",
    "revision",
    "adapter",
    "mode",
    "quantization",
    "dtype",
    "task",
    "language",
    "prompt",
    "prompt_sha256",
    "text",
    "device",
    "app_version",
    "python_version",
)
WHOLES = ("order", "characters")
SIZES = ("image_width", "image_height", "original_width", "original_height")
MAYBE_WHOLES = (
    *SIZES,
    "seen_width",
    "seen_height",
    "seed",
    "prompt_tokens",
    "output_tokens",
    "visual_tokens",
    "retries",
    "boxes_left_out",
)
MAYBE_TEXTS = ("image_sha256", "error_kind", "error_detail", "reference", "driver", "app_commit")


def any_runs() -> st.SearchStrategy[Run]:
    """Runs with anything that the types allow in any field but the run's id."""
    text = st.text(max_size=20)
    number = st.none() | st.floats(allow_nan=False)
    whole = st.integers(-(2**63) + 1, 2**63 - 1)
    value = st.none() | st.booleans() | whole | text | st.lists(text, max_size=2)
    box = st.builds(Box, st.floats(allow_nan=False), st.just(1.0), st.just(2.0), st.just(3.0), text, text, number)
    times = {field.name: number for field in fields(Timeline)} | {"cold": st.none() | st.booleans()}
    return st.builds(
        Run,
        run_id=st.just(""),
        created_at=st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
        status=st.sampled_from(["ok", "empty", "error"]),
        timeline=st.builds(Timeline, **times),
        memory=st.builds(Memory, **{field.name: number for field in fields(Memory)}),
        params=st.dictionaries(text, value, max_size=2),
        library_versions=st.dictionaries(text, text, max_size=2),
        boxes=st.lists(box, max_size=2).map(tuple),
        scores=st.dictionaries(st.sampled_from(["cer", "wer"]), number),
        error_text=st.just({}),
        **dict.fromkeys(("tokens_per_s", "characters_per_s"), number),
        **dict.fromkeys(WHOLES, whole),
        **dict.fromkeys(MAYBE_WHOLES, st.none() | whole),
        **dict.fromkeys(TEXTS, text),
        **dict.fromkeys(MAYBE_TEXTS, st.none() | text),
    )
