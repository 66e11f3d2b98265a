"""Axes of the plot: places between 0 and 1 for values, the ticks worth a label, and names that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence

NOMINAL = (820.0, 340.0)  # pixels of the drawing that names are placed for; narrow screens hide them
LETTER, LINE = 7.0, 16.0  # pixels
MOST = 7  # ticks that a phone has room for


class Scale:
    """A linear axis from 0, or a logarithmic one in steps of 1, 2 and 5."""

    def __init__(self, low: float, high: float, *, logarithmic: bool) -> None:
        self.logarithmic = logarithmic
        if logarithmic:
            steps = [m * 10.0**e for e in range(-3, 8) for m in (1, 2, 5)]
            self.low = max((step for step in steps if step <= low), default=steps[0])
            self.high = min((step for step in steps if step >= high and step > self.low), default=steps[-1])
            self.ticks = [step for step in steps if self.low <= step <= self.high]
            if len(self.ticks) > MOST:
                self.ticks = [step for step in self.ticks if round(math.log10(step), 6).is_integer()]
            if len(self.ticks) > MOST:
                self.ticks = self.ticks[::2]
        else:
            rough = (high if high > 1e-9 else 1.0) / 4  # of less nothing is told apart
            power = 10.0 ** math.floor(math.log10(rough))
            step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
            self.low, self.high = 0.0, math.ceil(high / step * 0.999 or 1) * step
            self.ticks = [step * i for i in range(round(self.high / step) + 1)]

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high end; what lies outside is drawn on the edge.

        >>> Scale(1, 100, logarithmic=True).place(10), Scale(0, 8, logarithmic=False).place(4)
        (0.5, 0.5)
        """
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def place_names(marks: Sequence[tuple[float, float, float, str]]) -> list[tuple[str, float, float] | None]:
    """Where the name of each mark may stand without touching another mark or name.

    marks: across and up (0 to 1), radius in pixels, name. Gives the text anchor and the shift in pixels for each,
    None where no side is free.
    """
    width, height = NOMINAL
    taken = [(x * width - r, (1 - y) * height - r, x * width + r, (1 - y) * height + r) for x, y, r, _ in marks]
    found: list[tuple[str, float, float] | None] = []
    for across, up, radius, name in marks:
        x, y, long = across * width, (1 - up) * height, len(name) * LETTER
        sides = [
            ("start", radius + 5, 4.0, (x + radius + 3, y - LINE / 2, x + radius + 7 + long, y + LINE / 2)),
            ("end", -radius - 5, 4.0, (x - radius - 7 - long, y - LINE / 2, x - radius - 3, y + LINE / 2)),
            ("middle", 0.0, -radius - 5, (x - long / 2, y - radius - LINE - 3, x + long / 2, y - radius - 1)),
            ("middle", 0.0, radius + 14, (x - long / 2, y + radius + 2, x + long / 2, y + radius + LINE + 2)),
        ]
        free = next((side for side in sides if _is_free(side[3], taken)), None)
        if free:
            taken.append(free[3])
        found.append(free[:3] if free else None)
    return found


def _is_free(box: tuple[float, float, float, float], taken: Sequence[tuple[float, float, float, float]]) -> bool:
    inside = box[0] >= 0 and box[2] <= NOMINAL[0] and box[1] >= 0 and box[3] <= NOMINAL[1]
    return inside and all(
        box[2] <= other[0] or box[0] >= other[2] or box[3] <= other[1] or box[1] >= other[3] for other in taken
    )
