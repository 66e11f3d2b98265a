"""What one step learns from: groups of pictures of one size, made from the seed and the number of the step alone.

So a training that was interrupted goes on with exactly the pictures it would have seen, on any number of processes.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic.fonts import faces
from benchmarks.synthetic.items import item
from benchmarks.synthetic.shapes import OF_THINGS, SHAPES
from benchmarks.synthetic.truth import Item
from benchmarks.synthetic.words import ALPHABET
from benchmarks.tiny_vlm import words
from benchmarks.tiny_vlm.sizes import CELL, Recipe

SLOTS = 4  # upright strips of a visual token, in each of which a letter may stand
SEEN = {name: index + 1 for index, name in enumerate([*sorted(set(ALPHABET)), *OF_THINGS, *SHAPES])}  # 0: nothing
IGNORED = -100


@dataclass(frozen=True)
class Group:
    """Items of one size as arrays, for `n` items, `r` rows and `c` columns of visual tokens, `t` tokens.

    pixels: (n, r*28, c*28, 3) uint8. ids: (n, t) prompt, image and answer, padded at the end. labels: (n, t), the
    answer at its own places and `IGNORED` elsewhere; t is 0 while the eye
    alone learns. seen: (n, r*c, SLOTS) what stands in every visual token.
    """

    kind: str
    pixels: NDArray[np.uint8]
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    seen: NDArray[np.int64]

    @property
    def cells(self) -> tuple[int, int]:
        return self.pixels.shape[1] // CELL, self.pixels.shape[2] // CELL


OPENING = "<|im_start|>user\n<|vision_start|>"


@functools.cache
def opening() -> int:
    """How many tokens stand before the picture."""
    return len(words.encoded(OPENING))


def asking(question: str, cells: int) -> list[int]:
    """The conversation up to where the answer begins, as the chat template writes it."""
    image = "<|image_pad|>" * cells + "<|vision_end|>"
    return words.encoded(f"{OPENING}{image}{question}<|im_end|>\n<|im_start|>assistant\n")


def answering(one: Item) -> list[int]:
    """The answer with its end; what was read is spelled."""
    plain = words.spelled(one.answer) if one.kind in ("line", "lines") else words.encoded(one.answer)
    return [*plain, words.end()]


def seen(one: Item, rows: int, columns: int) -> NDArray[np.int64]:
    """(rows*columns, SLOTS): the letter whose middle lies in each quarter across of each visual token, or the next
    quarter when two share one; or the colour and shape of the thing that covers the token."""
    slots = np.zeros((rows * columns, SLOTS), np.int64)
    for letter in one.picture.letters:
        cell = min(rows - 1, int(letter.y / CELL)) * columns + min(columns - 1, int(letter.x / CELL))
        upright = min(SLOTS - 1, int(letter.x % CELL / CELL * SLOTS))
        free = [slot for slot in range(upright, SLOTS) if not slots[cell, slot]]
        if free:
            slots[cell, free[0]] = SEEN[letter.text]
    for thing in one.picture.things:
        left, top, right, bottom = thing.box
        for row in range(int(top / CELL), min(rows, int(bottom / CELL) + 1)):
            for column in range(int(left / CELL), min(columns, int(right / CELL) + 1)):
                width = min(right, (column + 1) * CELL) - max(left, column * CELL)
                height = min(bottom, (row + 1) * CELL) - max(top, row * CELL)
                if width * height > 0.4 * min(CELL**2, (right - left) * (bottom - top)):
                    slots[row * columns + column, :2] = SEEN[thing.colour], SEEN[thing.shape]
    return slots


def group(made: Sequence[Item]) -> Group:
    """Items of one size together."""
    columns, rows = (side // CELL for side in made[0].picture.size)
    prompts = [asking(one.question, rows * columns) for one in made]
    answers = [answering(one) for one in made]
    # Lengths in steps, so that a GPU meets few different shapes.
    longest = -(-max(len(p) + len(a) for p, a in zip(prompts, answers, strict=True)) // 8) * 8
    ids = np.full((len(made), longest), words.pad(), np.int64)
    labels = np.full((len(made), longest), IGNORED, np.int64)
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        ids[row, : len(prompt) + len(answer)] = prompt + answer
        labels[row, len(prompt) : len(prompt) + len(answer)] = answer
    return Group(
        made[0].kind,
        np.stack([one.picture.pixels for one in made]),
        ids,
        labels,
        np.stack([seen(one, rows, columns) for one in made]),
    )


def lesson(rng: random.Random, progress: float, eye: float) -> dict[str, Any]:
    """What the next group is about: kind, rows and columns of visual tokens, and how it is drawn and asked.

    progress: 0 to 1, how much of the training is behind. eye: the share of it that teaches the eye alone. First clean
    short lines and scenes of few shapes, then more and more all manners of print; when the eye has learned, short lines
    are read, then lines of any length, then several.
    """
    plain = rng.random() < (1.2 - progress / eye) / 0.8 if eye else False
    formal = rng.random() < 0.15
    later = max(0.0, (progress - eye) / (1 - eye))
    if rng.random() < (0.8 if later < 0.1 else 0.6):
        if later > 0.2 and rng.random() < 0.4:
            return {"kind": "lines", "rows": rng.randint(2, 8), "columns": rng.randint(5, 14), "formal": formal}
        widest = 5 if later < 0.04 else 9 if later < 0.1 else 18
        rows = 1 if plain else rng.choice((1, 1, 1, 2))
        return {"kind": "line", "rows": rows, "columns": rng.randint(2, widest), "formal": formal, "plain": plain}
    kind = rng.choice(("colour", "shape", "count", "describe", "where", "where"))
    most = 2 if later < 0.05 else 5
    side = rng.randint(3, 8), rng.randint(3, 8)
    formal = rng.random() < 0.5 if kind == "where" else formal
    return {"kind": kind, "rows": side[0], "columns": side[1], "most": most, "formal": formal}


def step(recipe: Recipe, number: int) -> list[Group]:
    """The groups of one step, a pure function of the recipe and the number of the step."""
    rng = random.Random(f"{recipe.seed}/{number}")
    fonts = recipe.fonts or faces("train")
    looking = number < recipe.eye * recipe.steps
    groups = []
    for _ in range(recipe.groups):
        about = lesson(rng, number / recipe.steps, recipe.eye)
        kind, rows, columns = about.pop("kind"), about.pop("rows"), about.pop("columns")
        cells = rows * columns
        answer = {"line": 2 * cells, "lines": 2 * cells, "describe": 40, "where": 60}.get(kind, 2)
        count = max(1, recipe.tokens // (4 * cells if looking else cells + 20 + answer + 40 * about["formal"]))
        size = (columns * CELL, rows * CELL)
        made = group([item(kind, rng, size, fonts, **about) for _ in range(count)])
        groups.append(replace(made, ids=made.ids[:, :0], labels=made.labels[:, :0]) if looking else made)
    return groups


class Steps:
    """The steps by their number, as a `DataLoader` wants them."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def __len__(self) -> int:
        return self.recipe.steps

    def __getitem__(self, number: int) -> list[dict[str, Any]]:
        import torch

        return [
            {
                "kind": each.kind,
                **{name: torch.from_numpy(getattr(each, name)) for name in ("pixels", "ids", "labels", "seen")},
            }
            for each in step(self.recipe, number)
        ]


def stream(recipe: Recipe, first: int, processes: int) -> Iterator[list[dict[str, Any]]]:
    """The steps from `first` to the last, in order, made ahead by so many processes, or here when there are none."""
    import torch
    from torch.utils.data import DataLoader

    yield from DataLoader(
        Steps(recipe),  # type: ignore[arg-type]
        batch_size=None,
        sampler=range(first, recipe.steps),
        num_workers=processes,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=2 if processes else None,
        multiprocessing_context="spawn" if processes else None,
    )
