"""Printed lines on a plain ground, one or several, with the place of every line and letter."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from benchmarks.synthetic import ground, words
from benchmarks.synthetic.fonts import Face, face
from benchmarks.synthetic.truth import Letter, Line, Picture, Size

SIZES = (14, 15, 16, 17, 18, 20, 22, 24, 26, 28, 31, 34, 38, 42)  # of a face, in pixels
PLAIN = (18, 20, 22)  # the same for a beginner


def fitted(rng: random.Random, font: Face, width: float, language: str, most_letters: int) -> str:
    """Words that fit into `width` pixels; empty when not one does."""
    text, taken, space = "", 0.0, font.width(" ")
    for _ in range(40):
        piece = words.piece(rng, language)
        needs = font.width(piece) + (space if text else 0)
        if taken + needs > width or len(text) + len(piece) > most_letters:
            if text:
                break
            continue  # the first word did not fit: try another
        text, taken = f"{text} {piece}".strip(), taken + needs
        if rng.random() < 0.06:
            break
    return text


def chosen(rng: random.Random, fonts: Sequence[str], sizes: Sequence[int], room: float) -> Face:
    """Any face, at a size that suits lines of this height in pixels."""
    fitting = [size for size in sizes if room * 0.5 <= size <= room * 0.82]
    return face(rng.choice(fonts), rng.choice(fitting or sizes[:1]))


def printed(
    rng: random.Random,
    fonts: Sequence[str],
    size: Size,
    language: str,
    *,
    count: int = 1,
    most_letters: int = 60,
    plain: bool = False,
) -> Picture:
    """`count` lines in one face on a picture of `size` (width, height in pixels).

    The canvas is often drawn at another scale and resampled, as any picture is before a model sees it. plain: for a
    beginner, clean dark print on light of middling size.
    """
    sizes = PLAIN if plain else SIZES
    stretch = (1.0, 1.0)
    if not plain and rng.random() < 0.5:
        stretch = rng.uniform(0.85, 1.2), rng.uniform(0.75, 1.45)  # 41 pixels high become 28, and 42 become 56
    width, height = round(size[0] * stretch[0]), round(size[1] * stretch[1])
    margin = rng.uniform(1, 5)
    while True:
        font = chosen(rng, fonts, sizes, height / count)
        texts = [fitted(rng, font, width - 2 * margin, language, most_letters) for _ in range(count)]
        if all(texts) and not words.ambiguous("".join(texts)):
            break
    widths = [font.width(text) for text in texts]
    step = rng.uniform(0.95 * font.height, height / count) if count > 1 else 0
    free = height - step * (count - 1) - font.height
    top = rng.uniform(0, free) if free > 0 else free / 2
    centred = rng.random() < 0.3
    left = margin + rng.random() ** 2 * max(0.0, width - 2 * margin - max(widths))

    cover = np.zeros((height, width), np.uint8)
    across, along = size[0] / width, size[1] / height
    lines, letters = [], []
    for index, text in enumerate(texts):
        x = (width - widths[index]) / 2 if centred else left
        drawn = font.draw(cover, x, round(top + step * index) + font.ascent, text)
        box = (drawn.box[0] * across, drawn.box[1] * along, drawn.box[2] * across, drawn.box[3] * along)
        lines.append(Line(text, box))
        middle = (box[1] + box[3]) / 2
        letters += [
            Letter(letter, x * across, middle) for letter, x in zip(text, drawn.middles, strict=True) if letter != " "
        ]

    ink, paper = ((20, 20, 20), (250, 250, 250)) if plain else ground.ink_and_paper(rng)
    levels = ground.sheet(rng, (width, height), paper)
    levels += (np.asarray(ink, np.float32) - levels) * (cover[:, :, None] / np.float32(255))
    pixels = ground.pixels(levels) if plain else ground.taken(rng, levels, size)
    return Picture(pixels, tuple(lines), tuple(letters))
