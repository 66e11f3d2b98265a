"""Run again on the Compare tab: all is set as it was, then the comparison runs once more beside the one before."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import gradio as gr

from arena.access import whose
from arena.compare import Request, Side
from arena.core import Arena
from arena.errors import RunError
from arena.params import PAGES, traits
from arena.record import new_id
from arena.rerun import again, recorded
from arena.strings import LANGUAGES
from arena.ui.contestant import Contestant
from arena.ui.image_panel import Chosen, ImagePanel
from arena.ui.link_bar import may_see
from arena.ui.live import Live
from arena.ui.param_fields import Extra
from arena.ui.question_panel import QuestionPanel

Update = dict[Any, Any]


def wish(arena: Arena, event: gr.EventData, request: gr.Request) -> str:
    """What the state holds once somebody has pressed the button: the comparison, if it is for his eyes, and a word of
    its own for every press."""
    comparison_id = str(event._data.get("value", ""))
    allowed = may_see(arena, comparison_id, whose(request, arena.settings))
    return f"{comparison_id if allowed else ''} {new_id()}"


def wanted(arena: Arena, wish: str) -> Request:
    """The request to be run again. Raises `RunError` saying why it cannot be."""
    request = again(arena, wish.partition(" ")[0])
    if len(request.sides) != 2:
        raise RunError("bad_input", key="report.again.two", count=len(request.sides))
    return request


def order(arena: Arena, wish: str, lang: str, visitor: str) -> Live:
    """The comparison, with the runs before. Raises `RunError` saying why it cannot be run again."""
    request = replace(wanted(arena, wish), visitor=visitor)
    if visitor and request.image:  # who may see a comparison has its picture before him
        arena.pictures.brought(visitor, request.image.sha256)
    live = Live(arena, request, lang, dict.fromkeys(LANGUAGES, ""))
    live.before = recorded(arena, wish.partition(" ")[0])
    return live


def choice(request: Request, asked: QuestionPanel, sides: tuple[Contestant, ...]) -> Update:
    """What decides the rest of the tab: task, prompt, models and how they run."""
    found: Update = {asked.task: request.task.id, asked.prompt: request.prompt}
    for side, contestant in zip(request.sides, sides, strict=True):
        variant, spec = contestant.variant, side.spec
        found |= {contestant.model: spec.id, variant.of: spec.id}
        found |= dict(zip(variant.choices, (spec.mode, spec.quantization, spec.dtype), strict=True))
    return found


def rest(
    request: Request,
    image: ImagePanel,
    asked: QuestionPanel,
    sides: tuple[Contestant, ...],
    described: Update,
    lang: str,
) -> Update:
    """What the tab does not derive from that choice: image, prompt, right answer, language, parameters.

    described: the tab's own update for the choice, which this one goes over."""
    reads = any(traits(side.spec).prompted for side in request.sides)
    found: Update = {
        asked.task: request.task.id,
        asked.language: request.language,
        asked.reference: request.reference or "",
    }
    if reads:
        found[asked.prompt] = gr.Textbox(value=request.prompt, interactive=True)
    if request.image:
        found |= image.show(Chosen(request.image), lang)
    for side, contestant in zip(request.sides, sides, strict=True):
        for field, widget in contestant.params.items():
            known = field.known_to(traits(side.spec)) and field.name != PAGES
            value = said(side, field.name, isinstance(field, Extra)) if known else ""
            found[widget] = {**described[widget], "value": value}
    return found


def said(side: Side, name: str, written_as_json: bool) -> str:
    """A parameter as it would have been written; "" where it is what the catalogue says."""
    value = side.params.get(name)
    if value is None or value == side.spec.params.get(name):
        return ""
    return json.dumps(value) if written_as_json and not isinstance(value, str) else str(value)
