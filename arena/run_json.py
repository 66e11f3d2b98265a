"""A run as JSON, in the one form that the command line and the API give out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from arena.types import Run


def run_json(run: Run) -> dict[str, Any]:
    """Times in seconds, memory in MiB, boxes in pixels of the normalised image; null where nothing is known."""
    return {
        "run_id": run.run_id,
        "side": run.side,
        "model": run.model,
        "status": run.status,
        "text": run.text,
        "error": {"kind": run.error_kind, "detail": run.error_detail} if run.error_kind else None,
        "timeline": asdict(run.timeline),
        "memory": asdict(run.memory),
        "scores": {"cer": run.scores.get("cer"), "wer": run.scores.get("wer"), **run.scores},
        "boxes": [asdict(box) for box in run.boxes],
        "boxes_left_out": run.boxes_left_out,
        "image": {
            "sha256": run.image_sha256,
            "width": run.image_width,
            "height": run.image_height,
            "seen_width": run.seen_width,
            "seen_height": run.seen_height,
        },
    }
