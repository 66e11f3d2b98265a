"""The faces that print the text: families for training and families kept for the test, all with Latin and Cyrillic.

All are free and come from Debian's packages: ``python -m benchmarks.synthetic fonts`` says which are missing. Families
with like outlines under two names (Liberation and Croscore, Noto Sans and Open Sans) would have to stand on one side.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from benchmarks.synthetic.truth import Edges

TRAIN = {
    "fonts-dejavu-core": "DejaVuSans.ttf, DejaVuSans-Bold.ttf, DejaVuSerif.ttf, DejaVuSerif-Bold.ttf, "
    "DejaVuSansMono.ttf",
    "fonts-dejavu-extra": "DejaVuSans-Oblique.ttf, DejaVuSansCondensed.ttf, DejaVuSerif-Italic.ttf, "
    "DejaVuSerifCondensed.ttf",
    "fonts-liberation": "LiberationSans-Regular.ttf, LiberationSans-Bold.ttf, LiberationSans-Italic.ttf, "
    "LiberationSerif-Regular.ttf, LiberationSerif-Bold.ttf, LiberationSerif-Italic.ttf, LiberationMono-Regular.ttf, "
    "LiberationMono-Bold.ttf, LiberationSansNarrow-Regular.ttf",
    "fonts-freefont-ttf": "FreeSans.ttf, FreeSerif.ttf, FreeSerifBold.ttf, FreeSerifItalic.ttf, FreeMono.ttf, "
    "FreeMonoBold.ttf",
    "fonts-noto-core": "NotoSans-Regular.ttf, NotoSans-Bold.ttf, NotoSans-Italic.ttf, NotoSerif-Regular.ttf, "
    "NotoSerif-Bold.ttf, NotoSerif-Italic.ttf, NotoSansMono-Regular.ttf, NotoSerifDisplay-Regular.ttf",
    "fonts-roboto-unhinted": "Roboto-Regular.ttf, Roboto-Bold.ttf, Roboto-Italic.ttf, Roboto-Light.ttf, "
    "RobotoCondensed-Regular.ttf, RobotoCondensed-Bold.ttf",
    "fonts-roboto-slab": "RobotoSlab-Regular.otf, RobotoSlab-Bold.otf",
    "fonts-cmu": "cmunrm.ttf, cmunbx.ttf, cmunti.ttf, cmunss.ttf, cmunsx.ttf, cmuntt.ttf, cmunssdc.ttf",
    "fonts-firacode": "FiraCode-Regular.ttf, FiraCode-Bold.ttf",
    "fonts-hack": "Hack-Regular.ttf, Hack-Italic.ttf",
    "fonts-jetbrains-mono": "JetBrainsMono-Regular.ttf, JetBrainsMono-Italic.ttf",
    "fonts-linuxlibertine": "LinLibertine_R.otf, LinLibertine_RB.otf, LinLibertine_RI.otf, LinBiolinum_R.otf",
    "fonts-oldstandard": "OldStandard-Regular.ttf, OldStandard-Bold.ttf, OldStandard-Italic.ttf",
    "fonts-play": "Play-Regular.ttf, Play-Bold.ttf",
    "fonts-anonymous-pro": "Anonymous Pro.ttf",
    "fonts-go": "Go-Regular.ttf, Go-Medium.ttf, Go-Italic.ttf, Go-Mono.ttf",
    "fonts-inter": "Inter-Regular.otf, Inter-Bold.otf, Inter-Italic.otf, InterDisplay-Light.otf",
    "fonts-cantarell": "Cantarell-Regular.otf, Cantarell-Bold.otf",
    "fonts-sil-andika": "Andika-Regular.ttf, Andika-Bold.ttf",
    "fonts-sil-charis": "CharisSIL-Regular.ttf, CharisSIL-Italic.ttf",
    "fonts-vollkorn": "Vollkorn-Regular.ttf, Vollkorn-Bold.ttf, Vollkorn-Italic.ttf",
    "fonts-comfortaa": "Comfortaa-Regular.ttf",
    "fonts-jura": "Jura-Medium.otf",
    "fonts-agave": "agave-r-autohinted.ttf",
}
TEST = {
    "fonts-paratype": "PTS55F.ttf, PTS75F.ttf, PTS56F.ttf, PTF55F.ttf, PTF75F.ttf, PTF56F.ttf, PTM55F.ttf, PTN57F.ttf",
    "fonts-crosextra-carlito": "Carlito-Regular.ttf, Carlito-Bold.ttf, Carlito-Italic.ttf",
    "fonts-ebgaramond": "EBGaramond12-Regular.otf",
}
SPLITS = {"train": TRAIN, "test": TEST}
FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "~/Library/Fonts")


class Glyph(NamedTuple):
    """One letter: how much it covers of every pixel, where that begins from the pen on the baseline, its advance."""

    cover: NDArray[np.uint8]
    left: int
    top: int
    advance: float


class Drawn(NamedTuple):
    """The box around the ink, and the middle of every letter across."""

    box: Edges
    middles: tuple[float, ...]


def names(split: str) -> tuple[str, ...]:
    """The file names of a split, in a fixed order. Raises `KeyError` for an unknown one."""
    return tuple(name for files in SPLITS[split].values() for name in files.split(", "))


@functools.cache
def installed() -> dict[str, Path]:
    """Every font file of this machine by its name; a folder in ``ARENA_FONTS`` goes before the system's."""
    found: dict[str, Path] = {}
    for folder in (os.environ.get("ARENA_FONTS", ""), *FOLDERS):
        for path in sorted(Path(folder).expanduser().rglob("*.[ot]tf")) if folder else ():
            found.setdefault(path.name, path)
    return found


