"""The ratings as HTML: one table that is also the plot, a row a model with its interval on a common scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from arena.numbers import UNKNOWN, number, share
from arena.rating import Rating, Standings
from arena.strings import tr
from arena.ui.render import text

STEPS = (25, 50, 100, 200, 250, 500, 1000, 2000, 5000)
MOST_TICKS = 6
COUNTS = ("votes", "wins", "ties", "losses")


@dataclass(frozen=True)
class Ruler:
    """The scale that all intervals share, from `low` to `high` points with labels at `ticks`."""

    low: float
    high: float
    ticks: Sequence[float]

    @classmethod
    def over(cls, ratings: Sequence[Rating]) -> Ruler:
        """Wide enough for every interval, with no more than `MOST_TICKS` labels or so."""
        lows = [each.low for each in ratings if each.low is not None]
        highs = [each.high for each in ratings if each.high is not None]
        low, high = min(lows, default=1000.0), max(highs, default=1000.0)
        step = next((step for step in STEPS if (high - low) / step <= MOST_TICKS - 1), STEPS[-1])
        ticks = [step * at for at in range(math.floor(low / step), math.ceil(high / step) + 1)]
        return cls(ticks[0], ticks[-1] if len(ticks) > 1 else ticks[0] + step, ticks)

    def place(self, points: float) -> str:
        return f"{(points - self.low) / (self.high - self.low):.2%}"


def rating_table(standings: Standings, titled: Callable[[str], str], lang: str) -> str:
    """The table with its head; `titled` gives a model's title for its id."""
    ruler = Ruler.over(standings.ratings)
    bodies = []
    for group, members in groupby(standings.ratings, lambda each: each.group):
        head = ""
        if standings.groups > 1 or group is None:
            key = "ratings.unrated" if group is None else "ratings.group"
            said = text(tr(key, lang, number=(group or 0) + 1) if group is not None else tr(key, lang))
            head = f'<tr class="group"><th scope="rowgroup" colspan="{len(COUNTS) + 6}">{said}</th></tr>'
        bodies.append(f"<tbody>{head}{''.join(_row(each, ruler, titled, lang) for each in members)}</tbody>")
    heads = "".join(
        f'<th scope="col" class="{key}" title="{text(tr(f"ratings.hint.{key}", lang))}">'
        f"{text(tr(f'ratings.column.{key}', lang))}</th>"
        for key in ("rank", "model", "rating")
    )
    scale = f'<th class="plot" aria-hidden="true"><svg>{_ticks(ruler, lang)}</svg></th>'
    rest = "".join(
        f'<th scope="col" class="{key}" title="{text(tr(f"ratings.hint.{key}", lang))}">'
        f"{text(tr(f'ratings.column.{key}', lang))}</th>"
        for key in ("tier", *COUNTS, "both_bad")
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(tr("ratings.title", lang))}">'
        f'<table class="standings"><thead><tr>{heads}{scale}{rest}</tr></thead>{"".join(bodies)}</table></div>'
    )


def _row(rating: Rating, ruler: Ruler, titled: Callable[[str], str], lang: str) -> str:
    interval = ""
    if rating.low is not None and rating.high is not None:
        interval = f"{number(rating.low, lang)} – {number(rating.high, lang)}"
    seen = rating.votes + rating.both_bad
    tier = text(tr(f"ratings.tier.{rating.tier}", lang))
    cells = [
        _cell("rank", number(rating.rank, lang), lang),
        f'<th scope="row" class="model">{text(titled(rating.model))}</th>',
        f'<td class="rating"><b>{number(rating.rating, lang)}</b><small>{interval}</small></td>',
        f'<td class="plot" aria-hidden="true"><svg>{_interval(rating, ruler)}</svg></td>',
        f'<td class="tier"><span class="chip {rating.tier}">{tier}</span></td>',
        *(_cell(key, number(getattr(rating, key), lang), lang) for key in COUNTS),
        _cell("both_bad", share(rating.both_bad / seen, lang) if seen else UNKNOWN, lang),
    ]
    return f'<tr class="{rating.tier}">{"".join(cells)}</tr>'


def _cell(key: str, said: str, lang: str) -> str:
    return f'<td class="{key}" data-label="{text(tr(f"ratings.column.{key}", lang))}">{text(said)}</td>'


def _ticks(ruler: Ruler, lang: str) -> str:
    return "".join(
        f'<text x="{ruler.place(tick)}" y="1.1em" text-anchor="middle">{number(tick, lang)}</text>'
        for tick in ruler.ticks
    )


def _interval(rating: Rating, ruler: Ruler) -> str:
    """The grid, and the interval with the rating on it; an unrated model has the grid alone."""
    parts = [f'<line class="grid" x1="{ruler.place(at)}" x2="{ruler.place(at)}" y2="100%"/>' for at in ruler.ticks]
    if rating.rating is not None and rating.low is not None and rating.high is not None:
        low, high = ruler.place(rating.low), ruler.place(rating.high)
        parts.append(f'<line class="span" x1="{low}" x2="{high}" y1="50%" y2="50%"/>')
        parts += [f'<line class="end" x1="{at}" x2="{at}" y1="30%" y2="70%"/>' for at in (low, high)]
        parts.append(f'<circle cx="{ruler.place(rating.rating)}" cy="50%" r="5.5"/>')
    return "".join(parts)
