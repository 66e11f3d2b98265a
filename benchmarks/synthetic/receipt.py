"""A till receipt: a shop, goods with prices, a total that adds up, a bar code at the end."""

from __future__ import annotations

import random
from collections.abc import Sequence

from benchmarks.synthetic import wording
from benchmarks.synthetic.ground import Colour
from benchmarks.synthetic.sheet import Page, Sheet, around, facts, wrapped
from benchmarks.synthetic.truth import Edges, Size
from benchmarks.synthetic.typefaces import family
from benchmarks.synthetic.wording import money

INKS: tuple[Colour, ...] = ((34, 32, 38), (62, 60, 70), (40, 44, 82))
PAPERS: tuple[Colour, ...] = ((250, 249, 244), (244, 243, 240), (248, 244, 232))


class Slip:
    """A narrow sheet filled from the top, row by row; rows gather into regions."""

    def __init__(self, rng: random.Random, size: Size, paths: Sequence[str]) -> None:
        self.sheet = Sheet(size, rng.choice(PAPERS), rng.choice(INKS))
        self.cut = family(rng, paths, "mono", rng.choice(("mono", "sans")))
        self.body = round(size[0] / 21)
        self.margin, self.y = size[0] * 0.07, self.body * 1.5
        self._rows: list[tuple[str, Edges]] = []

    @property
    def right(self) -> float:
        return self.sheet.size[0] - self.margin

    def row(self, left: str, right: str = "", *, scale: float = 1, centred: bool = False) -> None:
        """A name with what it costs at the other end, smaller where both would not fit."""
        font = self.cut.at(self.body * scale, "bold" if scale > 1 else "regular")
        room = self.right - self.margin
        while font.width(f"{left}  {right}" if right else left) > room:
            font = self.cut.at(font.size - 1, "bold" if scale > 1 else "regular")
        baseline = self.y + font.ascent
        if centred:
            boxes = [self.sheet.line(self.sheet.size[0] / 2, baseline, left, font, align="centre")]
        else:
            boxes = [self.sheet.line(self.margin, baseline, left, font)]
        if right:
            boxes.append(self.sheet.line(self.right, baseline, right, font, align="right"))
        self._rows.append((f"{left} {right}".strip(), around(boxes)))
        self.y += font.size * 1.42

    def gathered(self, kind: str = "Text") -> None:
        """What has been printed since the last time is a region."""
        texts, boxes = zip(*self._rows, strict=True)
        self.sheet.note(kind, around(boxes), "\n".join(texts))
        self._rows.clear()

    def dashes(self) -> None:
        y = round(self.y + self.body * 0.35)
        for x in range(round(self.margin), round(self.right) - 5, 12):
            self.sheet.rule(x, y, x + 6, y, 2)
        self.y += self.body * 0.9

    def bars(self, rng: random.Random) -> None:
        x, top = self.margin + self.body * 2, round(self.y + self.body * 0.4)
        start = x
        while x < self.right - self.body * 2:
            wide = rng.randint(1, 5)
            self.sheet.pen.rectangle((round(x), top, round(x) + wide - 1, top + self.body * 2), self.sheet.ink)
            x += wide + rng.randint(2, 5)
        self.sheet.note("Picture", (start, top, x, top + self.body * 2), "")
        self.y = top + self.body * 2.4


def draw(rng: random.Random, language: str, size: Size, paths: Sequence[str]) -> Page:
    """A receipt as wide as `size` (width, height in pixels) and no longer; as many goods as fit."""
    slip = Slip(rng, size, paths)
    words = wording.phrases(language)["receipt"]
    ru = language == "ru"
    for line in wrapped(wording.said(rng, language, "shop"), slip.cut.at(slip.body * 1.3, "bold"), size[0] * 0.86):
        slip.row(line, scale=1.3, centred=True)
    slip.gathered("Title")
    house = rng.randint(1, 90)
    street, city = wording.said(rng, language, "street"), wording.said(rng, language, "city")
    slip.row(city if ru else f"{house} {street}", centred=True)
    slip.row(f"{street}, д. {house}" if ru else city, centred=True)
    slip.gathered()
    slip.y += slip.body * 0.4
    slip.row(words["title"], words["sale"])
    slip.row(f"{words['number']} {rng.randint(1, 9999):04d}", f"{words['shift']} {rng.randint(1, 400)}")
    slip.row(f"{words['till']} {rng.randint(1, 9)}", f"{words['clerk']} {rng.randint(1, 20)}")
    slip.row(wording.filled(rng, language, "{date_short}"), wording.filled(rng, language, "{time}"))
    slip.gathered()
    slip.dashes()

    wares = wording.phrases(language)["wares"]
    room = int((size[1] - slip.y - slip.body * 17) / (slip.body * 1.5))
    total = 0
    for name, low, high in rng.sample(wares, max(2, min(room // 2, rng.randint(3, 9)))):
        cents = rng.randint(round(low * 100), round(high * 100)) // 5 * 5
        count = rng.choice((1, 1, 1, 2, 3))
        slip.row(name, "" if count > 1 else f"{money(cents, language)}")
        if count > 1:
            slip.row(f"  {count} x {money(cents, language)}".strip(), money(cents * count, language))
        total += cents * count
    slip.gathered()
    slip.dashes()
    slip.row(words["subtotal"], money(total, language))
    if rng.random() < 0.4:
        off = total * rng.choice((3, 5, 10)) // 100
        slip.row(words["discount"], f"-{money(off, language)}")
        total -= off
    slip.row(words["total"], f"{'' if ru else 'EUR '}{money(total, language)}", scale=1.35)
    slip.row(words["tax"], money(round(total / 11), language))
    if rng.random() < 0.5:
        given = (total // 5000 + 1) * 5000
        slip.row(words["cash"], money(given, language))
        slip.row(words["change"], money(given - total, language))
    else:
        slip.row(words["card"], money(total, language))
    slip.gathered()
    slip.dashes()
    slip.row(rng.choice(words["thanks"]), centred=True)
    slip.row(wording.filled(rng, language, rng.choice(words["keep"])), scale=0.9, centred=True)
    slip.gathered()
    if rng.random() < 0.7:
        slip.bars(rng)
    names = [str(name) for name, _, _ in wares]
    return slip.sheet.page("receipt", language, height=slip.y + slip.body, facts=facts(rng, slip.sheet.text, names))
