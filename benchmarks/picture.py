"""Paper, light and lens: what makes a drawn page look photographed or scanned. Every function is pure in its seed.

Pictures are RGB or RGBA images of Pillow; shades are arrays (height, width) of float, 1 for unchanged light.
"""

from __future__ import annotations

import importlib
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageFont

FONTS = Path("/usr/share/fonts/truetype")
Shade = NDArray[np.float64]
Point = tuple[float, float]
Size = tuple[int, int]


def font(name: str, size: float) -> ImageFont.FreeTypeFont:
    """A font of the system, for instance ``paratype/PTS55F.ttf``; `size` in pixels."""
    return ImageFont.truetype(FONTS / name, size)


def clouds(rng: np.random.Generator, size: Size, cells: Size, octaves: int = 4) -> Shade:
    """Smooth noise around 0, about -1 to 1: `cells` blobs across and down, finer and weaker in each octave."""
    total = np.zeros((size[1], size[0]))
    for octave in range(octaves):
        grid = rng.uniform(-1, 1, ((cells[1] << octave) + 1, (cells[0] << octave) + 1)).astype(np.float32)
        total += np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)) / 2**octave
    return total


def shaded(picture: Image.Image, shade: Shade) -> Image.Image:
    """The picture under uneven light."""
    rgb = np.asarray(picture.convert("RGB"), float) * shade[..., None]
    lit = Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))
    if picture.mode == "RGBA":
        lit.putalpha(picture.getchannel("A"))
    return lit


def paper(rng: np.random.Generator, size: Size, colour: tuple[int, int, int], strength: float = 1.0) -> Image.Image:
    """A sheet with fibres and slightly uneven tone."""
    fibres = 0.012 * clouds(rng, size, (size[0] // 6, size[1] // 6), 1) + 0.012 * clouds(rng, size, (3, 4), 3)
    return shaded(Image.new("RGB", size, colour), 1 + strength * fibres)


def wood(rng: np.random.Generator, size: Size, planks: int) -> Image.Image:
    """A table top of upright planks."""
    width = size[0]
    grain = 0.05 * clouds(rng, size, (60, 3), 3) + 0.04 * clouds(rng, size, (8, 4), 2)
    grain += 0.035 * np.sin(40 * clouds(rng, size, (6, 1), 2))
    across = np.arange(width) * planks / width
    tone = rng.uniform(0.86, 1.06, planks)[across.astype(int)]
    gap = 1 - 0.55 * np.exp(-(((across - np.round(across)) * width / planks / 2.2) ** 2))
    return shaded(Image.new("RGB", size, (126, 88, 58)), (1 + grain) * (tone * gap)[None, :])


def homography(source: Sequence[Point], target: Sequence[Point]) -> NDArray[np.float64]:
    """The projective map, 3 x 3, that takes four points to four others."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    terms = np.linalg.solve(np.array(rows, float), np.array(values, float))
    return np.append(terms, 1.0).reshape(3, 3)


def perspective(picture: Image.Image, size: Size, corners: Sequence[Point]) -> Image.Image:
    """The picture on a transparent canvas, its corners (left top, then clockwise) at the given points."""
    width, height = picture.size
    terms = homography(corners, [(0, 0), (width, 0), (width, height), (0, height)]).ravel()[:8].tolist()
    return picture.convert("RGBA").transform(size, Image.Transform.PERSPECTIVE, terms, Image.Resampling.BICUBIC)


def askew(sheet: Image.Image, degrees: float, width: int) -> Image.Image:
    """The sheet turned a little, as it lay in a scanner, and scaled to `width`."""
    turned = sheet.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=sheet.getpixel((0, 0)))
    return turned.resize((width, round(width * sheet.height / sheet.width)), Image.Resampling.LANCZOS)


def laid(top: Image.Image, ground: Image.Image, offset: tuple[int, int], softness: float, depth: float) -> Image.Image:
    """`top`, transparent around, lying on `ground` and throwing a soft shadow."""
    shadow = Image.new("L", ground.size)
    shadow.paste(top.getchannel("A"), offset)
    dark = np.asarray(shadow.filter(ImageFilter.GaussianBlur(softness)), float) / 255
    under = shaded(ground, 1 - depth * dark)
    under.paste(top, (0, 0), top)
    return under


def photographed(
    picture: Image.Image, rng: np.random.Generator, *, grain: float = 3.0, vignette: float = 0.25, blur: float = 0.6
) -> Image.Image:
    """Through a lens: slightly soft, darker corners, noise (`grain` is its spread in levels of 255)."""
    width, height = picture.size
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lens = shaded(picture.convert("RGB").filter(ImageFilter.GaussianBlur(blur)), 1 - vignette * (x**2 + y**2) / 2)
    noise = rng.normal(0, grain, (height, width, 1)) + rng.normal(0, grain / 3, (height, width, 3))
    noisy = np.asarray(lens, float) + noise
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def typeset(latex: str, size: float, *, width: float = math.inf) -> NDArray[np.uint8]:
    """A displayed formula in black as coverage, (height, width) of 0 to 255: letters `size` pixels high, smaller where
    it would be wider than `width` pixels.

    LaTeX as far as matplotlib's mathtext knows it. Raises `ImportError` with what to install where there is none.
    """
    try:
        matplotlib = importlib.import_module("matplotlib")  # wanted for formulas alone
    except ImportError as error:
        raise ImportError("Formulas are drawn by matplotlib: pip install -r requirements/bench.txt") from error
    fonts = importlib.import_module("matplotlib.font_manager")
    mathtext = importlib.import_module("matplotlib.mathtext")
    # Fractions on a line of their own are large; a thin space keeps them and roots off the sign in front.
    displayed = latex.replace(r"\frac", r"\,\dfrac").replace(r"= \sqrt", r"= \,\sqrt")
    with matplotlib.rc_context({"mathtext.fontset": "stix"}):
        while True:
            parsed = mathtext.MathTextParser("agg").parse(f"${displayed}$", 72, fonts.FontProperties(size=size))
            cover = np.asarray(parsed.image, np.uint8)
            if cover.shape[1] <= width:
                return cover
            size *= 0.9


def jpeg(picture: Image.Image, most_bytes: int) -> bytes:
    """The best JPEG that fits. Raises `ValueError` when none of decent quality does."""
    for quality in range(92, 50, -3):
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        if out.tell() <= most_bytes:
            return out.getvalue()
    raise ValueError(f"no decent JPEG of {picture.size} fits into {most_bytes} bytes")
