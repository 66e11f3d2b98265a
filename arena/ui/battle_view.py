"""A battle as HTML: two answers without names, the vote, and who they were. Nothing here names a model before."""

from __future__ import annotations

from collections.abc import Mapping

from arena.battle import NAMELESS, REASONS, Battle, answered, nameless
from arena.strings import tr
from arena.ui import answer, figures, render, safe_html, timeline
from arena.ui.live import Live, View
from arena.votes import OUTCOMES

LETTERS = "AB"


def state(live: Live, battle: Battle, lang: str) -> str:
    """One line: what happens now, or how it ended."""
    if battle.phase != "fighting":
        key = "same" if battle.vote and battle.vote.automatic else battle.phase
        said = tr(f"battle.state.{key}", lang)
        if battle.vote and not battle.vote.automatic:
            said = tr("battle.state.voted", lang, vote=tr(f"battle.vote.{battle.vote.outcome}", lang))
        return f'<p class="state {battle.phase}" role="status">{render.text(said)}</p>'
    now = max((at for at, view in enumerate(live.views) if view.stage), default=0)
    position = live.views[now].position
    said = tr("battle.state.turn", lang, number=now + 1)
    if position:
        said = tr("battle.state.queue", lang, position=position)
    pulse = '<span class="pulse" aria-hidden="true"></span> '
    together = f"<small>{_t('battle.state.together', lang)}</small>"
    return f'<p class="state fighting" role="status">{pulse}{render.text(said)}</p>{together}'


def ring(live: Live, battle: Battle, lang: str, trouble: str = "") -> str:
    """Both answers and, below, what can be done. trouble: why the last thing could not."""
    views = {view.letter: view for view in live.views}
    lines = dict(zip(views, timeline.timelines(live.views, lang), strict=True)) if battle.revealed else {}
    models = [] if battle.revealed else [spec for spec in live.arena.catalog.models.values() if not spec.dev_only]
    told = {letter: nameless(run.text, models) for letter, run in battle.runs.items()}
    sides = "".join(_side(battle, views[letter], lines.get(letter, ""), told, lang) for letter in LETTERS)
    alert = f'<p class="trouble" role="alert">{render.text(trouble)}</p>' if trouble else ""
    return (
        f'<section lang="{lang}" class="ring" data-phase="{battle.phase}">{_views(lang)}'
        f'<div class="answers">{sides}</div>{alert}{_below(battle, views, lang)}</section>'
    )


def empty(lang: str) -> str:
    """Before the first battle: how it goes."""
    steps = "".join(f"<li>{_t(f'battle.how.{step}', lang)}</li>" for step in ("ask", "read", "vote", "learn"))
    how = f'<div class="how"><h3>{_t("battle.how.title", lang)}</h3><ol>{steps}</ol></div>'
    return f'<section lang="{lang}" class="ring">{how}</section>'


def _side(battle: Battle, view: View, line: str, told: Mapping[str, str], lang: str) -> str:
    letter = view.letter
    run = battle.runs.get(letter)
    named = tr("battle.answer", lang, letter=letter)
    head = answer.head(letter, named, "", "")
    if run and battle.revealed:
        won = battle.vote and battle.vote.outcome == letter.lower()
        chips = (answer.chip(tr("battle.better", lang), "★", "ok") if won else "") + answer.chips(view, lang)
        head = answer.head(letter, view.title, chips, line, view.how)
    return (
        f'<article class="result {letter.lower()}" aria-label="{render.text(named)}">{head}'
        f"{_said(battle, told, letter, lang)}</article>"
    )


