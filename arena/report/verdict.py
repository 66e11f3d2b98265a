"""Whether a comparison that was run again came out the same: as sentences, and as HTML for the page."""

from __future__ import annotations

from collections.abc import Sequence

from arena.numbers import number
from arena.rerun import MOST_EDITS, Change, Outcome, Place
from arena.strings import strings, tr
from arena.ui.render import shown, text
from arena.units import timed

MOST_VALUE = 500  # characters of a value that has changed
STAGES = {
    "load_s": "ui.figures.load",
    "first_token_s": "ui.figures.first",
    "generate_s": "ui.figures.generate",
    "total_s": "ui.figures.total",
}


def sentence(found: Outcome, lang: str) -> str:
    """The one sentence that matters."""
    ends = {
        "before": tr(f"statuses.{found.before.status}", lang),
        "after": tr(f"statuses.{found.after.status}", lang),
    }
    if not found.before.text and not found.after.text:
        return tr("report.again.nothing", lang, **ends)
    if found.same:
        return tr("report.again.same", lang)
    if not found.edits:
        return tr("report.again.same_status", lang, **ends)
    if found.edits > MOST_EDITS:
        return tr("report.again.many", lang, count=number(MOST_EDITS, lang))
    total = max(len(found.before.text), len(found.after.text))
    return tr("report.again.differs", lang, count=number(found.edits, lang), total=number(total, lang))


def fact(change: Change, lang: str) -> str:
    """What has changed, in words: a fact of the run, a parameter, or the library by its own name."""
    key = f"benchmark.fact.{change.fact}"
    return tr(key, lang) if key in strings("en") else change.fact.removeprefix("params.")


def lines(found: Outcome, lang: str) -> list[str]:
    """The sentence with all that belongs to it, as lines of a terminal."""
    said = [sentence(found, lang)]
    if found.edits and found.drawn:
        said.append(tr("report.again.drawn", lang))
    said += [
        f"{tr('report.again.place', lang, at=place.at + 1)}: "
        + tr("report.again.instead", lang, before=repr(place.before), after=repr(place.after))
        for place in found.places
    ]
    said += [
        f"{tr(STAGES[name], lang)}: "
        + tr("report.again.instead", lang, before=timed(before, lang), after=timed(after, lang))
        for name, before, after in found.times
    ]
    absent = tr("report.again.absent", lang)
    said += [
        f"{fact(each, lang)}: "
        + tr("report.again.instead", lang, before=each.before or absent, after=each.after or absent)
        for each in found.changes
    ]
    return said if found.changes else [*said, tr("report.again.unchanged", lang)]


def verdict(outcomes: Sequence[Outcome], titles: Sequence[str], lang: str) -> str:
    """A card a side: the sentence, the places that differ, times and versions before and now."""
    cards = "".join(
        f'<section class="verdict {letter.lower()}"><h4><span class="letter">{letter}</span> {text(title)}</h4>'
        f"{_card(found, lang)}</section>"
        for letter, title, found in zip("ABCDEFGH", titles, outcomes, strict=False)
    )
    return f'<div class="verdicts" role="status"><h3>{_said("title", lang)}</h3>{cards}</div>'


def _card(found: Outcome, lang: str) -> str:
    kind, sign = ("same", "=") if found.same else ("other", "≠")
    drawn = f'<p class="hint">{_said("drawn", lang)}</p>' if found.edits and found.drawn else ""
    places = "".join(_place(place, lang) for place in found.places)
    times = "".join(
        _row(tr(STAGES[name], lang), timed(before, lang), timed(after, lang)) for name, before, after in found.times
    )
    absent = tr("report.again.absent", lang)
    changes = "".join(
        _row(fact(each, lang), _cut(each.before) or absent, _cut(each.after) or absent) for each in found.changes
    )
    same = f'<p class="hint">{_said("unchanged", lang)}</p>'
    return (
        f'<p class="{kind}"><span aria-hidden="true">{sign}</span> {text(sentence(found, lang))}</p>{drawn}'
        f"{f'<ul>{places}</ul>' if places else ''}"
        f"{_table('times', times, lang)}{_table('changed', changes, lang) if changes else same}"
    )


def _place(place: Place, lang: str) -> str:
    """The text around a difference, with what was there and what is there now."""
    before = f"<del>{text(_cut(place.before))}</del>" if place.before else ""
    after = f"<ins>{text(_cut(place.after))}</ins>" if place.after else ""
    where = _said("place", lang, at=place.at + 1)
    around = f"…{text(place.left)}{before}{after}{text(place.right)}…"
    return f"<li><small>{where}</small> <q>{around}</q></li>"


def _table(title: str, rows: str, lang: str) -> str:
    heads = "".join(f'<th scope="col">{_said(name, lang)}</th>' for name in ("before", "after"))
    return (
        f"<table><caption>{_said(title, lang)}</caption><thead><tr><td></td>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _row(name: str, before: str, after: str) -> str:
    return f'<tr><th scope="row">{text(name)}</th><td>{text(before)}</td><td>{text(after)}</td></tr>'


def _cut(value: str) -> str:
    kept, left = shown(value, MOST_VALUE)
    return f"{kept}…" if left else kept


def _said(key: str, lang: str, **params: object) -> str:
    return text(tr(f"report.again.{key}", lang, **params))
