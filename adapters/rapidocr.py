"""RapidOCR: PP-OCRv6 small on onnxruntime, with the models its wheel carries. English and Chinese, no Cyrillic.

Nothing is ever downloaded: the paths of the model files are given, so that the library's own download code is not
reached, and the picture is given as an array, since a path could be taken for an address.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from adapters.base import Adapter, AdapterError, Box, Job, Output, understood

MODELS = {
    "Det.model_path": "PP-OCRv6_det_small.onnx",
    "Cls.model_path": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec.model_path": "PP-OCRv6_rec_small.onnx",
}
SAME_LINE = 0.5  # two boxes stand on one line when they share this part of the lower one's height


def model_folder() -> Path:
    """Where the wheel of rapidocr keeps its models; found without importing it."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise AdapterError("unavailable", "The package rapidocr is not installed: pip install rapidocr onnxruntime")
    return Path(spec.submodule_search_locations[0]) / "models"


def tilt(polygons: list[list[tuple[float, float]]]) -> float:
    """How far the lines of a page fall, in pixels per pixel to the right: the median of the upper edges of the long
    boxes, each given by its corners from the left upper one clockwise."""
    slopes = [
        (right[1] - left[1]) / (right[0] - left[0])
        for left, right, _, below in polygons
        if right[0] - left[0] > 3 * abs(below[1] - left[1])
    ]
    return statistics.median(slopes) if slopes else 0.0


def in_reading_order(boxes: Iterable[Box], slope: float = 0.0) -> list[list[Box]]:
    """Lines from top to bottom, the boxes of one visual line from left to right.

    slope: see `tilt`. A box joins the line whose last box, its neighbour to the left, stands at the same height once
    the tilt is taken out.
    """

    def span(box: Box) -> tuple[float, float]:
        fall = slope * (box.x1 - box.x0)
        middle = (box.y0 + box.y1) / 2 - slope * (box.x0 + box.x1) / 2
        half = max(box.y1 - box.y0 - abs(fall), 1.0) / 2
        return middle - half, middle + half

    lines: list[list[Box]] = []
    for box in sorted(boxes, key=lambda each: each.x0):
        top, foot = span(box)
        best, best_share = None, SAME_LINE
        for line in lines:
            last_top, last_foot = span(line[-1])
            share = (min(last_foot, foot) - max(last_top, top)) / min(last_foot - last_top, foot - top)
            beside = box.x0 > (line[-1].x0 + line[-1].x1) / 2
            if beside and share > best_share:
                best, best_share = line, share
        if best is None:
            lines.append([box])
        else:
            best.append(box)
    return sorted(lines, key=lambda line: sum(span(line[0])))


class RapidOcr(Adapter):
    """Text as lines, each with its bounding rectangle and a confidence. The prompt and the language are not read."""

    requires = ("rapidocr", "onnxruntime", "cv2", "numpy")
    # Not onnxruntime: its import starts a thread, and a fork copies none. The rest takes most of the time anyway;
    # OpenBLAS, which numpy and cv2 bring, ends its threads before a fork by itself.
    preload = ("numpy", "cv2", "rapidocr.main")

    @classmethod
    def missing(cls) -> str | None:
        folder = model_folder()
        absent = [name for name in MODELS.values() if not (folder / name).is_file()]
        if not absent:
            return None
        return f"model files of rapidocr ({', '.join(absent)}): pip install --force-reinstall --no-deps rapidocr"

    def load(self, model: dict[str, Any]) -> None:
        absent = self.missing()
        if absent:
            raise AdapterError("unavailable", f"Missing {absent}")
        from rapidocr import RapidOCR

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        folder = model_folder()
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",  # its coloured lines tell of every step; faults are raised besides
                "EngineConfig.onnxruntime.intra_op_num_threads": cores,
                **{key: str(folder / name) for key, name in MODELS.items()},
            }
        )
        # The library would open its sessions during the first answer, whose time they would spoil.
        for open_session in (self._engine._load_det_model, self._engine._load_cls_model, self._engine._load_rec_model):
            open_session()

    def predict(self, job: Job) -> Iterator[str | Output]:
        import cv2
        import numpy as np
        from rapidocr.utils.process_img import ResizeImgError

        try:  # not cv2.imread: on Windows it fails on a path with other than ASCII letters
            picture = cv2.imdecode(np.fromfile(job.image, np.uint8), cv2.IMREAD_COLOR)
        except (OSError, cv2.error) as error:
            raise AdapterError("bad_input", f"The image cannot be read: {error}") from error
        if picture is None:
            raise AdapterError("bad_input", "The image cannot be decoded.")
        height, width = picture.shape[:2]
        try:
            seen_height, seen_width = self._engine.preprocess_img(picture)[0].shape[:2]
            found = self._engine(picture)
        except ResizeImgError as error:
            raise AdapterError("bad_input", f"An image of {width}x{height} pixels is too thin to be read.") from error
        polygons = [] if found.boxes is None else found.boxes.tolist()
        boxes = []
        for polygon, text, confidence in zip(polygons, found.txts or (), found.scores or (), strict=True):
            xs, ys = zip(*polygon, strict=True)
            place = min(xs), min(ys), max(xs), max(ys)
            boxes.append(Box.within(place, width, height, text=text, confidence=confidence))
        told = understood(boxes)
        lines = in_reading_order(told["boxes"], tilt(polygons))
        text = "\n".join(" ".join(box.text for box in line) for line in lines)
        if text:
            yield text
        told["boxes"] = tuple(box for line in lines for box in line)
        yield Output(text, **told, seen_width=seen_width, seen_height=seen_height)

    def versions(self) -> dict[str, str]:
        import cv2
        import onnxruntime

        return {
            "rapidocr": importlib.metadata.version("rapidocr"),
            "onnxruntime": onnxruntime.__version__,
            "opencv": cv2.__version__,
        }
