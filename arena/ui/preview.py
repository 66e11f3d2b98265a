"""A picture as it is shown: small enough for the page, a phone and a file."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

from PIL import Image

PREVIEW = 1800  # pixels of the longer side; sharp on a projector, light on a phone
THUMBNAIL = 240


@lru_cache(maxsize=64)
def preview(path: Path, side: int) -> bytes:
    """The picture as WebP, at most `side` pixels long and wide."""
    with Image.open(path) as image:
        small = image if image.mode == "RGB" else image.convert("RGB")  # a copy of 40 megapixels takes 120 MB
        small.thumbnail((side, side), Image.Resampling.LANCZOS)  # reads nothing of a picture that is small already
        out = io.BytesIO()
        small.save(out, "WEBP", quality=88, method=2)
        return out.getvalue()
