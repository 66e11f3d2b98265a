"""A sign on a wall or a door: a plate with a few short lines, the first the largest."""

from __future__ import annotations

import random
from collections.abc import Sequence

from benchmarks.synthetic import wording
from benchmarks.synthetic.ground import Colour
from benchmarks.synthetic.sheet import ADVANCE, Page, Sheet, facts
from benchmarks.synthetic.truth import Size
from benchmarks.synthetic.typefaces import family

# plate, ink
PLATES: tuple[tuple[Colour, Colour], ...] = (
    ((246, 246, 242), (26, 28, 32)),
    ((28, 74, 142), (250, 250, 250)),
    ((20, 104, 66), (248, 250, 246)),
    ((172, 30, 36), (252, 248, 246)),
    ((246, 200, 40), (24, 22, 20)),
    ((52, 48, 46), (232, 214, 170)),
    ((236, 228, 208), (92, 44, 30)),
)
WALLS: tuple[Colour, ...] = ((176, 172, 164), (150, 122, 104), (108, 116, 122), (206, 200, 186), (84, 92, 86))


def draw(rng: random.Random, language: str, size: Size, paths: Sequence[str]) -> Page:
    """A plate on a wall of `size` (width, height in pixels)."""
    width, height = size
    plate, ink = rng.choice(PLATES)
    sheet = Sheet(size, rng.choice(WALLS), ink)
    lines = [wording.filled(rng, language, text) for text in rng.choice(wording.phrases(language)["sign"])]
    letters = family(rng, paths, "sans", "serif")
    left, top, right, bottom = (
        round(width * rng.uniform(0.05, 0.1)),
        round(height * rng.uniform(0.06, 0.12)),
        round(width * rng.uniform(0.9, 0.95)),
        round(height * rng.uniform(0.88, 0.94)),
    )
    corner = round(height * rng.choice((0.01, 0.05, 0.09)))
    sheet.pen.rounded_rectangle(
        (left + 4, top + 6, right + 4, bottom + 6), corner, tuple(c * 2 // 3 for c in sheet.paper)
    )
    sheet.pen.rounded_rectangle((left, top, right, bottom), corner, plate)
    edge = round(height * 0.03)
    if rng.random() < 0.6:
        sheet.pen.rounded_rectangle((left + edge, top + edge, right - edge, bottom - edge), max(2, corner - edge),
                                    outline=ink, width=max(3, edge // 3))  # fmt: skip
    room_x, room_y = right - left - edge * 5, bottom - top - edge * 5
    small = 0.52 if len(lines) < 4 else 0.66
    shares = [1.0, *[small] * (len(lines) - 1)]
    measure = [letters.at(100, "regular" if index else "bold").width(line) for index, line in enumerate(lines)]
    main = min(room_y * 0.5, room_y / sum(shares) / ADVANCE)
    main = min(main, *(room_x / (wide / 100 * share) for wide, share in zip(measure, shares, strict=True)))
    fonts = [letters.at(int(main * share), "regular" if index else "bold") for index, share in enumerate(shares)]
    y = top + (bottom - top - sum(font.size * ADVANCE for font in fonts)) / 2
    for index, (font, line) in enumerate(zip(fonts, lines, strict=True)):
        kind = "Title" if index == 0 else "Text"
        y = sheet.block(kind, left, y, right - left, [line], font, align="centre")
    others = [text for each in wording.phrases(language)["sign"] for text in each[:1] if "{" not in text]
    return sheet.page("sign", language, facts=facts(rng, sheet.text, others))
