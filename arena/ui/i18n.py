"""Texts of the page in both languages: labels through the browser, everything else by the visitor's cookie.

`t(key)` marks a label, button, placeholder or choice; the browser translates it, and again when the language is
switched. What a handler makes (tables, messages, timelines) is written with `tr(key, language(request))`;
`on_language` has it written again after a switch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import gradio as gr
from gradio.context import Context
from gradio.i18n import I18nData

from arena.spec import Task
from arena.strings import LANGUAGES, pick_language, strings
from arena.ui.shell import COOKIE

HEADER = "header"  # the block whose event `select` says that the language was switched


def catalogue(tasks: Iterable[Task]) -> gr.I18n:
    """All our texts for the browser, and the titles of the tasks."""
    tasks = list(tasks)
    titles = {lang: {f"task.{task.id}": task.title_for(lang) for task in tasks} for lang in LANGUAGES}
    return gr.I18n(**{lang: {**strings(lang), **titles[lang]} for lang in LANGUAGES})


def t(key: str) -> I18nData:
    """A text that the browser translates. Raises `KeyError` for a key without a text."""
    strings("en")[key]
    return I18nData(key)


def task_title(task: Task) -> I18nData:
    return I18nData(f"task.{task.id}")


def language(request: gr.Request | None) -> str:
    """The language of the visitor who sent `request`: his choice, else what his browser prefers."""
    if request is None:
        return "en"
    chosen = request.cookies.get(COOKIE)
    return chosen if chosen in LANGUAGES else pick_language(request.headers.get("accept-language"))


def on_language(fn: Callable[..., Any], inputs: Any = None, outputs: Any = None) -> None:
    """Call `fn` when the page opens and after every switch of the language."""
    page = Context.root_block
    header = next(block for block in page.blocks.values() if block.elem_id == HEADER)
    light = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    gr.on([page.load, header.select], fn, inputs, outputs, **light)
