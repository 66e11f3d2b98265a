"""The course of a training as CSV, and drawn as PNG."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

STEPS, EXAMS = "steps.csv", "exams.csv"
INKS = ("#1f6fb4", "#d1495b", "#2e8b57", "#b8860b", "#7d4fa8", "#444444", "#c06090", "#3aa6a6", "#8a6d3b")
WIDTH, HEIGHT, MARGIN = 900, 300, 54


def add(file: Path, row: Mapping[str, float]) -> None:
    """One row more; the first names the columns."""
    new = not file.exists()
    with file.open("a", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        if new:
            writer.writerow(row)
        writer.writerow(f"{value:.6g}" for value in row.values())


def cut(file: Path, step: int) -> None:
    """Drops rows beyond a step: what was written after the checkpoint that a training goes on from."""
    if file.exists():
        head, *rows = file.read_text(encoding="utf-8").splitlines()
        kept = [row for row in rows if float(row.split(",")[0]) <= step]
        file.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")


def columns(file: Path) -> dict[str, list[float]]:
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else {})}


def plot(
    pen: ImageDraw.ImageDraw,
    top: int,
    title: str,
    minutes: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    most: float,
) -> None:
    """One field of curves over minutes, from 0 to `most`; what is higher is cut off."""
    right, bottom = WIDTH - 190, top + HEIGHT - MARGIN
    last = max(minutes[-1], 1e-9)
    pen.text((MARGIN, top + 8), title, "#222222", font_size=15)
    for tick in range(5):
        y = bottom - (bottom - top - 34) * tick / 4
        pen.line((MARGIN, y, right, y), "#dddddd")
        pen.text((MARGIN - 8, y), f"{most * tick / 4:g}", "#555555", font_size=12, anchor="rm")
        x = MARGIN + (right - MARGIN) * tick / 4
        pen.text((x, bottom + 6), f"{last * tick / 4:.0f} min", "#555555", font_size=12, anchor="ma")
    for index, (name, values) in enumerate(curves.items()):
        ink = INKS[index % len(INKS)]
        points = [
            (MARGIN + (right - MARGIN) * minute / last, bottom - (bottom - top - 34) * min(value, most) / most)
            for minute, value in zip(minutes, values, strict=True)
            if not math.isnan(value)
        ]
        if len(points) > 1:
            pen.line(points, ink, 2)
        pen.text((right + 14, top + 34 + 18 * index), f"{name} {values[-1]:.3g}", ink, font_size=13)


def draw(folder: Path) -> Path:
    """``curves.png`` from the CSV files of a training: losses above, the held-out exam below."""
    sheet = Image.new("RGB", (WIDTH, 2 * HEIGHT), "white")
    pen = ImageDraw.Draw(sheet)
    if (folder / STEPS).exists():
        steps = columns(folder / STEPS)
        minutes = [seconds / 60 for seconds in steps["seconds"]]
        shown = {name: steps[name] for name in ("answer", "named", "right", "found")}
        plot(pen, 0, "Losses, and shares of tokens and letters right, in training", minutes, shown, 4)
    if (folder / EXAMS).exists():
        exams = columns(folder / EXAMS)
        minutes = [seconds / 60 for seconds in exams["seconds"]]
        shown = {name: values for name, values in exams.items() if name not in ("step", "seconds")}
        plot(pen, HEIGHT, "Held out: error rate of reading (line, lines), score of the rest", minutes, shown, 1)
    path = folder / "curves.png"
    sheet.save(path)
    return path
