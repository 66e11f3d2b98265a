"""Who was preferred to whom: a square of models, each cell the row's share of the votes that decide against the column.

A tie is half a vote for either. The shade repeats what the number says.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from arena.numbers import number, share
from arena.rating import Standings
from arena.strings import tr
from arena.ui.render import text

SHADES = 8  # steps of the shade, on either side of the middle; assets/ratings.css has one rule for each


def win_matrix(standings: Standings, titled: Callable[[str], str], lang: str) -> str:
    """The table, its rows and columns in the order of the standings."""
    tally, order = standings.tally, [each.model for each in standings.ratings]
    size = len(tally.models)
    table = np.zeros((4, size, size), dtype=np.int64)
    table[:, tally.first, tally.second] = tally.wins, tally.losses, tally.ties, tally.both_bad
    table[:, tally.second, tally.first] = tally.losses, tally.wins, tally.ties, tally.both_bad
    place = {model: index for index, model in enumerate(tally.models)}

    def cell(row: str, column: str) -> str:
        if row == column:
            return '<td class="self"></td>'
        wins, losses, ties, both_bad = (int(count) for count in table[:, place[row], place[column]])
        decided = wins + losses + ties
        names = {"model": titled(row), "other": titled(column), "wins": wins, "losses": losses, "ties": ties}
        said = text(tr("ratings.matrix.cell", lang, **names, both_bad=both_bad))
        if not decided:
            none = number(None, lang)
            return f'<td title="{said}" aria-label="{said}">{none}</td>'
        won = (wins + ties / 2) / decided
        shade = round((won - 0.5) * 2 * SHADES)
        kind = f"more{shade}" if shade > 0 else f"less{-shade}" if shade < 0 else ""
        return (
            f'<td class="{kind}" title="{said}" aria-label="{said}">{share(won, lang)}'
            f"<small>{number(decided, lang)}</small></td>"
        )

    heads = "".join(
        f'<th scope="col" title="{text(titled(model))}" aria-label="{text(titled(model))}">{index + 1}</th>'
        for index, model in enumerate(order)
    )
    rows = "".join(
        f'<tr><th scope="row"><i>{index + 1}</i> {text(titled(row))}</th>'
        f"{''.join(cell(row, each) for each in order)}</tr>"
        for index, row in enumerate(order)
    )
    title = text(tr("ratings.matrix.title", lang))
    return (
        f'<details class="matrix" open><summary>{title}</summary><p>{text(tr("ratings.matrix.about", lang))}</p>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
        f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )
