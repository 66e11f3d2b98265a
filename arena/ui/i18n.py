"""Texts of the page in both languages: labels through Gradio's frontend, everything else by the visitor's cookie.

`t(key)` marks a label, button, placeholder or choice; the browser translates it and again when the language is
switched. What a handler makes (tables, toasts, timelines) is written with `tr(key, language(request))`.
"""

from __future__ import annotations

import gradio as gr
from gradio.i18n import I18nData

from arena.strings import LANGUAGES, pick_language, strings

COOKIE = "arena_lang"  # set by the page before its first request and at every switch


def catalogue() -> gr.I18n:
    """All our texts for the frontend."""
    return gr.I18n(**{lang: dict(strings(lang)) for lang in LANGUAGES})


def t(key: str) -> I18nData:
    """A text that the browser translates. Raises `KeyError` for a key without a text."""
    strings("en")[key]
    return I18nData(key)


def language(request: gr.Request | None) -> str:
    """The language of the visitor who sent `request`: his choice, else what his browser prefers."""
    if request is None:
        return "en"
    chosen = request.cookies.get(COOKIE)
    return chosen if chosen in LANGUAGES else pick_language(request.headers.get("accept-language"))