def _said(battle: Battle, told: Mapping[str, str], letter: str, lang: str) -> str:
    """The answer, as far as it may be told; where one of the two gave none, both cards say the same."""
    run = battle.runs.get(letter)
    if battle.phase == "fighting":
        return f'<p class="hint">{_t("ui.answer.soon", lang)}</p>'
    if run is None or battle.phase == "void" or not answered(run):
        return f'<p class="hint">{_t("battle.no_answer", lang)}</p>'
    shown, left = render.shown(told[letter])
    more = f'<p class="hint">{render.text(tr("ui.answer.more", lang, count=left))}</p>' if left else ""
    if told[letter] != run.text:
        more += f'<p class="hint">{render.text(tr("battle.nameless", lang, mark=NAMELESS))}</p>'
    return (
        f'<pre class="text as-text" id="battle-answer-{letter}" dir="auto" tabindex="0">{render.text(shown)}</pre>'
        f'<div class="rendered as-rendered" tabindex="0">{safe_html.markdown(told[letter])}</div>{more}'
    )


def _views(lang: str) -> str:
    buttons = "".join(
        f'<button type="button" class="tool" data-view="{name}" aria-pressed="{"true" if name == "text" else "false"}">'
        f"{_t(f'ui.view.{name}', lang)}</button>"
        for name in ("text", "rendered")
    )
    return f'<div class="views" role="group" aria-label="{_t("ui.view.title", lang)}">{buttons}</div>'


def _below(battle: Battle, views: dict[str, View], lang: str) -> str:
    if battle.phase == "fighting":
        return ""
    if battle.phase == "voting":
        return _ballot(lang, skip=True)
    runs = [battle.runs.get(letter) for letter in LETTERS]
    table = figures.table(runs, [views[letter].label for letter in LETTERS], lang) if battle.revealed else ""
    table = f'<div class="costs">{table}</div>' if table else ""
    if battle.phase == "open":
        return f"{_ballot(lang, skip=False)}{_next(lang)}{table}"
    more = _tool("take_back", "battle.take_back", lang) if battle.vote and not battle.vote.automatic else ""
    if battle.revealed:
        link = f"c/{render.text(battle.request.comparison_id)}"
        more += f'<a class="tool" href="{link}" target="_blank" rel="noopener">{_t("report.bar.open", lang)}</a>'
    why = ", ".join(tr(f"battle.reasons.{each}", lang) for each in battle.vote.reasons) if battle.vote else ""
    why = f'<p class="hint">{render.text(tr("battle.because", lang, reasons=why))}</p>' if why else ""
    return f"{why}{_next(lang, more)}{table}"


def _ballot(lang: str, *, skip: bool) -> str:
    reasons = "".join(
        f'<label><input type="checkbox" name="reason" value="{each}">'
        f"<span>{_t(f'battle.reasons.{each}', lang)}</span></label>"
        for each in REASONS
    )
    buttons = "".join(
        f'<button type="button" class="vote {outcome}" data-vote="{outcome}" aria-keyshortcuts="{key}">'
        f"<kbd>{key}</kbd><span>{_t(f'battle.vote.{outcome}', lang)}</span></button>"
        for key, outcome in enumerate(OUTCOMES, start=1)
    )
    pass_by = (
        f'<button type="button" class="tool" data-event="skip_battle">{_t("battle.skip", lang)}</button>'
        if skip
        else ""
    )
    return (
        f'<div class="ballot" role="group" aria-labelledby="battle-question">'
        f'<h3 id="battle-question">{_t("battle.question", lang)}</h3>'
        f'<fieldset class="reasons"><legend>{_t("battle.reasons.title", lang)}</legend>{reasons}</fieldset>'
        f'<div class="votes">{buttons}</div>'
        f'<p class="foot"><span class="hint">{_t("battle.keys", lang)}</span>{pass_by}</p></div>'
    )


def _next(lang: str, more: str = "") -> str:
    buttons = "".join(
        f'<button type="button" class="next" data-next="{how}">{_t(f"battle.next.{how}", lang)}</button>'
        for how in ("same", "sample")
    )
    return f'<div class="onward">{buttons}{more}</div>'


def _tool(event: str, key: str, lang: str) -> str:
    return f'<button type="button" class="tool" data-event="{event}">{_t(key, lang)}</button>'


def _t(key: str, lang: str) -> str:
    return render.text(tr(key, lang))
