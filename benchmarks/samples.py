"""Draws the sample pictures of the gallery with their exact texts: ``python -m benchmarks.samples``.

The results are committed, so this is run only to change them. It needs the Debian packages fonts-liberation,
fonts-paratype and fonts-dejavu and, for the formulas, matplotlib. Every picture comes from a fixed seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from benchmarks.picture import askew, clouds, font, jpeg, laid, paper, perspective, photographed, shaded, typeset, wood
from benchmarks.samples_street import photo
from benchmarks.synthetic import shapes

FOLDER = Path(__file__).parent.parent / "assets" / "samples"
MOST_BYTES = 200_000
Drawn = tuple[Image.Image, list[str]]  # a picture and its text, line by line


def receipt() -> Drawn:
    """A till receipt on a wooden table."""
    rng = np.random.default_rng(482)
    width, height, margin = 900, 1370, 62
    sheet = paper(rng, (width, height), (247, 245, 238))
    pen = ImageDraw.Draw(sheet)
    lines: list[str] = []
    y = 70.0

    def row(left: str, right: str = "", *, size: int = 34, bold: bool = False, centred: bool = False) -> None:
        nonlocal y
        face = font(f"liberation/LiberationMono-{'Bold' if bold else 'Regular'}.ttf", size)
        ink = (58, 56, 64)
        if centred:
            pen.text((width / 2, y), left, ink, face, anchor="ma")
        else:
            pen.text((margin, y), left, ink, face)
            pen.text((width - margin, y), right, ink, face, anchor="ra")
        lines.append(f"{left} {right}".strip())
        y += size * 1.5

    def rule() -> None:
        nonlocal y
        for x in range(margin, width - margin, 18):
            pen.line((x, y + 12, x + 9, y + 12), (96, 94, 100), 2)
        y += 44

    row("THE GREEN LANTERN", size=52, bold=True, centred=True)
    row("COFFEE & BOOKS", size=38, centred=True)
    row("14 Harbour Street", centred=True)
    y += 16
    row("Receipt 00482", "Table 7")
    row("12.05.2026", "09:41")
    rule()
    for item, price in [
        ("2 x Flat white", "7.00"),
        ("1 x Almond croissant", "3.40"),
        ("1 x Avocado toast", "8.90"),
        ("3 x Oat cookie", "5.10"),
        ("1 x Sparkling water", "2.20"),
    ]:
        row(item, price)
    rule()
    row("Subtotal", "26.60")
    row("Tax 10%", "2.66")
    y += 10
    row("TOTAL EUR", "29.26", size=48, bold=True)
    y += 6
    row("Paid by card", "29.26")
    rule()
    row("Thank you!", size=40, bold=True, centred=True)
    row("See you again soon", centred=True)
    y += 22
    x = 190
    while x < width - 190:
        bar = int(rng.integers(2, 9))
        pen.rectangle((x, y, x + bar, y + 120), (58, 56, 64))
        x += bar + int(rng.integers(3, 9))
    y += 134
    row("482 0512 0941 2926", size=30, centred=True)

    # A thermal print fades in bands; the paper still remembers the roll it came from.
    fading = 1 + 0.03 * np.sin(np.linspace(0, 9, height))[:, None] + 0.015 * clouds(rng, sheet.size, (2, 6), 2)
    sheet = shaded(sheet, fading + 0.06 * np.cos(np.linspace(-1.4, 1.2, width))[None, :] - 0.05)
    torn = Image.new("L", sheet.size, 255)
    teeth = ImageDraw.Draw(torn)
    for x in range(0, width, 18):
        teeth.polygon([(x, height), (x + 9, height - 13), (x + 18, height)], 0)
        teeth.polygon([(x, 0), (x + 9, 13), (x + 18, 0)], 0)
    sheet.putalpha(torn)
    table = wood(rng, (2200, 2900), 5)
    lying = perspective(sheet, table.size, [(340, 190), (1810, 130), (1920, 2690), (250, 2750)])
    photo = laid(lying, table, (26, 34), 26, 0.62).resize((1100, 1450), Image.Resampling.LANCZOS)
    light = 1.04 + 0.14 * np.linspace(1, -1, 1100)[None, :] + 0.10 * np.linspace(1, -1, 1450)[:, None]
    return photographed(shaded(photo, light), rng), lines


def form() -> Drawn:
    """A filled-in Russian form, scanned a little askew."""
    rng = np.random.default_rng(417)
    width, height, left, right = 1600, 1570, 150, 1450
    sheet = paper(rng, (width, height), (250, 248, 243), 0.6)
    pen = ImageDraw.Draw(sheet)
    black, blue, grey = (44, 42, 48), (34, 52, 128), (120, 118, 122)
    label, filled = font("paratype/PTF55F.ttf", 38), font("paratype/PTS56F.ttf", 42)
    lines: list[str] = []

    def field(y: int, name: str, value: str, x: int = left, end: int = right) -> None:
        if name:
            pen.text((x, y), name, black, label, anchor="ls")
            x += int(label.getlength(name)) + 18
        pen.line((x, y + 10, end, y + 10), grey, 2)
        pen.text((x + 14, y - 1 + int(rng.integers(-2, 3))), value, blue, filled, anchor="ls")
        lines.append(f"{name} {value}".strip())

    def title(y: int, text: str, face: str, size: int, x: int = width // 2, anchor: str = "ms") -> None:
        pen.text((x, y), text, black, font(f"paratype/{face}.ttf", size), anchor=anchor)
        lines.append(text)

    title(130, "Учебный центр «Меридиан»", "PTS75F", 40, left, "ls")
    title(184, "Служба технической поддержки", "PTS55F", 36, left, "ls")
    pen.line((left, 216, right, 216), black, 3)
    title(320, "ЗАЯВКА № 417", "PTF75F", 62)
    title(378, "на ремонт оборудования", "PTF55F", 42)
    field(490, "Подразделение:", "лаборатория физики")
    field(570, "Кабинет:", "214", end=640)
    field(570, "Телефон:", "3-18-40", 690)
    lines[-2:] = [" ".join(lines[-2:])]
    field(650, "Оборудование:", "проектор мультимедийный")
    field(730, "Инвентарный номер:", "10104-00382")
    field(810, "Что случилось:", "изображение мерцает, через двадцать")
    field(890, "", "минут работы проектор выключается,")
    field(970, "", "пахнет нагретой пылью")
    pen.text((left, 1070), "Срочность:", black, label, anchor="ls")
    for x, name, ticked in ((420, "обычная", True), (700, "срочная", False)):
        pen.rectangle((x, 1036, x + 36, 1072), outline=black, width=3)
        if ticked:
            pen.line([(x + 5, 1052), (x + 15, 1068), (x + 42, 1024)], blue, 6, "curve")
        pen.text((x + 54, 1070), name, black, label, anchor="ls")
    lines.append("Срочность: обычная срочная")
    field(1170, "Дата подачи:", "14 мая 2026 г.", end=820)
    pen.text((left, 1290), "Отметка службы", black, font("paratype/PTF75F.ttf", 38), anchor="ls")
    lines.append("Отметка службы")
    field(1370, "Принято:", "15 мая 2026 г.", end=820)
    field(1450, "Сделано:", "почищен фильтр, заменён вентилятор")

    # A rubber stamp never prints evenly.
    stamp = Image.new("L", (520, 200))
    mark = ImageDraw.Draw(stamp)
    mark.rounded_rectangle((6, 6, 513, 193), 22, outline=255, width=7)
    mark.rounded_rectangle((20, 20, 499, 179), 14, outline=255, width=3)
    mark.text((260, 100), "ВЫПОЛНЕНО", 255, font("paratype/PTS75F.ttf", 66), anchor="mm")
    worn = np.clip(1.15 + 0.55 * clouds(rng, stamp.size, (9, 4), 4), 0, 1) * 0.72
    stamp = Image.fromarray((np.asarray(stamp) * worn).astype(np.uint8)).rotate(5, Image.Resampling.BICUBIC, True)
    sheet.paste(Image.new("RGB", stamp.size, (62, 66, 160)), (920, 1180), stamp)
    lines.insert(-2, "ВЫПОЛНЕНО")

    scan = askew(sheet, -0.5, 1280)
    gutter = 1 - 0.22 * np.exp(-np.arange(1280) / 26)[None, :] - 0.10 * np.exp(-np.arange(1256) / 20)[:, None]
    return photographed(shaded(scan, gutter), rng, grain=2.0, vignette=0.02, blur=0.5), lines


def table() -> Drawn:
    """A ruled table in an open book."""
    rng = np.random.default_rng(20)
    width, height = 1800, 1240
    sheet = paper(rng, (width, height), (246, 240, 226))
    pen = ImageDraw.Draw(sheet)
    ink = (48, 44, 42)
    body, bold = font("paratype/PTF55F.ttf", 42), font("paratype/PTF75F.ttf", 42)
    rows = [
        ("Day", "Sky", "Min, °C", "Max, °C", "Rain, mm", "Wind, m/s"),
        ("Monday", "clear", "8.4", "19.2", "0.0", "3.1"),
        ("Tuesday", "cloudy", "9.0", "17.6", "1.2", "4.8"),
        ("Wednesday", "rain", "10.3", "14.9", "12.7", "7.5"),
        ("Thursday", "rain", "9.8", "13.5", "8.4", "6.2"),
        ("Friday", "cloudy", "7.1", "16.0", "0.3", "3.9"),
        ("Saturday", "clear", "6.5", "18.8", "0.0", "2.4"),
        ("Sunday", "clear", "7.7", "20.4", "0.0", "2.0"),
    ]
    lines = ["Table 4. Weather station log, week 20", *map(" ".join, rows)]
    pen.text((150, 150), lines[0], ink, font("paratype/PTF75F.ttf", 52), anchor="ls")
    edges, top, step = [150, 450, 670, 900, 1140, 1400, 1660], 205, 96
    pen.rectangle((edges[0], top, edges[-1], top + step), (230, 221, 200))
    for index, row in enumerate(rows):
        middle = top + step * index + step / 2
        for column, cell in enumerate(row):
            numeric = column > 1
            x = edges[column + 1] - 26 if numeric else edges[column] + 26
            pen.text((x, middle), cell, ink, body if index else bold, anchor="rm" if numeric else "lm")
    for index in range(len(rows) + 1):
        y = top + step * index
        pen.line((edges[0], y, edges[-1], y), ink, 5 if index in (0, 1, len(rows)) else 2)
    for x in edges:
        pen.line((x, top, x, top + step * len(rows)), ink, 2)
    lines.append("Readings at 9 a.m.; wind is the daily mean.")
    pen.text((150, top + step * len(rows) + 74), lines[-1], ink, font("paratype/PTF56F.ttf", 40), anchor="ls")
    pen.text((width / 2, height - 46), "57", ink, body, anchor="ms")
    lines.append("57")

    # The page bends down into the spine on its left: columns of pixels sink and darken there.
    across = np.linspace(0, 1, width)
    sink = (70 * np.exp(-across * 7) + 10 * across**2).astype(int)
    pixels = np.asarray(sheet)
    below = np.clip(np.arange(height)[:, None] - sink[None, :], 0, height - 1)
    bent = Image.fromarray(pixels[below, np.arange(width)[None, :]])
    light = 1.03 - 0.55 * np.exp(-across * 14) + 0.05 * np.sin(across * 4)
    page = shaded(bent, np.broadcast_to(light, (height, width)))
    desk = wood(rng, (1340, 1900), 4).transpose(Image.Transpose.ROTATE_90)
    lying = perspective(page, desk.size, [(-6, 40), (1836, 66), (1862, 1298), (-6, 1322)])
    photo = laid(lying, desk, (16, 20), 16, 0.6).resize((1400, 987), Image.Resampling.LANCZOS)
    return photographed(photo, rng, grain=2.5), lines


def formula() -> Drawn:
    """A page of a textbook with formulas; the text gives them in LaTeX."""
    rng = np.random.default_rng(34)
    width, height, left = 1500, 1110, 130
    sheet = paper(rng, (width, height), (252, 250, 244), 0.7)
    pen = ImageDraw.Draw(sheet)
    ink = (38, 36, 40)
    lines: list[str] = []
    y = 150

    def prose(text: str, face: str = "PTF55F", size: int = 40, gap: int = 62) -> None:
        nonlocal y
        pen.text((left, y), text, ink, font(f"paratype/{face}.ttf", size), anchor="ls")
        lines.append(text)
        y += gap

    def display(latex: str, number: str) -> None:
        nonlocal y
        mask = Image.fromarray(typeset(latex, 17 * 220 / 72))
        sheet.paste(Image.new("RGB", mask.size, ink), ((width - mask.width) // 2, y), mask)
        pen.text((width - left, y + mask.height / 2), number, ink, font("paratype/PTF55F.ttf", 40), anchor="rm")
        lines.append(f"$${latex} \\tag{{{number.strip('()')}}}$$")
        y += mask.height + 86

    prose("3.4 Three formulas worth knowing", "PTS75F", 50, 92)
    prose("A quadratic equation with real coefficients has the roots", gap=34)
    display(r"x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}", "(1)")
    marked = y
    prose("The area under the bell curve is found with a change of variables:", gap=34)
    display(r"\int_{-\infty}^{\infty} e^{-x^2} \, dx = \sqrt{\pi}", "(2)")
    prose("The sum of the inverse squares surprised everyone in 1735:", gap=34)
    display(r"\sum_{n=1}^{\infty} \frac{1}{n^2} = \frac{\pi^2}{6}", "(3)")
    prose("Exercise. Check formula (3) with the first hundred terms.", "PTF56F")

    # Somebody learned from this page: a felt pen lets the print through.
    felt = Image.new("RGB", sheet.size, (255, 255, 255))
    stroke = ImageDraw.Draw(felt)
    for dy in range(-40, 12, 2):
        start, end = 816 + int(rng.integers(-5, 6)), 1298 + int(rng.integers(-5, 6))
        stroke.line((start, marked + dy, end, marked + dy - 3), (255, 236, 110), 3)
    sheet = ImageChops.multiply(sheet, felt.filter(ImageFilter.GaussianBlur(1.2)))
    scan = askew(sheet, 0.35, 1250)
    lamp = 1.01 - 0.10 * (np.linspace(-0.6, 1, 1250)[None, :] ** 2 + np.linspace(-0.8, 1, 925)[:, None] ** 2)
    return photographed(shaded(scan, lamp), rng, grain=2.0, vignette=0.05, blur=0.5), lines


def line() -> Drawn:
    """One printed line, as small as the small model likes it."""
    rng = np.random.default_rng(7)
    sheet = paper(rng, (420, 56), (244, 240, 228), 0.7)
    text = "Музей открыт до 18:00"
    ImageDraw.Draw(sheet).text((210, 28), text, (40, 40, 48), font("paratype/PTS55F.ttf", 36), anchor="mm")
    return sheet, [text]


def figures() -> Drawn:
    """Coloured shapes; there is nothing to read."""
    ground = (246, 247, 244)
    sheet = Image.new("RGB", (448, 392), ground)
    pen = ImageDraw.Draw(sheet)
    for name, colour, (x, y), size in (
        ("star", "red", (50, 40), 130),
        ("circle", "blue", (270, 60), 110),
        ("square", "green", (60, 240), 120),
        ("circle", "blue", (280, 250), 100),
    ):
        shapes.draw(pen, name, (x, y, x + size, y + size), shapes.COLOURS[colour], ground, 0.0)
    return sheet.resize((224, 196), Image.Resampling.LANCZOS), []


SAMPLES: dict[str, Callable[[], Drawn]] = {
    "receipt": receipt,
    "form": form,
    "table": table,
    "formula": formula,
    "photo": photo,
    "line": line,
    "figures": figures,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", default=list(SAMPLES), metavar="NAME", help=", ".join(SAMPLES))
    for name in parser.parse_args().names:
        picture, lines = SAMPLES[name]()
        (FOLDER / f"{name}.jpg").write_bytes(jpeg(picture, MOST_BYTES))
        (FOLDER / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        print(f"{name}: {picture.width}x{picture.height}, {(FOLDER / f'{name}.jpg').stat().st_size} bytes")


if __name__ == "__main__":
    main()
