"""A few coloured shapes on a plain ground, none touching another."""

from __future__ import annotations

import math
import random

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from benchmarks.synthetic import ground
from benchmarks.synthetic.ground import Colour
from benchmarks.synthetic.truth import Edges, Picture, Size, Thing

COLOURS: dict[str, Colour] = {
    "red": (214, 32, 36), "orange": (245, 140, 20), "yellow": (245, 222, 40), "green": (34, 150, 60),
    "blue": (30, 80, 210), "purple": (135, 45, 165), "black": (18, 18, 20), "white": (250, 250, 250),
    "grey": (130, 130, 132), "brown": (120, 72, 36),
}  # fmt: skip
OF_THINGS = ("red", "orange", "yellow", "green", "blue", "purple", "black", "white")
OF_GROUNDS = ("white", "white", "white", "grey", "black", "yellow", "green", "blue")
SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
FINE = 2  # drawn this many times larger, for smooth edges


def near(rng: random.Random, name: str) -> Colour:
    """A shade that still goes by this name."""
    red, green, blue = (min(255, max(0, level + rng.randint(-14, 14))) for level in COLOURS[name])
    return red, green, blue


def draw(pen: ImageDraw.ImageDraw, shape: str, box: Edges, colour: Colour, behind: Colour, turn: float) -> None:
    """The shape within the box, in the pixels of the pen. `turn`: radians, for what may stand askew."""
    left, top, right, bottom = box
    x, y, radius = (left + right) / 2, (top + bottom) / 2, min(right - left, bottom - top) / 2 - 1

    def corners(count: int, radii: tuple[float, ...], start: float) -> list[tuple[float, float]]:
        angles = [start + 2 * math.pi * index / count for index in range(count)]
        return [
            (x + radii[index % len(radii)] * math.sin(angle), y - radii[index % len(radii)] * math.cos(angle))
            for index, angle in enumerate(angles)
        ]

    if shape == "circle":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), colour)
    elif shape == "square":
        side = radius * 0.8
        pen.rectangle((x - side, y - side, x + side, y + side), colour)
    elif shape == "triangle":
        pen.polygon(corners(3, (radius,), turn), colour)
    elif shape == "star":
        pen.polygon(corners(10, (radius, radius * 0.42), turn), colour)
    elif shape == "cross":
        arm = radius * 0.3
        pen.rectangle((x - arm, y - radius, x + arm, y + radius), colour)
        pen.rectangle((x - radius, y - arm, x + radius, y + arm), colour)
    elif shape == "ring":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), colour)
        hole = radius * 0.55
        pen.ellipse((x - hole, y - hole, x + hole, y + hole), behind)
    else:
        raise KeyError(shape)


def places(rng: random.Random, size: Size, count: int) -> list[Edges]:
    """Square boxes that do not touch; fewer where there is no room."""
    width, height = size
    least = min(width, height)
    found: list[Edges] = []
    for _ in range(count * 25):
        if len(found) == count:
            break
        side = rng.uniform(0.16, 0.42 if count < 4 else 0.32) * least
        left, top = rng.uniform(1, width - side - 1), rng.uniform(1, height - side - 1)
        box = (left, top, left + side, top + side)
        if all(
            box[2] + 2 < other[0] or other[2] + 2 < box[0] or box[3] + 2 < other[1] or other[3] + 2 < box[1]
            for other in found
        ):
            found.append(box)
    return found


def tight(canvas: Image.Image, behind: Colour, box: Edges) -> Edges:
    """The box around what stands out from the ground within `box`, both in the pixels of the canvas."""
    x, y = int(box[0]), int(box[1])
    part = canvas.crop((x, y, math.ceil(box[2]) + 1, math.ceil(box[3]) + 1))
    left, top, right, bottom = ImageChops.difference(part, Image.new("RGB", part.size, behind)).getbbox() or (0,) * 4
    return x + left, y + top, x + right, y + bottom


def scene(rng: random.Random, size: Size, *, most: int = 5) -> Picture:
    """One to `most` shapes on a picture of `size` (width, height in pixels), in the order of reading."""
    name = rng.choice(OF_GROUNDS)
    behind = near(rng, name)
    canvas = Image.new("RGB", (size[0] * FINE, size[1] * FINE), behind)
    pen = ImageDraw.Draw(canvas)
    colours = [colour for colour in OF_THINGS if colour != name]
    # Few kinds at once, so that there is something to count.
    choice = [(rng.choice(colours), rng.choice(SHAPES)) for _ in range(rng.randint(1, 4))]
    things = []
    for box in places(rng, size, rng.randint(1, most)):
        colour, shape = rng.choice(choice) if rng.random() < 0.7 else (rng.choice(colours), rng.choice(SHAPES))
        large: Edges = (box[0] * FINE, box[1] * FINE, box[2] * FINE, box[3] * FINE)
        turn = rng.uniform(-0.2, 0.2)
        draw(pen, shape, large, near(rng, colour), behind, turn)
        left, top, right, bottom = (edge / FINE for edge in tight(canvas, behind, large))
        things.append(Thing(colour, shape, (left, top, right, bottom)))
    levels = np.asarray(canvas.reduce(FINE), np.float32)
    things.sort(key=lambda thing: (round(thing.middle[1] / size[1] * 3 - 0.5), thing.middle[0]))
    return Picture(ground.taken(rng, levels), things=tuple(things), ground=name)
