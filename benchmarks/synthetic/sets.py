"""A benchmark's own set in a folder: pages of every kind and language under every degradation, with their truth.

The folder is a dataset as `benchmarks.datasets` reads it: `items.jsonl`, a line a picture, beside the pictures. A page
is shown once in every condition, so that a curve over the steps is that of the same pages; the tag ``source`` tells
which pictures show one page. The same recipe gives the same bytes on the same machine; a folder half done is finished,
another recipe's is left alone.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from benchmarks.metrics.truth import Truth
from benchmarks.synthetic import document, form, formula, receipt, sign, table, typefaces
from benchmarks.synthetic.degrade import CLEAN, degraded
from benchmarks.synthetic.sheet import Page
from benchmarks.synthetic.truth import Size

Draw = Callable[[random.Random, str, Size, Sequence[str]], Page]
# With the largest size of a page, in hundredths of the set's width.
KINDS: dict[str, tuple[Draw, tuple[int, int]]] = {
    "document": (document.draw, (100, 141)),
    "form": (form.draw, (100, 120)),
    "receipt": (receipt.draw, (52, 140)),
    "table": (table.draw, (100, 100)),
    "formula": (formula.draw, (100, 70)),
    "sign": (sign.draw, (80, 60)),
}
ITEMS, RECIPE = "items.jsonl", "recipe.json"


class Cell(NamedTuple):
    """What one picture of a set is."""

    kind: str
    language: str
    degradation: str
    level: int


@dataclass(frozen=True)
class Recipe:
    """All that a set follows from, but for the fonts of the machine. width: of the widest pages, in pixels. quality: of
    the JPEG in which degraded pictures are kept; clean ones are PNG."""

    count: int
    kinds: tuple[str, ...]
    languages: tuple[str, ...]
    degradations: tuple[str, ...]
    levels: tuple[int, ...]
    seed: int = 0
    split: str = "test"
    width: int = 1000
    quality: int = 92


def cells(recipe: Recipe) -> list[Cell]:
    """What every picture is: each next one is what there is least of so far, so any beginning is balanced too."""
    steps = [level for level in recipe.levels if level]
    conditions = [(name, level) for name in recipe.degradations for level in steps]
    if not conditions or 0 in recipe.levels:
        conditions = [(CLEAN, 0), *conditions]
    every = [
        Cell(kind, language, *condition)
        for kind, language, condition in product(recipe.kinds, recipe.languages, conditions)
    ]
    order = list(range(len(every)))
    random.Random(f"{recipe.seed}/order").shuffle(order)
    had: Counter[Any] = Counter()

    def lack(place: int) -> tuple[float, ...]:
        cell = every[place]
        return (
            had[cell],
            had[cell.kind, cell.language],
            had[cell.degradation] / (1 if cell.degradation == CLEAN else len(steps)),
            had[cell.kind, cell.degradation] + had[cell.language, cell.degradation],
            had[cell.degradation, cell.level],
        )

    chosen = []
    for _ in range(recipe.count):
        cell = every[min(order, key=lack)]
        chosen.append(cell)
        had.update((cell, (cell.kind, cell.language), cell.degradation, (cell.kind, cell.degradation),
                    (cell.language, cell.degradation), (cell.degradation, cell.level)))  # fmt: skip
    return chosen


def page(kind: str, language: str, seed: str, width: int, paths: Sequence[str]) -> Page:
    """One clean page. Raises `KeyError` for an unknown kind."""
    draw, (across, down) = KINDS[kind]
    return draw(random.Random(seed), language, (width * across // 100, width * down // 100), paths)


def row(name: str, source: str, cell: Cell, truth: Truth) -> dict[str, Any]:
    """A line of the list: the columns of a manifest."""
    known = truth.to_dict()
    return {
        "id": Path(name).stem, "image": name, "task": "", "language": cell.language, "prompt": "",
        "reference": known.pop("text", ""), **known,
        "tags": {"kind": cell.kind, "degradation": cell.degradation, "level": str(cell.level), "source": source},
    }  # fmt: skip


def begun(folder: Path) -> list[str]:
    """The lines that an earlier call has written in full."""
    for name in (f"{ITEMS}.part", ITEMS):
        if (folder / name).exists():
            lines = (folder / name).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            return [line for line in lines if line.endswith("}\n")]
    return []


def write(folder: Path, recipe: Recipe) -> Iterator[tuple[int, str]]:
    """Draws what is lacking and yields after every picture how many there are and the name of the last.

    Raises `FileExistsError` where the folder holds anything but a beginning of this very set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said, kept = json.dumps(asdict(recipe), indent=1) + "\n", folder / RECIPE
    if (kept.read_text(encoding="utf-8") != said) if kept.exists() else any(folder.iterdir()):
        raise FileExistsError(f"{folder} holds something else: name an empty folder")
    kept.write_text(said, encoding="utf-8")
    paths, rows, part = typefaces.present(recipe.split), begun(folder), folder / f"{ITEMS}.part"
    with part.open("w", encoding="utf-8") as file:
        file.writelines(rows)
        had: Counter[Cell] = Counter()
        for number, cell in enumerate(cells(recipe)):
            condition = f"{cell.degradation}{cell.level or ''}"
            name = f"{number:05d}-{cell.kind}-{cell.language}-{condition}.{'jpg' if cell.level else 'png'}"
            if number >= len(rows) or not (folder / name).exists():
                source = f"{cell.kind}-{cell.language}-{had[cell]}"
                seed = f"{recipe.seed}/{source}"
                made = page(cell.kind, cell.language, seed, recipe.width, paths)
                made = degraded(made, cell.degradation, cell.level, seed) if cell.level else made
                # Of a PNG the quality is not read.
                Image.fromarray(made.pixels).save(folder / name, optimize=True, quality=recipe.quality)
                if number >= len(rows):
                    file.write(json.dumps(row(name, source, cell, made.truth), ensure_ascii=False) + "\n")
                    file.flush()
            had[cell] += 1
            yield number + 1, name
    part.replace(folder / ITEMS)
