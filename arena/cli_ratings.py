"""``python -m arena ratings``: what people preferred, as a table or as JSON."""

from __future__ import annotations

import argparse
import contextlib
import json
from dataclasses import asdict

from arena.config import Settings
from arena.numbers import number
from arena.rating import Rating, Standings, Tally, rate, stored
from arena.store import Store
from arena.strings import tr
from arena.terminal import print_table, say


def run(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    with contextlib.closing(Store(settings.database_url)) as store:
        standings = rate(Tally.of_cells(stored.cells(store, options.task, options.language)))
    if options.json:
        print(json.dumps(as_json(standings)))
    elif standings.ratings:
        print_table([head(standings, lang), *(row(each, standings, lang) for each in standings.ratings)])
        say(tr("ratings.about.method", lang, method=standings.method, bootstraps=standings.bootstraps))
    else:
        say(tr("ratings.empty_choice" if options.task or options.language else "ratings.cli.none", lang))
    return 0


def as_json(standings: Standings) -> dict[str, object]:
    """Every rating with its interval; what is unknown is null."""
    known = {"method": standings.method, "bootstraps": standings.bootstraps, "votes": standings.tally.votes}
    known |= {"groups": standings.groups, "tie_share": standings.tie_share}
    return {**known, "ratings": [asdict(each) for each in standings.ratings]}


def head(standings: Standings, lang: str) -> list[str]:
    keys = ("rank", "model", "rating")
    columns = [tr(f"ratings.column.{key}", lang) for key in keys] + [tr("ratings.cli.interval", lang)]
    columns += [tr(f"ratings.column.{key}", lang) for key in ("tier", "votes", "wins", "ties", "losses", "both_bad")]
    return columns + ([tr("ratings.cli.group", lang)] if standings.groups > 1 else [])


def row(rating: Rating, standings: Standings, lang: str) -> list[str]:
    """Whole points; the group is told only where there are several."""
    interval = f"{number(rating.low, lang)} – {number(rating.high, lang)}"
    cells = [number(rating.rank, lang), rating.model, number(rating.rating, lang), interval]
    cells.append(tr(f"ratings.tier.{rating.tier}", lang))
    cells += [str(count) for count in (rating.votes, rating.wins, rating.ties, rating.losses, rating.both_bad)]
    return cells + ([number(None if rating.group is None else rating.group + 1, lang)] if standings.groups > 1 else [])
