"""One side's card as HTML: who answers, how it went, what it said (as text, rendered, compared), what went wrong."""

from __future__ import annotations

from arena.numbers import number
from arena.strings import strings, tr
from arena.types import Run, Status
from arena.ui import render, safe_html
from arena.ui.live import View

SIGNS: dict[Status, str] = {
    "ok": "✓",
    "empty": "∅",
    "loop": "↻",
    "truncated": "…",
    "timeout": "⏱",
    "oom": "▣",
    "cancelled": "■",
    "error": "✕",
}
SHORT = 200  # characters of a technical detail that is shown at once


def chip(said: str, sign: str, kind: str) -> str:
    return f'<span class="chip {kind}"><span aria-hidden="true">{sign}</span> {render.text(said)}</span>'


def chips(view: View, lang: str) -> str:
    """Where the side is, or how it ended and whether the model was loaded for it."""
    if view.run is None:
        if view.stage == "queued" and view.position:
            said = tr("ui.status.position", lang, position=view.position)
        elif view.phase:
            said = tr(f"phases.{view.phase}", lang)
        else:
            said = tr(f"stages.{view.stage}" if view.stage else "ui.status.waiting", lang)
        return chip(said, '<span class="pulse"></span>' if view.stage else "·", "running" if view.stage else "waiting")
    found = chip(tr(f"statuses.{view.run.status}", lang), SIGNS[view.run.status], view.run.status)
    if view.run.timeline.cold is not None:
        name, sign = ("cold", "❄") if view.run.timeline.cold else ("warm", "●")
        found += chip(tr(f"ui.status.{name}", lang), sign, name)
    return found


def head(letter: str, title: str, chips: str, timeline: str, how: str = "") -> str:
    """The top of a side's card, from HTML made above. how: the model runs."""
    runs = f" <small>{render.text(how)}</small>" if how else ""
    who = f'<span class="letter">{letter}</span><h3>{render.text(title)}{runs}</h3>'
    return f'<header class="who">{who}{chips}</header>{timeline}'


def trouble(run: Run, lang: str) -> str:
    """What was wrong and what to do; "" when nothing was."""
    said = run.error_text.get(lang) or run.error_text.get("en") or ""
    if not said and run.status == "ok":
        return ""
    # The technical part, in English, is told apart; nobody needs to be told that he has pressed Stop.
    technical = run.error_detail or ""
    said = said.removesuffix(technical).rstrip() if technical != run.error_text.get("en") else said
    if technical == run.error_text.get("en") or run.status == "cancelled":
        technical = ""
    advice = f"ui.advice.{run.error_kind or run.status}"
    hint = tr(advice, lang) if advice in strings("en") else ""
    detail = ""
    if technical:
        shown, left = render.shown(technical, 4000)
        more = "…" if left else ""
        state = " open" if len(technical) < SHORT else ""
        detail = (
            f"<details{state}><summary>{_t('ui.answer.detail', lang)}</summary>"
            f"<pre>{render.text(shown)}{more}</pre></details>"
        )
    what, _, more = render.shown(said, 2000)[0].partition(". ")
    first = f"<p><b>{render.text(what + '.' if more else what)}</b> {render.text(more)}</p>" if said else ""
    return f'<div class="trouble {run.status}">{first}<p>{render.text(hint)}</p>{detail}</div>'


def left_out(run: Run, lang: str) -> str:
    """How many boxes of the answer are not drawn; "" when all of them are."""
    if not run.boxes_left_out:
        return ""
    count = number(run.boxes_left_out, lang)
    return f'<p class="hint">{render.text(tr("ui.answer.boxes_left_out", lang, count=count))}</p>'


def streaming(view: View, lang: str) -> str:
    """The answer so far, its end in sight, as plain text; before it, what a server that is being started writes."""
    said = view.text
    if not said and view.log:
        label = render.text(tr("ui.answer.log", lang, model=view.title))
        return f'<pre class="log" aria-label="{label}">{render.text(view.log)}</pre>'
    if not said:
        return f'<p class="hint">{_t("ui.answer.soon", lang)}</p>'
    tail = said[-render.SHOWN :]
    shown = f'<pre class="text" dir="auto">{render.text(tail)}<span class="caret"></span></pre>'
    return f'<div class="stream">{shown}</div>'


def finished(view: View, lang: str) -> str:
    """The whole answer as text and rendered; the page shows the chosen view."""
    run = view.run
    if run is None:
        return ""
    wrong = trouble(run, lang) + left_out(run, lang)
    if not run.text.strip():
        return wrong
    shown, left = render.shown(run.text)
    link = f"media/run/{run.run_id}.txt"
    more = ""
    if left:
        more = f'<p class="hint">{render.text(tr("ui.answer.more", lang, count=left))}</p>'
    name = f"answer-{view.letter}"
    whole = f' data-url="{link}"' if left else ""
    copy = (
        f'<button type="button" class="tool" data-copy="{name}"{whole}>'
        f"<span>{_t('ui.answer.copy', lang)}</span><span class='ok'>{_t('ui.answer.copied', lang)}</span></button>"
    )
    save = f'<a class="tool" href="{link}" download>{_t("ui.answer.save", lang)}</a>'
    return (
        f"{wrong}"
        f'<pre class="text view-text" id="{name}" dir="auto" tabindex="0">{render.text(shown)}</pre>'
        f'<div class="rendered view-rendered" tabindex="0">{safe_html.markdown(run.text)}</div>'
        f'{more}<footer class="tools">{copy}{save}</footer>'
    )


def _t(key: str, lang: str) -> str:
    return render.text(tr(key, lang))
