"""What lies under and over the ink: plain or shaded grounds, contrast between two colours, grain, softness."""

from __future__ import annotations

import functools
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.synthetic.truth import Pixels, Size

Colour = tuple[int, int, int]
Levels = NDArray[np.float32]  # (height, width, 3), 0 to 255


def lightness(colour: Colour) -> float:
    """Perceived brightness, 0 to 255 (ITU-R BT.601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def tint(rng: random.Random, low: int, high: int) -> Colour:
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


def ink_and_paper(rng: random.Random) -> tuple[Colour, Colour]:
    """Two colours at least 80 levels of brightness apart; mostly dark on light."""
    chance = rng.random()
    for _ in range(20):
        if chance < 0.6:
            ink, paper = tint(rng, 0, 90), tint(rng, 205, 255)
        elif chance < 0.8:
            ink, paper = tint(rng, 190, 255), tint(rng, 0, 80)
        else:
            ink, paper = tint(rng, 0, 255), tint(rng, 0, 255)
        if abs(lightness(ink) - lightness(paper)) >= 80:
            return ink, paper
    return (0, 0, 0), (255, 255, 255)


def sheet(rng: random.Random, size: Size, colour: Colour) -> Levels:
    """A plain ground, every third time with light that falls off to one side."""
    plain = np.empty((size[1], size[0], 3), np.float32)
    plain[:] = colour
    if rng.random() < 0.33:
        across = np.linspace(rng.uniform(-25, 25), rng.uniform(-25, 25), size[0], dtype=np.float32)
        down = np.linspace(rng.uniform(-12, 12), rng.uniform(-12, 12), size[1], dtype=np.float32)
        plain += across[None, :, None] + down[:, None, None]
    return plain


@functools.cache
def grains() -> NDArray[np.float32]:
    """Normal noise to cut pieces from: drawing it anew for every picture would cost more than the picture."""
    return np.random.default_rng(2026).standard_normal(1 << 20, dtype=np.float32)


def grainy(rng: random.Random, levels: Levels, strength: float) -> Levels:
    """With noise of this spread, in levels of 255."""
    count, pool = levels.size, grains()
    start = rng.randrange(max(1, len(pool) - count))
    noise = np.resize(pool[start:], count) if count > len(pool) - start else pool[start : start + count]
    return levels + strength * noise.reshape(levels.shape)


def pixels(levels: Levels) -> Pixels:
    return np.clip(levels, 0, 255).astype(np.uint8)


def soft(levels: Levels, share: float) -> Levels:
    """Every pixel gives this share of its light, at most a half, to its neighbours on either side, across and down."""
    for axis in (0, 1):
        rows = np.moveaxis(levels, axis, 0)
        mixed = (1 - share) * rows
        mixed[1:] += share / 2 * rows[:-1]
        mixed[:-1] += share / 2 * rows[1:]
        mixed[0] += share / 2 * rows[0]
        mixed[-1] += share / 2 * rows[-1]
        levels = np.moveaxis(mixed, 0, axis)
    return levels


def taken(rng: random.Random, levels: Levels, size: Size | None = None) -> Pixels:
    """As a camera or a screen would give it: sometimes soft, a little noise, scaled to `size`."""
    if rng.random() < 0.25:
        levels = soft(levels, rng.uniform(0.15, 0.5))
    if rng.random() < 0.6:
        levels = grainy(rng, levels, rng.uniform(0.5, 10))
    picture = pixels(levels)
    if size is None or size == (picture.shape[1], picture.shape[0]):
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
