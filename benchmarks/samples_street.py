"""The sample photo: a shop front in the sun, seen at an angle, with a sign over it and a board on the pavement."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from benchmarks.picture import Shade, Size, clouds, font, laid, perspective, photographed, shaded

FRONT: Size = (2600, 1900)  # the house front, drawn flat
PAINT, CREAM, GOLD = (34, 62, 52), (238, 228, 204), (196, 160, 88)
Box = tuple[float, float, float, float]


def bricks(rng: np.random.Generator) -> Image.Image:
    """A wall in running bond, every brick with a tone of its own."""
    width, height = FRONT
    wall = Image.new("RGB", FRONT, (150, 132, 116))
    pen = ImageDraw.Draw(wall)
    for row, y in enumerate(range(0, height, 34)):
        for x in range(-45 * (row % 2), width, 90):
            tone = rng.normal(1, 0.09)
            colour = tuple(int(level * tone) for level in (162 + rng.integers(-10, 10), 84, 62))
            pen.rectangle((x + 2, y + 2, x + 86, y + 31), colour)
    relief = 0.06 * clouds(rng, FRONT, (5, 4), 5) + 0.05 * clouds(rng, FRONT, (650, 475), 1)
    return shaded(wall.filter(ImageFilter.GaussianBlur(0.8)), 1 + relief)


def glass(rng: np.random.Generator, size: Size, inside: Image.Image) -> Image.Image:
    """A pane: what is behind it, under a reflection of the sky and of the houses opposite."""
    width, height = size
    sky = 0.5 + 0.5 * clouds(rng, size, (4, 3), 4)
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    roofs = y > 0.34 + 0.1 * np.round(np.sin(9 * x + rng.uniform(0, 6)) * 2) / 2
    strength = np.where(roofs, 0.10, 0.30 + 0.14 * sky) + 0.12 * ((x + 0.55 * y) % 0.62 < 0.13)
    mirrored = Image.fromarray((np.clip(strength, 0, 1) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(5))
    return Image.composite(Image.new("RGB", size, (206, 222, 236)), inside, mirrored)


def room(rng: np.random.Generator, size: Size) -> Image.Image:
    """Shelves with loaves under warm lamps, out of focus."""
    width, height = size
    inside = Image.new("RGB", size, (70, 46, 30))
    pen = ImageDraw.Draw(inside)
    for shelf in range(4):
        y = height * (0.30 + 0.21 * shelf)
        pen.rectangle((0, y, width, y + 16), (120, 82, 48))
        x = 14.0
        while x < width - 30:
            long, high = rng.uniform(60, 125), rng.uniform(40, 66)
            tone = rng.uniform(0.75, 1.2)
            crust = tuple(int(level * tone) for level in (196, 130 + int(rng.integers(-14, 14)), 66))
            pen.ellipse((x, y - high, x + long, y + high * 0.35), crust)
            pen.rectangle((x - 4, y, x + long + 4, y + 16), (120, 82, 48))
            for cut in (0.3, 0.5, 0.7):
                pen.line((x + long * cut, y - high * 0.8, x + long * cut + 9, y - high * 0.35), (232, 190, 124), 5)
            x += long + rng.uniform(4, 26)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    lamps = sum(np.exp(-(((x - place) / 0.22) ** 2) - (y / 0.55) ** 2) for place in (0.2, 0.5, 0.8))
    return shaded(inside.filter(ImageFilter.GaussianBlur(3)), 0.55 + 1.1 * lamps)


def dark_below(height: int, reach: float, depth: float) -> Shade:
    """The shadow that something standing out throws on what is below it."""
    return 1 - depth * np.exp(-((np.arange(height) / reach) ** 2))[:, None]


def sash(rng: np.random.Generator, wall: Image.Image, box: tuple[int, int, int, int]) -> None:
    """An upper window with curtains, a frame, a lintel and a sill."""
    x0, y0, x1, y1 = box
    size = (x1 - x0, y1 - y0)
    folds = 1 + 0.16 * np.sin(np.linspace(0, 46, size[0]))[None, :] * np.ones((size[1], 1))
    inside = Image.new("RGB", size, (48, 50, 58))
    curtain = shaded(Image.new("RGB", size, (214, 208, 196)), folds)
    opening = Image.new("L", size, 255)
    ImageDraw.Draw(opening).polygon([(size[0] * 0.5, 0), (size[0] * 0.72, size[1]), (size[0] * 0.28, size[1])], 0)
    inside.paste(curtain, (0, 0), opening)
    wall.paste(shaded(glass(rng, size, inside), dark_below(size[1], 60, 0.55)), (x0, y0))
    pen = ImageDraw.Draw(wall)
    pen.rectangle((x0 - 14, y0 - 14, x1 + 14, y1 + 14), outline=CREAM, width=18)
    pen.line((x0, (y0 + y1) // 2, x1, (y0 + y1) // 2), CREAM, 14)
    pen.line(((x0 + x1) // 2, y0, (x0 + x1) // 2, y1), CREAM, 12)
    pen.rectangle((x0 - 44, y1 + 14, x1 + 44, y1 + 44), (222, 212, 190))
    pen.rectangle((x0 - 44, y1 + 44, x1 + 44, y1 + 54), (92, 62, 48))
    pen.rectangle((x0 - 40, y0 - 62, x1 + 40, y0 - 14), (214, 202, 180))


def panel(wall: Image.Image, box: Box, raised: bool = True) -> None:
    """A painted wooden field with a bevelled edge."""
    pen = ImageDraw.Draw(wall)
    light, dark = (70, 102, 88), (18, 36, 30)
    x0, y0, x1, y1 = box
    pen.rectangle(box, PAINT)
    pen.line([(x0, y1), (x0, y0), (x1, y0)], light if raised else dark, 6)
    pen.line([(x1, y0), (x1, y1), (x0, y1)], dark if raised else light, 6)


def awning(rng: np.random.Generator, wall: Image.Image, box: tuple[int, int, int, int]) -> None:
    """A striped cloth with a scalloped edge, and its shadow on the windows."""
    x0, y0, x1, y1 = box
    size = (x1 - x0, y1 - y0 + 60)
    cloth = Image.new("RGBA", size)
    pen = ImageDraw.Draw(cloth)
    stripe = 92
    for index, x in enumerate(range(0, size[0], stripe)):
        colour = (*((166, 44, 40) if index % 2 else (240, 232, 214)), 255)
        pen.rectangle((x, 0, x + stripe, size[1] - 60), colour)
        pen.pieslice((x, size[1] - 110, x + stripe, size[1] - 10), 0, 180, colour)
    slope = np.concatenate([np.linspace(1.12, 0.86, size[1] - 70), np.full(70, 0.72)])
    cloth = shaded(cloth, slope[:, None] * (1 + 0.03 * clouds(rng, size, (40, 2), 2)))
    sheet = Image.new("RGBA", wall.size)
    sheet.paste(cloth, (x0, y0))
    wall.paste(laid(sheet, wall, (-26, 90), 20, 0.62))


def front(rng: np.random.Generator) -> tuple[Image.Image, list[str]]:
    """The whole house front, flat, and what is written on it."""
    wall = bricks(rng)
    for x in (210, 1130, 2050):
        sash(rng, wall, (x, 40, x + 330, 440))
    pen = ImageDraw.Draw(wall)
    pen.rectangle((90, 560, 2510, 600), (212, 200, 176))
    panel(wall, (110, 600, 2490, 1900))
    wall.paste(shaded(wall.crop((0, 600, 2600, 760)), dark_below(160, 50, 0.35)), (0, 600))

    panel(wall, (170, 616, 2430, 908))
    pen.rectangle((190, 634, 2410, 890), outline=GOLD, width=6)
    name, motto = font("paratype/PTF75F.ttf", 176), font("paratype/PTF56F.ttf", 58)
    pen.text((1307, 719), "BAKERY", (10, 24, 19), name, anchor="mm")
    pen.text((1300, 711), "BAKERY", CREAM, name, anchor="mm")
    pen.text((1300, 830), "Fresh bread every morning", (222, 188, 116), motto, anchor="mm")

    for x0, x1 in ((190, 1010), (1590, 2410)):
        size = (x1 - x0, 620)
        wall.paste(glass(rng, size, room(rng, size)), (x0, 960))
        pen.rectangle((x0 - 12, 948, x1 + 12, 1592), outline=(24, 46, 38), width=18)
        pen.line(((x0 + x1) // 2, 960, (x0 + x1) // 2, 1580), (24, 46, 38), 14)
        for half in (x0, (x0 + x1) // 2):
            panel(wall, (half + 16, 1630, half + (x1 - x0) / 2 - 16, 1860), raised=False)
    panel(wall, (1070, 940, 1530, 1900))
    size = (330, 560)
    wall.paste(glass(rng, size, room(rng, size)), (1135, 1000))
    pen.rectangle((1123, 988, 1477, 1572), outline=(24, 46, 38), width=16)
    panel(wall, (1135, 1620, 1465, 1860), raised=False)
    pen.rounded_rectangle((1492, 1560, 1508, 1700), 8, GOLD)
    awning(rng, wall, (150, 905, 2450, 1040))

    pen.line([(1190, 1180), (1300, 1120), (1410, 1180)], (70, 60, 48), 4)
    pen.rounded_rectangle((1165, 1180, 1435, 1390), 16, CREAM, (120, 92, 48), 8)
    pen.text((1300, 1250), "OPEN", (150, 36, 32), font("paratype/PTS75F.ttf", 92), anchor="mm")
    pen.text((1300, 1335), "8:00 - 20:00", (52, 48, 44), font("paratype/PTS75F.ttf", 44), anchor="mm")
    return wall, ["BAKERY", "Fresh bread every morning", "OPEN", "8:00 - 20:00"]


def pavement(rng: np.random.Generator) -> Image.Image:
    """Slabs, drawn flat."""
    size = (1500, 1000)
    stones = Image.new("RGB", size, (112, 106, 100))
    pen = ImageDraw.Draw(stones)
    for row, y in enumerate(range(0, 1000, 110)):
        for x in range(-80 * (row % 2), 1500, 160):
            tone = int(rng.normal(158, 8))
            pen.rectangle((x + 2, y + 2, x + 156, y + 106), (tone, tone - 6, tone - 16))
    return shaded(stones, 1 + 0.07 * clouds(rng, size, (6, 4), 5) + 0.06 * clouds(rng, size, (500, 330), 1))


def board(rng: np.random.Generator) -> tuple[Image.Image, list[str]]:
    """A chalk board that stands on the pavement."""
    size = (520, 760)
    wooden = shaded(Image.new("RGB", size, (134, 92, 54)), 1 + 0.1 * clouds(rng, size, (30, 4), 3))
    slate = shaded(Image.new("RGB", (440, 620), (44, 48, 50)), 1 + 0.16 * clouds(rng, (440, 620), (4, 5), 4))
    chalk = Image.new("L", slate.size)
    pen = ImageDraw.Draw(chalk)
    lines = ["TODAY", "Rye bread", "Apple pie", "Hot soup"]
    pen.text((220, 100), lines[0], 255, font("paratype/PTS75F.ttf", 96), anchor="mm")
    pen.line([(80, 170), (220, 178), (360, 168)], 230, 6)
    for index, line in enumerate(lines[1:]):
        pen.text((220, 260 + 120 * index), line, 245, font("paratype/PTS76F.ttf", 74), anchor="mm")
    dusty = np.asarray(chalk, float) * np.clip(0.95 + 0.3 * clouds(rng, slate.size, (110, 150), 1), 0, 1)
    slate.paste(Image.new("RGB", slate.size, (240, 240, 232)), (0, 0), Image.fromarray(dusty.astype(np.uint8)))
    wooden.paste(slate, (40, 40))
    return wooden, lines


def leaves(rng: np.random.Generator, size: Size) -> Shade:
    """Sunlight through a tree: soft patches of shade."""
    crown = clouds(rng, size, (7, 5), 4)
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    shade = 1 / (1 + np.exp(-7 * (crown + 2.4 * (0.42 - x) - 0.9 * y + 0.1)))
    soft = Image.fromarray((shade * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(6))
    return 1.08 - 0.42 * np.asarray(soft, float) / 255


def photo() -> tuple[Image.Image, list[str]]:
    """The street, photographed."""
    rng = np.random.default_rng(820)
    size = (2400, 1600)
    scene = shaded(Image.new("RGB", size, (168, 198, 228)), 1.05 + 0.05 * clouds(rng, size, (5, 4), 4))
    flat, lines = front(rng)
    house = perspective(shaded(flat, leaves(rng, FRONT)), size, [(-160, -90), (2460, 130), (2460, 1180), (-160, 1490)])
    ground = perspective(pavement(rng), size, [(-900, 1560), (2460, 1170), (3300, 1640), (-900, 2300)])
    ground_alpha = ground.getchannel("A").point(lambda alpha: 255 if alpha > 127 else 0)
    scene.paste(house, (0, 0), house)
    scene.paste(ground, (0, 0), ground_alpha)
    wooden, more = board(rng)
    standing = perspective(wooden, size, [(1560, 960), (1830, 945), (1862, 1420), (1528, 1450)])
    scene = laid(standing, scene, (-50, 34), 22, 0.55)
    picture = scene.resize((1500, 1000), Image.Resampling.LANCZOS)
    warm = ImageChops.multiply(picture, Image.new("RGB", picture.size, (255, 250, 238)))
    warm = warm.point(lambda level: int(255 * (level / 255) ** 0.86))
    return photographed(warm, rng, grain=3.0, vignette=0.3, blur=0.7), [*lines, *more]
