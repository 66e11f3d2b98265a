"""A batch of images through the runner of benchmarks, per image, against a plain loop over the engine: tesseract."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path

from adapters.base import Adapter, Job, Output, adapter_class
from arena.cancel import Cancel
from arena.config import load_settings
from arena.core import Arena, arena_of
from benchmarks.datasets import Dataset, Item
from benchmarks.metrics.truth import Truth
from benchmarks.runs.plan import asks
from benchmarks.runs.runner import begin, carry_on
from benchmarks.speed.rows import Row, paired

SAMPLES = Path(__file__).parent.parent.parent / "assets" / "samples"
PASSES = 7


def measure() -> Row:
    pictures = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".png", ".jpg"))
    count = len(pictures)
    dataset = Dataset("samples", [Item(path.name, path, Truth("Total"), language="en") for path in pictures])
    with tempfile.TemporaryDirectory() as home:
        settings = dataclasses.replace(load_settings({"ARENA_HOME": home}), idle_unload_s=0)
        with arena_of(settings) as arena:
            engine = adapter_class("tesseract")()
            engine.load({"options": {}})
            through_us(arena, dataset)  # the model is loaded and the images are in the cache
            ours, theirs = [], []
            for _ in range(PASSES):
                taken, texts = through_us(arena, dataset)
                ours.append(taken)
                taken, same = directly(engine, arena, dataset)
                theirs.append(taken)
                if texts != same:
                    raise AssertionError("the two ways give different texts")
            engine.close()
    name = "batch through the runner / loop over tesseract"
    return paired(name, "<= 1.05", (ours, theirs), note=f"{count} images")


def through_us(arena: Arena, dataset: Dataset) -> tuple[float, list[str]]:
    """Seconds of a benchmark from its beginning to its end, and the texts in the order they were asked."""
    plan = begin(arena, dataset, ["tesseract"], warmup=0)
    start = time.perf_counter()
    texts = [beat.run.text for beat in carry_on(arena, plan.id, Cancel()) if beat.run]
    return time.perf_counter() - start, texts


def directly(engine: Adapter, arena: Arena, dataset: Dataset) -> tuple[float, list[str]]:
    """Seconds of a loop over the same files in the same order, and the texts."""
    plan = begin(arena, dataset, ["tesseract"], warmup=0)
    paths = {item.item: arena.images.get(item.image_sha256) for item in arena.benchmarks.items(plan.id)}
    jobs = [Job(str(image.path), language="en") for ask in asks(plan, paths) if (image := paths[ask.item])]
    start = time.perf_counter()
    texts = [piece.text for job in jobs for piece in engine.predict(job) if isinstance(piece, Output)]
    return time.perf_counter() - start, texts
