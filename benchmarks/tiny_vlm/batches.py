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

from benchmarks.synthetic import shapes
from benchmarks.synthetic.fonts import faces
from benchmarks.synthetic.items import about_one, item
from benchmarks.synthetic.shapes import OF_THINGS, SHAPES
from benchmarks.synthetic.truth import Item, Letter
from benchmarks.synthetic.words import ALPHABET
from benchmarks.tiny_vlm import words
from benchmarks.tiny_vlm.sizes import CELL, Recipe

SLOTS = 4  # upright strips of a visual token, in each of which a letter may stand
SEEN = {name: index + 1 for index, name in enumerate([*sorted(set(ALPHABET)), *OF_THINGS, *SHAPES])}  # 0: nothing
IGNORED = -100
ASKED = ("colour", "colour", "shape", "shape", "count", "count", "describe", "where")  # about one scene
SHORT = ("colour", "shape", "count") * 3
COUNTING = ("colour", "shape") * 2 + ("count",) * 5  # which is learned last
FORMAL = 0.3  # share of the questions about scenes in the application's own words


@dataclass(frozen=True)
class Group:
    """Pictures of one size as arrays, for `n` pictures, `r` rows and `c` columns of visual tokens, `t` tokens.

    A picture may be asked several questions, each a turn that knows nothing of the others.

    pixels: (n, r*28, c*28, 3) uint8. ids: (n, t) image, then prompts and answers, padded at the end; t is 0 while the
    eye alone learns. labels: (n, t), the answers at their own places and `IGNORED` elsewhere. looks: (n, t), which
    visual token a token of an answer comes from, `IGNORED` where none does. turns: (n, t), 0 up to the image's end,
    then the number of the turn. seen: (n, r*c, SLOTS) what stands in every visual token.
    """

    kind: str
    pixels: NDArray[np.uint8]
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    looks: NDArray[np.int64]
    turns: NDArray[np.int64]
    seen: NDArray[np.int64]

    @property
    def cells(self) -> tuple[int, int]:
        return self.pixels.shape[1] // CELL, self.pixels.shape[2] // CELL


ARRAYS = ("pixels", "ids", "labels", "looks", "turns", "seen")
OPENING = "<|im_start|>user\n<|vision_start|>"


@functools.cache
def opening() -> int:
    """How many tokens stand before the picture."""
    return len(words.encoded(OPENING))


def asking(question: str) -> list[int]:
    """The conversation from the image's end to where the answer begins, as the chat template writes it."""
    return words.encoded(f"<|vision_end|>{question}<|im_end|>\n<|im_start|>assistant\n")


def answering(one: Item) -> list[int]:
    """The answer with its end; what was read is spelled."""
    plain = words.spelled(one.answer) if one.kind in ("line", "lines") else words.encoded(one.answer)
    return [*plain, words.end()]


def cell(x: float, y: float, rows: int, columns: int) -> int:
    """The visual token at a place in pixels."""
    return min(rows - 1, int(y / CELL)) * columns + min(columns - 1, int(x / CELL))


def looking(one: Item, answer: Sequence[int], rows: int, columns: int) -> list[int]:
    """For every token of the answer, the visual token that it is read from, or `IGNORED`: of a letter its own, of a
    word the middle of the thing it speaks of, of the numbers of a box the corners."""
    if one.kind in ("line", "lines"):
        letters = iter(one.picture.letters)
        places = [IGNORED if letter.isspace() else at(next(letters), rows, columns) for letter in one.answer]
        return [*places, IGNORED]
    found, index, numbers = [], 0, 0
    for token in answer:
        said = words.word(token)
        if index >= len(one.about) or token == words.end():
            found.append(IGNORED)
        else:
            left, top, right, bottom = one.about[index].box
            x, y = one.about[index].middle
            if one.kind == "where" and numbers < 4:
                x, y = (left, top) if numbers < 2 else (right - 1, bottom - 1)
            found.append(cell(x, y, rows, columns))
        if one.kind == "where":
            numbers = 0 if "}" in said else numbers + ("," in said)
            index += "}" in said
        else:
            index += "," in said or "." in said
    return found


def at(letter: Letter, rows: int, columns: int) -> int:
    return cell(letter.x, letter.y, rows, columns)


def seen(one: Item, rows: int, columns: int) -> NDArray[np.int64]:
    """(rows*columns, SLOTS): the letter whose middle lies in each quarter across of each visual token, or the next
    quarter when two share one; or the colour and shape of the thing that covers the token."""
    slots = np.zeros((rows * columns, SLOTS), np.int64)
    for letter in one.picture.letters:
        place = at(letter, rows, columns)
        upright = min(SLOTS - 1, int(letter.x % CELL / CELL * SLOTS))
        free = [slot for slot in range(upright, SLOTS) if not slots[place, slot]]
        if free:
            slots[place, free[0]] = SEEN[letter.text]
    for thing in one.picture.things:
        left, top, right, bottom = thing.box
        for row in range(int(top / CELL), min(rows, int(bottom / CELL) + 1)):
            for column in range(int(left / CELL), min(columns, int(right / CELL) + 1)):
                width = min(right, (column + 1) * CELL) - max(left, column * CELL)
                height = min(bottom, (row + 1) * CELL) - max(top, row * CELL)
                if width * height > 0.4 * min(CELL**2, (right - left) * (bottom - top)):
                    slots[row * columns + column, :2] = SEEN[thing.colour], SEEN[thing.shape]
    return slots


