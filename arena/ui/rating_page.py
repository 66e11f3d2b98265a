"""The parts of the Ratings tab put together: each with its title, what to know of it, or how to begin."""

from __future__ import annotations

from collections.abc import Callable

from arena.board import Line
from arena.numbers import number, share
from arena.rating import CRITERIA, Standings
from arena.strings import tr
from arena.ui.objective_table import objective_table
from arena.ui.pareto import pareto
from arena.ui.rating_table import rating_table
from arena.ui.render import text
from arena.ui.win_matrix import win_matrix

NEWS_S = 3  # between two looks at new votes while the tab is seen


def preferred(
    standings: Standings, automatic: int, titled: Callable[[str], str], lang: str, chosen: bool = False
) -> str:
    """The ratings with everything around them. chosen: a task or a language is, so there may be votes elsewhere."""
    tally = standings.tally
    if not tally.models:
        return _section("ratings", _empty("ratings.empty_choice" if chosen else "ratings.empty", lang, chosen), lang)
    sums = {"votes": tally.votes, "models": len(tally.models)}
    facts = [tr(f"ratings.sum.{key}", lang, count=number(value, lang)) for key, value in sums.items()]
    bad = int(tally.both_bad.sum())
    facts.append(tr("ratings.sum.both_bad", lang, count=number(bad, lang), share=share(bad / tally.votes, lang)))
    facts += [tr("ratings.sum.automatic", lang, count=number(automatic, lang))] if automatic else []
    notice = ""
    if standings.groups > 1:
        notice = f'<p class="notice">{text(tr("ratings.groups", lang, count=standings.groups))}</p>'
    body = (
        f'<p class="sums">{" · ".join(text(fact) for fact in facts)}</p>{notice}'
        f"{rating_table(standings, titled, lang)}{_about(standings, lang)}{win_matrix(standings, titled, lang)}"
    )
    return _section("ratings", body, lang)


def _about(standings: Standings, lang: str) -> str:
    """How to read the table, and by what method it was made."""
    usable, established = CRITERIA["usable"], CRITERIA["established"]
    tiers = {"usable": usable[0], "within": f"{usable[1]:.0f}", "established": established[0]}
    said = [
        tr("ratings.about.scale", lang),
        tr("ratings.about.interval", lang),
        tr("ratings.about.tiers", lang, **tiers, narrow=f"{established[1]:.0f}"),
        tr("ratings.about.both_bad", lang),
        tr("ratings.about.method", lang, method=standings.method, bootstraps=number(standings.bootstraps, lang)),
    ]
    return (
        f'<details class="about"><summary>{text(tr("ratings.about.title", lang))}</summary>'
        f"<ul>{''.join(f'<li>{text(each)}</li>' for each in said)}</ul></details>"
    )


def objective(lines: list[Line], lang: str, chosen: bool = False) -> str:
    """The objective board with its title."""
    if not lines:
        body = _empty("ratings.objective.empty_choice" if chosen else "ratings.objective.empty", lang, chosen)
    else:
        body = f'{objective_table(lines, lang)}<p class="hint">{text(tr("ratings.objective.medians", lang))}</p>'
    return _section("objective", body, lang)


def plots(lines: list[Line], lang: str, quality: str = "") -> str:
    """A metric, `quality` where a model has it, against time and against memory: that of the GPU where any was
    measured, else that of the machine."""
    if not lines:
        return ""
    memory = "vram_mb" if any(line.peak_vram_mb is not None for line in lines) else "ram_mb"
    return pareto(lines, "generate_s", quality, lang) + pareto(lines, memory, quality, lang)


def _section(name: str, body: str, lang: str) -> str:
    key = "ratings" if name == "ratings" else "ratings.objective"
    news = f' data-news="{NEWS_S}"' if name == "ratings" else ""
    return (
        f'<section lang="{lang}"{news}><h2>{text(tr(f"{key}.title", lang))}</h2>'
        f'<p class="lead">{text(tr(f"{key}.lead", lang))}</p>{body}</section>'
    )


def _empty(key: str, lang: str, chosen: bool) -> str:
    said = text(tr("benchmark.filter.clear", lang))
    button = f'<button type="button" data-event="clear_filter">{said}</button>' if chosen else ""
    return f'<div class="empty"><p>{text(tr(key, lang))}</p>{button}</div>'
