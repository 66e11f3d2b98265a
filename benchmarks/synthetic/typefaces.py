"""Families of faces by their character, out of the files that this machine has: what pages are set in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from benchmarks.synthetic import fonts
from benchmarks.synthetic.fonts import Face, face

Character = Literal["serif", "sans", "mono"]
# regular, bold, italic; an italic is wanted for what is filled in by hand and for notes
FAMILIES: dict[Character, tuple[str, ...]] = {
    "serif": (
        "PTF55F.ttf PTF75F.ttf PTF56F.ttf",
        "LiberationSerif-Regular.ttf LiberationSerif-Bold.ttf LiberationSerif-Italic.ttf",
        "NotoSerif-Regular.ttf NotoSerif-Bold.ttf NotoSerif-Italic.ttf",
        "DejaVuSerif.ttf DejaVuSerif-Bold.ttf DejaVuSerif-Italic.ttf",
        "FreeSerif.ttf FreeSerifBold.ttf FreeSerifItalic.ttf",
        "LinLibertine_R.otf LinLibertine_RB.otf LinLibertine_RI.otf",
        "Vollkorn-Regular.ttf Vollkorn-Bold.ttf Vollkorn-Italic.ttf",
        "cmunrm.ttf cmunbx.ttf cmunti.ttf",
    ),
    "sans": (
        "PTS55F.ttf PTS75F.ttf PTS56F.ttf",
        "Carlito-Regular.ttf Carlito-Bold.ttf Carlito-Italic.ttf",
        "LiberationSans-Regular.ttf LiberationSans-Bold.ttf LiberationSans-Italic.ttf",
        "NotoSans-Regular.ttf NotoSans-Bold.ttf NotoSans-Italic.ttf",
        "Roboto-Regular.ttf Roboto-Bold.ttf Roboto-Italic.ttf",
        "Inter-Regular.otf Inter-Bold.otf Inter-Italic.otf",
        "DejaVuSans.ttf DejaVuSans-Bold.ttf DejaVuSans-Oblique.ttf",
        "Go-Regular.ttf Go-Medium.ttf Go-Italic.ttf",
    ),
    "mono": (
        "PTM55F.ttf",
        "LiberationMono-Regular.ttf LiberationMono-Bold.ttf",
        "FreeMono.ttf FreeMonoBold.ttf",
        "JetBrainsMono-Regular.ttf JetBrainsMono-Regular.ttf JetBrainsMono-Italic.ttf",
        "DejaVuSansMono.ttf",
    ),
}


class Family(NamedTuple):
    """Paths of three cuts; where a family lacks one, the regular stands for it."""

    regular: str
    bold: str
    italic: str

    def at(self, size: float, cut: Literal["regular", "bold", "italic"] = "regular") -> Face:
        """The face at this size in pixels."""
        return face(getattr(self, cut), round(size))


def families(paths: Sequence[str], character: Character) -> list[Family]:
    """The families of this character whose regular is among the given files."""
    by_name = {Path(path).name: path for path in paths}
    found = []
    for names in FAMILIES[character]:
        regular, bold, italic, *_ = (*map(by_name.get, names.split()), None, None)
        if regular:
            found.append(Family(regular, bold or regular, italic or regular))
    return found


def family(rng: random.Random, paths: Sequence[str], *characters: Character) -> Family:
    """One family of these characters; any of the files where none is there. Raises `ValueError` without files."""
    if not paths:
        raise ValueError("no fonts: requirements/system.sh packages fonts-dejavu-core")
    found = [each for character in characters for each in families(paths, character)]
    return rng.choice(found) if found else Family(*(rng.choice(paths),) * 3)


def present(split: str) -> tuple[str, ...]:
    """Paths of the faces of a split that are here; when none is, those of all splits."""
    here = fonts.installed()
    found = tuple(str(here[name]) for name in fonts.names(split) if name in here)
    return found or tuple(str(here[name]) for other in fonts.SPLITS for name in fonts.names(other) if name in here)