def missing(split: str) -> tuple[str, ...]:
    """The packages with faces that this machine lacks."""
    return tuple(
        package for package, files in SPLITS[split].items() if not set(files.split(", ")) <= installed().keys()
    )


def faces(split: str) -> tuple[str, ...]:
    """Paths of every face of a split. Raises `FileNotFoundError` with the packages to install when one is missing: with
    other faces the same seed would draw other pictures."""
    if lacking := missing(split):
        raise FileNotFoundError(f"Fonts are missing: requirements/system.sh packages {' '.join(lacking)}")
    return tuple(str(installed()[name]) for name in names(split))


class Face:
    """One face at one size in pixels: letters drawn once and kept, since drawing costs a hundred times the copying.

    Letters stand at the advance of the one before, without kerning.
    """

    def __init__(self, path: str, size: int) -> None:
        # The plain layout is enough for Latin and Cyrillic.
        self._font = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
        self.path, self.size = path, size
        self.height = sum(self._font.getmetrics())
        self.ascent = self._font.getmetrics()[0]
        self._glyphs: dict[str, Glyph] = {}

    def glyph(self, letter: str) -> Glyph:
        found = self._glyphs.get(letter)
        if found is None:
            mask, (left, top) = self._font.getmask2(letter, "L", anchor="ls")
            cover = np.array(mask, np.uint8).reshape(mask.size[1], mask.size[0])
            x0, y0, x1, y1 = mask.getbbox() or (0, 0, 0, 0)
            found = Glyph(cover[y0:y1, x0:x1], left + x0, top + y0, self._font.getlength(letter))
            self._glyphs[letter] = found
        return found

    def width(self, text: str) -> float:
        return sum(self.glyph(letter).advance for letter in text)

    def draw(self, canvas: NDArray[np.uint8], x: float, baseline: int, text: str) -> Drawn:
        """Puts the text on a canvas of coverage, (height, width) of 0 to 255; what lies outside is cut off."""
        height, width = canvas.shape
        middles, left, top, right, bottom = [], width, height, 0, 0
        for letter in text:
            glyph = self.glyph(letter)
            middles.append(x + glyph.advance / 2)
            x0, y0 = round(x) + glyph.left, baseline + glyph.top
            x += glyph.advance
            x1, y1 = x0 + glyph.cover.shape[1], y0 + glyph.cover.shape[0]
            ax, ay, bx, by = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
            if ax < bx and ay < by:
                part = canvas[ay:by, ax:bx]
                np.maximum(part, glyph.cover[ay - y0 : by - y0, ax - x0 : bx - x0], out=part)
                left, top, right, bottom = min(left, ax), min(top, ay), max(right, bx), max(bottom, by)
        return Drawn((left, top, right, bottom), tuple(middles))


@functools.lru_cache(4096)
def face(path: str, size: int) -> Face:
    return Face(path, size)
