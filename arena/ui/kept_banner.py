"""Below the head, where visitors are strangers: what is kept of them and how long, the way to delete it, the link."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import gradio as gr

from arena.access import PASS, passed, visitor_of
from arena.core import Arena
from arena.errors import RunError
from arena.public.link import State
from arena.public.retention import Left, forget_visitor
from arena.strings import tr
from arena.ui.block import block
from arena.ui.document_route import KEPT as DOCUMENTS
from arena.ui.i18n import language, on_language
from arena.ui.preview import preview
from arena.ui.render import text

DIALOG = "${value ? '<dialog open>' + value + '</dialog>' : ''}"
KEPT = ("images", "answers", "votes", "talks", "cookie", "shared")
ENDING_S = 10.0  # how long a comparison that is stopped may take to end
LIGHT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def build(arena: Arena) -> None:
    """Lay the banner out below the header and connect it."""

    def shown(request: gr.Request) -> str:
        entered = bool(passed(request.cookies.get(PASS, ""), arena.settings))
        return banner(visitor_of(request), arena.settings.keep_days, arena.link.state, language(request), entered)

    def news(before: str, request: gr.Request) -> Any:
        now = shown(request)
        return gr.skip() if now == before else now

    def ask(request: gr.Request) -> str:
        return question(language(request))

    def delete(request: gr.Request) -> str:
        lang = language(request)
        try:
            return answer(forget(arena, visitor_of(request)).text(lang), lang)
        except RunError as error:
            return answer(error.text(lang), lang)

    kept = block("kept", "public")
    dialog = block("forget-dialog", "benchmark", DIALOG)
    on_language(shown, None, kept)
    kept.write_again(news, kept, kept, **LIGHT)
    kept.ask_forget(ask, None, dialog, **LIGHT)
    dialog.confirm_forget(delete, None, dialog, show_progress="hidden", api_visibility="private")


def forget(arena: Arena, visitor: str) -> Left:
    """All that a visitor left, in the database and in memory, once what he has under way is over. Raises `RunError`."""
    running, end = arena.visits.end(visitor), time.monotonic() + ENDING_S
    while any(not each.done for each in running) and time.monotonic() < end:
        time.sleep(0.05)
    if arena.classroom:
        arena.classroom.forget(visitor)
    DOCUMENTS.forget(visitor)
    left = forget_visitor(arena.store, arena.images, visitor)
    preview.cache_clear()
    return left


def banner(visitor: str, days: float, link: State, lang: str, entered: bool) -> str:
    """One line that can be opened, and the buttons. entered: with a password, so there is a way out."""

    def said(key: str, **params: object) -> str:
        return text(tr(f"public.kept.{key}", lang, **params))

    how_long = said("days", days=f"{days:g}") if days else said("ever")
    rows = "".join(f"<li>{said(key)}</li>" for key in KEPT)
    number = f"<p>{said('number')} <code>{text(visitor)}</code></p>" if visitor else ""
    leave = f'<form method="post" action="logout"><button>{said("leave")}</button></form>' if entered else ""
    polled = ' data-news="20"' if link.condition != "off" else ""
    return (
        f'<section class="kept" lang="{lang}" aria-label="{said("title")}"{polled}>'
        f"<details><summary>{said('summary')} {how_long}</summary><ul>{rows}</ul>{number}</details>"
        f'<div class="acts"><button type="button" data-event="ask_forget">{said("delete")}</button>{leave}</div>'
        f"{link_line(link, lang)}</section>"
    )


def link_line(link: State, lang: str) -> str:
    """The public link with its end, or what is wrong with it; nothing where none is wanted."""
    key = link.condition
    if key == "off":
        return ""
    until = moment(link.until) if link.until else ""
    # The two are HTML of ours; the sentence around them is escaped.
    said = text(tr(f"public.link.page.{key}", lang)).replace("[url]", f"<code>{text(link.url)}</code>")
    kind = "trouble" if key in ("dead", "none") else "link"
    return f'<p class="{kind}" role="status">{said.replace("[until]", until)}</p>'


def moment(when: datetime) -> str:
    """Read by everyone in his own time (see assets/blocks.js)."""
    return f'<time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{when:%Y-%m-%d %H:%M} UTC</time>'


def question(lang: str) -> str:
    return f"""
<article lang="{lang}" class="question">
  <h2>{text(tr("public.kept.question", lang))}</h2>
  <p>{text(tr("public.kept.forever", lang))}</p>
  <footer><button type="button" data-event="close" autofocus>{text(tr("public.kept.keep", lang))}</button>
  <button type="button" class="danger" data-event="confirm_forget">{text(tr("public.kept.confirm", lang))}</button>
  </footer>
</article>"""


def answer(said: str, lang: str) -> str:
    """What came of it; the page is loaded anew, for it still shows some of what is gone."""
    return f"""
<article lang="{lang}" class="question" role="status">
  <h2>{text(said)}</h2>
  <footer><form action="./"><button autofocus>{text(tr("public.kept.reload", lang))}</button></form></footer>
</article>"""
