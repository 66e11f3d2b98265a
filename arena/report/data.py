"""A comparison as JSON: what was asked, every column of every run, the image's hash and, if wanted, the image."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from arena.columns import FIELDS, clean, flatten
from arena.config import VERSION
from arena.types import Run

SCHEMA = 1  # grows when a reader of the older form would misread the newer


def json_report(runs: Sequence[Run], image: bytes | None = None) -> str:
    """The runs of one comparison, at least one. image: the very PNG that the models were given, to be put in whole.

    Times in seconds, memory in MiB, boxes in pixels of the image; null where nothing is known.
    """
    first = runs[0]
    report = {
        "schema": SCHEMA,
        "program": {"name": "VLM Arena", "version": VERSION},
        "comparison_id": first.comparison_id,
        "request": {
            "task": first.task,
            "prompt": first.prompt,
            "language": first.language,
            "reference": first.reference,
            "image": {
                "sha256": first.image_sha256,
                "width": first.image_width,
                "height": first.image_height,
                "data_url": data_url(image, "image/png") if image else None,
            },
        },
        "runs": [row(run) for run in runs],
    }
    return json.dumps(plain(report), ensure_ascii=False, indent=1, allow_nan=False)


def row(run: Run) -> dict[str, Any]:
    """Every column of the run by its name, the boxes and scores in full."""
    values = {field.name: value for field, value in zip(FIELDS, flatten(run), strict=True)}
    return values | {"boxes": [asdict(box) for box in run.boxes], "scores": run.scores}


def plain(value: Any) -> Any:
    """The same in what JSON knows: a number that is none becomes null, a character that is none a mark."""
    if isinstance(value, dict):
        return {clean(str(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return clean(value) if isinstance(value, str) else value


def data_url(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"
