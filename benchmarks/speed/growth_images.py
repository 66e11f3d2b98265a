"""The size of a picture, 0.5 to 40 megapixels: taking it in, and showing it small."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from arena.images import ImageStore
from arena.ui.preview import PREVIEW, THUMBNAIL, preview
from benchmarks.speed.growth import grown, grown_memory
from benchmarks.speed.rows import Row

SIZES = (500_000, 2_000_000, 10_000_000, 40_000_000)  # pixels


def measure() -> list[Row]:
    """Pictures as a camera gives them: smooth, with some grain."""
    with tempfile.TemporaryDirectory() as name:
        store = ImageStore(Path(name), max_bytes=100_000_000, max_pixels=50_000_000)
        photos = {size: photo(size) for size in SIZES}
        kept = {size: store.add(data).path for size, data in photos.items()}

        def add(data: bytes) -> None:
            store._known.clear()
            store.add(data)

        def small(path: Path, side: int) -> None:
            preview.cache_clear()
            preview(path, side)

        def over(work: Callable[..., Any], things: Mapping[int, Any], *more: Any) -> Mapping[int, Callable[[], Any]]:
            return {size: partial(work, thing, *more) for size, thing in things.items()}

        rows = [
            grown("taking a photograph in", "pixels", over(add, photos), "linear", 3),
            grown("a preview", "pixels", over(small, kept, PREVIEW), "linear", 3),
            grown("a thumbnail", "pixels", over(small, kept, THUMBNAIL), "linear", 3),
            grown_memory("memory of a preview", "pixels", over(small, kept, PREVIEW), "linear"),
        ]
        store.close()
    return rows


def photo(pixels: int) -> bytes:
    """A JPEG of four to three."""
    width, height = round((pixels * 4 / 3) ** 0.5), round((pixels * 3 / 4) ** 0.5)
    chance = np.random.default_rng(1)
    coarse = Image.fromarray(chance.integers(40, 215, (12, 16, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
    grain = chance.integers(0, 9, (height, width, 1), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(smooth + grain).save(out, "JPEG", quality=90)
    return out.getvalue()
