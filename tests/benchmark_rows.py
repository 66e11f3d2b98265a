"""Benchmarks made up for the tests of reports: what was asked, and rows as if it had been answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from runs import make_run

from arena.benchmarks_kept import Benchmark, KeptItem
from arena.core import Arena
from arena.types import Cell, Memory, Run, Timeline
from benchmarks.runs.plan import Plan

TITLES = {"tesseract": "Tesseract 5", "rapidocr": "RapidOCR"}


def kept(arena: Arena, name: str, items: Sequence[KeptItem], models: Sequence[str] = ("tesseract", "rapidocr")) -> str:
    plan = Plan(name, name, "a set", "12" * 32, tuple(models), specs={model: {} for model in models})
    told = Benchmark(name, name, "a set", "12" * 32, plan.to_dict(), "done", datetime(2026, 1, 31, 12, tzinfo=UTC))
    arena.benchmarks.begin(told, items)
    return name


def item(number: int, **tags: str) -> KeptItem:
    language = ("ru", "en")[number % 2]
    return KeptItem(f"page-{number:03d}", number, "ocr", language, "Read", {"text": "one two three"}, tags, "")


def answered(arena: Arena, benchmark: str, number: int, model: str = "tesseract", repeat: int = 1, **changes) -> Run:
    """A saved answer to the item of that number."""
    side = "AB"[model != "tesseract"]
    seconds = changes.pop("seconds", 0.5)
    told = {
        "run_id": f"{benchmark}-{model}-{number}-{repeat}",
        "model": model,
        "title": TITLES.get(model, model),
        "side": side,
        "text": "one tvo three",
        "reference": "one two three",
        "image_sha256": None,
        "scores": {"cer": 0.1 + 0.002 * number, "wer": 0.3},
        "timeline": Timeline(0.0, None, 0.01, None, seconds / 2, seconds, seconds + 0.01, False),
        "memory": Memory(peak_ram_mb=300.0),
        "cell": Cell(benchmark, f"page-{number:03d}", repeat, "desk", changes.pop("cached_from", None)),
    }
    run = make_run(number, **{**told, **changes})
    arena.store.save(run)
    return run


def paired(arena: Arena) -> str:
    """Two models, one of which has not come to the end, on pages of two kinds, clean and blurred."""
    levels = [("clean", "0"), ("blur", "1"), ("blur", "2")]
    tags = [
        {"kind": ("form", "sign")[at % 2], "degradation": kind, "level": level}
        for at in range(20)
        for kind, level in levels
    ]
    name = kept(arena, "paired", [item(number, **each) for number, each in enumerate(tags)])
    for number in range(60):
        answered(arena, name, number, scores={"cer": 0.1 + 0.01 * (number % 3)})
        if number < 50:
            answered(arena, name, number, "rapidocr", scores={"cer": 0.2 + 0.02 * (number % 7)})
    return name
