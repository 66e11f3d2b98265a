"""MDPBench: documents in 17 languages, digital and photographed, as its makers publish it: ``MDPBench_public.json`` and
``MDPBench_img_public``, in the layout of OmniDocBench.

The name of an image says what it is: language, kind and number; of a photograph also how it was taken.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.datasets.items import Dataset, Item
from benchmarks.datasets.omnidocbench import described
from benchmarks.datasets.reading import beginning, lists

TURN = 0
NAME = "MDPBench"
SOURCE = "github.com/Yuliang-Liu/MultimodalOCR, arXiv 2603.28130"
LICENCE = "Apache-2.0"
SAYS = {
    **dict.fromkeys(("indoor", "outdoor"), "place"),
    **dict.fromkeys(("light", "irregular-light", "underexposure"), "light"),
    **dict.fromkeys(("top", "left", "right", "oblique"), "angle"),
}


def recognises(path: Path) -> bool:
    return _pages(path) is not None


def load(path: Path) -> Dataset:
    file = _pages(path)
    assert file is not None  # noqa: S101 - `recognises` has found it
    return Dataset(NAME, tuple(map(_seen, described(file, said))), SOURCE, LICENCE)


def said(name: str) -> dict[str, str]:
    """The tags that the name of an image gives.

    >>> said("en_paper_13")
    {'kind': 'paper', 'degradation': 'none'}
    >>> said("ru_note_33_indoor_light_right_wrinkle_hold")["degradation"]
    'photographed'
    """
    parts = name.split("_")
    if len(parts) < 3:
        return {}
    how = parts[3:]
    tags = {"kind": parts[1], "degradation": "photographed" if how else "none"}
    tags |= {SAYS[part]: part for part in how if part in SAYS}
    rest = sorted(part for part in how if part not in SAYS)
    return tags | ({"effects": " ".join(rest)} if rest else {})


def _seen(item: Item) -> Item:
    """The places in a photograph are not known: what is published of it are those in the digital original."""
    photographed = item.tags.get("degradation") == "photographed"
    return replace(item, truth=replace(item.truth, regions=())) if photographed else item


def _pages(path: Path) -> Path | None:
    named = (file for file in lists(path, ".json") if file.stem.startswith(NAME))
    return next((file for file in named if '"layout_dets"' in beginning(file)), None)
