"""What happens to a page on its way to a reader: blur, noise, JPEG, rotation, perspective, low light, in five steps.

Every kind is a function of the picture, how strong it is and a generator that is the same for all steps, so that a
higher step of one seed is the same fault made worse. Boxes move with the page.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from benchmarks.metrics.truth import Region
from benchmarks.picture import Point, homography, perspective
from benchmarks.synthetic import ground
from benchmarks.synthetic.sheet import Page
from benchmarks.synthetic.truth import Pixels, Size

LEVELS = range(6)  # 0 leaves the page as it is
CLEAN = "clean"  # the name of level 0, whatever is left undone
DESKS: tuple[ground.Colour, ...] = ((104, 84, 66), (72, 76, 82), (150, 138, 120), (46, 44, 46))


def blur(pixels: Pixels, radius: float, rng: random.Random) -> Pixels:
    """Out of focus: a Gaussian of this radius in pixels."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def noise(pixels: Pixels, spread: float, rng: random.Random) -> Pixels:
    """Grain with this standard deviation, in levels of 255."""
    return ground.pixels(ground.grainy(rng, pixels.astype(np.float32), spread))


def jpeg(pixels: Pixels, quality: float, rng: random.Random) -> Pixels:
    """Compressed with this quality, 1 to 95."""
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "JPEG", quality=round(quality))
    return np.asarray(Image.open(packed))


def low_light(pixels: Pixels, light: float, rng: random.Random) -> Pixels:
    """Taken with this share of the light there should be: dark, dimmer to one corner, yellowish.

    The sensor's grain grows as light is lacking.
    """
    height, width = pixels.shape[:2]
    x, y = rng.choice((0, 1)), rng.choice((0, 1))
    across, down = np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32)
    away = np.abs(across - x)[None, :] * 0.5 + np.abs(down - y)[:, None] * 0.5
    tone = np.array((1.0, 0.94, 0.8), np.float32)
    levels = pixels.astype(np.float32) * ((1 - 0.4 * away)[:, :, None] * (np.float32(light) * tone))
    return ground.pixels(ground.grainy(rng, levels, 2 + 8 * (1 - light)))


def turned(size: Size, degrees: float, rng: random.Random) -> tuple[Size, list[Point]]:
    """Turned to either side on a picture just large enough."""
    angle = math.radians(degrees) * rng.choice((-1, 1))
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [(x * cos - y * sin, x * sin + y * cos) for x, y in rectangle(size)]
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    moved = [(x - left, y - top) for x, y in corners]
    return (math.ceil(max(x for x, _ in moved)), math.ceil(max(y for _, y in moved))), moved


def aslant(size: Size, share: float, rng: random.Random) -> tuple[Size, list[Point]]:
    """Seen from the side: every corner pulled in by up to this share of the sides, one end more than the other."""
    far = rng.randrange(4)  # the side that is farther away: top, right, bottom, left
    corners = []
    for index, (x, y) in enumerate(rectangle(size)):
        pull = 1.0 if index in (far, (far + 1) % 4) else 0.2
        inward = (1 if x == 0 else -1) * rng.uniform(0.7, 1), (1 if y == 0 else -1) * rng.uniform(0.7, 1)
        corners.append((x + inward[0] * pull * share * size[0], y + inward[1] * pull * share * size[1]))
    return size, corners


PIXELWISE: dict[str, tuple[Callable[[Pixels, float, random.Random], Pixels], tuple[float, ...]]] = {
    "blur": (blur, (0.8, 1.4, 2.1, 2.9, 4.0)),
    "noise": (noise, (12, 25, 40, 58, 80)),
    "jpeg": (jpeg, (30, 15, 8, 4, 1)),
    "low_light": (low_light, (0.7, 0.5, 0.33, 0.2, 0.1)),
}
MOVED: dict[str, tuple[Callable[[Size, float, random.Random], tuple[Size, list[Point]]], tuple[float, ...]]] = {
    "rotation": (turned, (1, 2, 4, 7, 12)),
    "perspective": (aslant, (0.02, 0.045, 0.075, 0.11, 0.15)),
}
DEGRADATIONS = ("blur", "noise", "jpeg", "rotation", "perspective", "low_light")


def rectangle(size: Size) -> list[Point]:
    return [(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])]


def mapped(regions: Sequence[Region], moving: NDArray[np.float64], size: Size) -> tuple[Region, ...]:
    """Every box as the smallest that holds its corners where `moving` takes them, on a picture of `size`."""
    found = []
    for region in regions:
        corners = np.array([(x, y, 1) for x in (region.x0, region.x1) for y in (region.y0, region.y1)], float).T
        x, y, scale = moving @ corners
        x, y = np.clip(x / scale, 0, size[0]), np.clip(y / scale, 0, size[1])
        x0, y0, x1, y1 = (round(float(edge), 1) for edge in (x.min(), y.min(), x.max(), y.max()))
        found.append(replace(region, x0=x0, y0=y0, x1=x1, y1=y1))
    return tuple(found)


def degraded(page: Page, name: str, level: int, seed: str) -> Page:
    """The page after a degradation of `DEGRADATIONS` at a level of `LEVELS`.

    Raises `KeyError` for an unknown name and `ValueError` for an unknown level.
    """
    if level not in LEVELS:
        raise ValueError(f"level {level}: there are {LEVELS.start} to {LEVELS[-1]}")
    if level == 0:
        return page
    rng = random.Random(f"{seed}/{name}")
    if name in PIXELWISE:
        change, strengths = PIXELWISE[name]
        return replace(page, pixels=change(page.pixels, strengths[level - 1], rng))
    move, strengths = MOVED[name]
    size, corners = move(page.size, strengths[level - 1], rng)
    desk = Image.new("RGB", size, rng.choice(DESKS))
    lying = perspective(Image.fromarray(page.pixels), size, corners)
    desk.paste(lying, (0, 0), lying)
    regions = mapped(page.truth.regions, homography(rectangle(page.size), corners), size)
    return replace(page, pixels=np.asarray(desk), truth=replace(page.truth, regions=regions))
