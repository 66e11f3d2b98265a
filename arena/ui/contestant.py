"""One side of the contest: which model, whether it can run here, and how it shall generate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from adapters.base import Adapter
from arena.core import Arena
from arena.params import check, traits
from arena.spec import ModelSpec
from arena.status import ModelStatus
from arena.strings import tr
from arena.ui import render, variant
from arena.ui.i18n import t
from arena.ui.param_fields import Field
from arena.ui.variant import Entrant, Variant


@dataclass(frozen=True)
class Contestant:
    """The widgets of one side."""

    letter: str
    model: gr.Dropdown
    badge: gr.HTML
    variant: Variant
    box: gr.Accordion
    params: dict[Field, gr.Textbox | gr.Dropdown]

    @property
    def settings(self) -> list[Any]:
        """What goes along when the sides are swapped."""
        return [self.variant.of, *self.variant.choices, *self.params.values()]

    @property
    def inputs(self) -> set[Any]:
        return {self.model, *self.variant.inputs, *self.params.values()}

    @property
    def outputs(self) -> list[Any]:
        return [self.model, self.badge, *self.variant.outputs, self.box, *self.params.values()]


def build(letter: str, first: str, fields: Iterable[Field]) -> Contestant:
    """Lay one side out in the current column; `first` is the id of the model chosen at the start."""
    low = letter.lower()
    model = gr.Dropdown(
        [(first, first)], value=first, label=t(f"ui.model.{low}"), elem_id=f"model-{low}", elem_classes="contestant"
    )
    badge = gr.HTML(elem_id=f"badge-{low}", apply_default_css=False)
    how = variant.build(letter)
    box = gr.Accordion(t("ui.params.title"), open=False, visible=False, elem_id=f"params-{low}")
    with box, gr.Row(elem_classes="params"):
        params = {each: each.field(low) for each in fields}
    return Contestant(letter, model, badge, how, box, params)


def field(arena: Arena, task: str) -> dict[str, Entrant]:
    """The models that can do the task with their status, by id, those first that are ready here."""
    able = [spec for spec in arena.catalog.visible(arena.settings.dev) if task in spec.tasks]
    found = [variant.usual(arena, spec) for spec in able]
    return {each.spec.id: each for each in sorted(found, key=lambda each: not each.status.ready)}


def badge(spec: ModelSpec, status: ModelStatus, lang: str, instead: str = "") -> str:
    """Whether the model is ready as it is set, what kind it is, and what would make it ready or do instead."""
    facts = [spec.parameters, variant.need(spec, lang), spec.licence]
    kind = "ready" if status.ready and not status.warns else "needs"
    sign = "▲" if status.warns else "●" if status.ready else "○"
    html = (
        f'<p class="badge"><span class="chip {kind}"><span aria-hidden="true">{sign}</span> '
        f"{render.text(status.label(lang))}</span> "
        f"<span>{render.text(' · '.join(fact for fact in facts if fact))}</span></p>"
    )
    said = [spec.note(lang)] if status.ready else []
    said += [] if status.ready and not status.key else [f"{status.text(lang)} {instead}".strip()]
    html += "".join(f'<p class="hint">{render.text(each)}</p>' for each in said if each)
    if status.command and not status.ready:
        name = f"command-{render.text(spec.id)}"
        copy = render.text(tr("ui.answer.copy", lang))
        copied = render.text(tr("ui.answer.copied", lang))
        html += (
            f'<div class="command"><code id="{name}">{render.text(status.command)}</code><button type="button" '
            f'class="tool" data-copy="{name}"><span>{copy}</span><span class="ok">{copied}</span></button></div>'
        )
    return html


def update(
    side: Contestant, entrants: Mapping[str, Entrant], entrant: Entrant | None, instead: str, was: str | None, lang: str
) -> dict[Any, Any]:
    """The side's widgets for the chosen model as it is set; an empty choice when there is none.

    instead: what to take when it does not fit. was: what the browser says is chosen, written only when it is to change,
    for the visitor may have chosen again while this was under way."""
    # A full dot is ready, an empty one needs something first.
    choices = [(f"{'●' if each.status.ready else '○'} {each.spec.title}", name) for name, each in entrants.items()]
    family = traits(entrant.spec) if entrant else Adapter
    name = entrant.spec.id if entrant else None
    value = {} if name == was else {"value": name}
    return {
        side.model: gr.Dropdown(choices=choices, **value),
        side.badge: badge(entrant.spec, entrant.status, lang, instead) if entrant else "",
        **variant.update(side.variant, entrant.spec if entrant else None, lang),
        side.box: gr.Accordion(visible=any(each.known_to(family) for each in side.params)),
        **{shown: gr.update(visible=each.known_to(family)) for each, shown in side.params.items()},
    }


def given_params(side: Contestant, spec: ModelSpec, data: Mapping[Any, Any], lang: str) -> dict[str, object]:
    """What the visitor set and the model honours. Raises `RunError` for what it does not take."""
    family, given = traits(spec), {}
    for each, shown in side.params.items():
        said = data[shown]
        said = said.strip() if isinstance(said, str) else said
        if said in ("", None) or not each.known_to(family):
            continue
        given[each.name] = check(spec, each.name, each.value(said, lang))
    return given