def group(made: Sequence[Sequence[Item]], kind: str = "") -> Group:
    """Pictures of one size together, each with its questions."""
    columns, rows = (side // CELL for side in made[0][0].picture.size)
    start = words.encoded(OPENING) + words.encoded("<|image_pad|>") * (rows * columns)
    whole = []
    for turns in made:
        tokens = [(token, IGNORED, IGNORED, 0) for token in start]
        for turn, one in enumerate(turns, 1):
            answer = answering(one)
            tokens += [(token, IGNORED, IGNORED, turn) for token in asking(one.question)]
            looks = looking(one, answer, rows, columns)
            tokens += [(token, token, look, turn) for token, look in zip(answer, looks, strict=True)]
        whole.append(tokens)
    # Lengths in steps, so that a GPU meets few different shapes.
    longest = -(-max(len(tokens) for tokens in whole) // 8) * 8
    table = np.full((len(made), longest, 4), (words.pad(), IGNORED, IGNORED, 0), np.int64)
    for row, tokens in enumerate(whole):
        table[row, : len(tokens)] = tokens
    ids, labels, looks_at, numbers = np.ascontiguousarray(np.moveaxis(table, 2, 0))
    return Group(
        kind or made[0][0].kind,
        np.stack([turns[0].picture.pixels for turns in made]),
        ids,
        labels,
        looks_at,
        numbers,
        np.stack([seen(turns[0], rows, columns) for turns in made]),
    )


def lesson(rng: random.Random, progress: float, eye: float) -> dict[str, Any]:
    """What the next group is about: kind, rows and columns of visual tokens, and how it is drawn and asked.

    progress: 0 to 1, how much of the training is behind. eye: the share of it that teaches the eye alone. First clean
    short lines and scenes of few shapes, then more and more all manners of print; when the eye has learned, short lines
    are read, then lines of any length, then several, and at last large letters as often as small ones, and scenes more
    often, every other one with nothing but short answers, which the long ones would drown. Last come counting, and
    the application's own words for reading, with the language of the document.
    """
    plain = rng.random() < (1.2 - progress / eye) / 0.8 if eye else False
    later = max(0.0, (progress - eye) / (1 - eye))
    last = later >= 0.7
    asking: dict[str, Any] = {"formal": rng.random() < (0.3 if last else 0.15)} | ({"told": 0.5} if last else {})
    if rng.random() < (0.7 if later < 0.28 else 0.6):
        if later > 0.08531 and rng.random() < (0.4 if later < 0.105 else 0.25):
            return {"kind": "lines", "rows": rng.randint(2, 8), "columns": rng.randint(5, 14), **asking}
        widest = 5 if later < 0.017 else 9 if later < 0.0427 else 18 if later < 0.105 else 16
        rows = 1 if plain else rng.choice((1, 1, 1, 2) if later < 0.105 else (1, 2))
        return {"kind": "line", "rows": rows, "columns": rng.randint(2, widest), **asking, "plain": plain}
    most = 2 if later < 0.0213 else 5
    sides = {"rows": rng.randint(3, 8), "columns": rng.randint(3, 8)}
    short = later > 0.28 and rng.random() < 0.5
    asked = ASKED if not short else COUNTING if last else SHORT
    return {"kind": "scene", **sides, "most": most, "asked": asked}


def step(recipe: Recipe, number: int) -> list[Group]:
    """The groups of one step, a pure function of the recipe and the number of the step."""
    rng = random.Random(f"{recipe.seed}/{number}")
    fonts = recipe.fonts or faces("train")
    alone = number < recipe.eye * recipe.steps
    groups = []
    for _ in range(recipe.groups):
        about = lesson(rng, number / recipe.steps, recipe.eye)
        kind, rows, columns = about.pop("kind"), about.pop("rows"), about.pop("columns")
        cells, size = rows * columns, (columns * CELL, rows * CELL)
        asked = about.pop("asked", ())
        text = (220 if asked is ASKED else 120) if asked else 20 + 2 * cells + 40 * about["formal"]
        count = max(1, recipe.tokens // (4 * cells if alone else cells + text))
        if kind == "scene":
            scenes = (shapes.scene(rng, size, **about) for _ in range(count))
            made = group([about_one(rng, scene, asked, FORMAL) for scene in scenes], kind)
        else:
            made = group([[item(kind, rng, size, fonts, **about)] for _ in range(count)])
        if alone:
            made = replace(made, **{name: getattr(made, name)[:, :0] for name in ("ids", "labels", "looks", "turns")})
        groups.append(made)
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
                **{name: torch.from_numpy(getattr(each, name)) for name in ARRAYS},
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
