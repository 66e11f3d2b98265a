"""One side of the contest: which model, whether it can run here, and how it shall generate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from adapters.base import Adapter, adapter_class
from arena.catalog import adapter_exists
from arena.core import Arena
from arena.errors import RunError
from arena.spec import ModelSpec
from arena.status import ModelStatus, model_status
from arena.strings import tr
from arena.ui import render
from arena.ui.i18n import t


@dataclass(frozen=True)
class Param:
    """A generation parameter: its least and greatest value, whether it is whole."""

    name: str
    least: float
    most: float
    whole: bool = False

    def read(self, said: str) -> float | int | None:
        """The value in a visitor's words, a decimal comma included; None for anything but a number in the range.

        >>> Param("temperature", 0, 2).read("0,7"), Param("seed", 0, 9, whole=True).read("1.5")
        (0.7, None)
        """
        try:
            value = int(said) if self.whole else float(said.replace(",", "."))
        except ValueError:
            return None
        return value if self.least <= value <= self.most else None


PARAMS = (
    Param("max_new_tokens", 1, 8192, whole=True),
    Param("temperature", 0, 2),
    Param("top_p", 0.01, 1),
    Param("repetition_penalty", 0.5, 2),
    Param("seed", 0, 2**31 - 1, whole=True),
)


@dataclass(frozen=True)
class Entrant:
    """A model that may be chosen, and whether it can run here."""

    spec: ModelSpec
    status: ModelStatus


@dataclass(frozen=True)
class Contestant:
    """The widgets of one side."""

    letter: str
    model: gr.Dropdown
    badge: gr.HTML
    box: gr.Accordion
    params: dict[str, gr.Textbox]

    @property
    def inputs(self) -> set[Any]:
        return {self.model, *self.params.values()}

    @property
    def outputs(self) -> list[Any]:
        return [self.model, self.badge, self.box, *self.params.values()]


def build(letter: str, first: str) -> Contestant:
    """Lay one side out in the current column; `first` is the id of the model chosen at the start."""
    low = letter.lower()
    model = gr.Dropdown(
        [(first, first)], value=first, label=t(f"ui.model.{low}"), elem_id=f"model-{low}", elem_classes="contestant"
    )
    badge = gr.HTML(elem_id=f"badge-{low}", apply_default_css=False)
    box = gr.Accordion(t("ui.params.title"), open=False, visible=False, elem_id=f"params-{low}")
    with box, gr.Row(elem_classes="params"):
        params = {
            param.name: gr.Textbox(
                label=t(f"ui.params.{param.name}"),
                placeholder=t("ui.params.default"),
                max_lines=1,
                max_length=20,
                min_width=120,
                elem_id=f"{param.name.replace('_', '-')}-{low}",
            )
            for param in PARAMS
        }
    return Contestant(letter, model, badge, box, params)


def traits(spec: ModelSpec) -> type[Adapter]:
    """What the model's family can do; the empty `Adapter` for a family that is only planned."""
    return adapter_class(spec.adapter) if adapter_exists(spec.adapter) else Adapter


def field(arena: Arena, task: str) -> dict[str, Entrant]:
    """The models that can do the task with their status, by id, those first that are ready here."""
    able = [spec for spec in arena.catalog.visible(arena.settings.dev) if task in spec.tasks]
    found = [Entrant(spec, model_status(spec, arena.settings, arena.gpus)) for spec in able]
    return {each.spec.id: each for each in sorted(found, key=lambda each: not each.status.ready)}


def badge(spec: ModelSpec, status: ModelStatus, lang: str) -> str:
    """Whether the model is ready, what kind it is, and what would make it ready."""
    need = spec.vram_gb
    facts = [spec.parameters, f"{need:.1f}\N{NO-BREAK SPACE}{tr('ui.unit.vram', lang)}" if need else "", spec.licence]
    kind = "ready" if status.ready else "needs"
    sign = "●" if status.ready else "○"
    html = (
        f'<p class="badge"><span class="chip {kind}"><span aria-hidden="true">{sign}</span> '
        f"{render.text(status.label(lang))}</span> "
        f"<span>{render.text(' · '.join(fact for fact in facts if fact))}</span></p>"
    )
    said = spec.note(lang) if status.ready else status.text(lang)
    if said:
        html += f'<p class="hint">{render.text(said)}</p>'
    if status.command and not status.ready:
        name = f"command-{render.text(spec.id)}"
        copy = render.text(tr("ui.answer.copy", lang))
        copied = render.text(tr("ui.answer.copied", lang))
        html += (
            f'<div class="command"><code id="{name}">{render.text(status.command)}</code><button type="button" '
            f'class="tool" data-copy="{name}"><span>{copy}</span><span class="ok">{copied}</span></button></div>'
        )
    return html


def update(side: Contestant, entrants: Mapping[str, Entrant], chosen: str | None, lang: str) -> dict[Any, Any]:
    """The side's widgets for the chosen model; an empty choice when that cannot do the task."""
    # A full dot is ready, an empty one needs something first.
    choices = [(f"{'●' if each.status.ready else '○'} {each.spec.title}", name) for name, each in entrants.items()]
    entrant = entrants.get(chosen or "")
    honoured = traits(entrant.spec).params if entrant else ()
    return {
        side.model: gr.Dropdown(choices=choices, value=chosen if entrant else None),
        side.badge: badge(entrant.spec, entrant.status, lang) if entrant else "",
        side.box: gr.Accordion(visible=any(name in honoured for name in side.params)),
        **{field: gr.Textbox(visible=name in honoured) for name, field in side.params.items()},
    }


def given_params(side: Contestant, spec: ModelSpec, data: Mapping[Any, Any], lang: str) -> dict[str, object]:
    """What the visitor set and the model honours. Raises `RunError` for a number out of range."""
    honoured = traits(spec).params
    given: dict[str, object] = {}
    for param in PARAMS:
        said = str(data[side.params[param.name]] or "").strip()
        if not said or param.name not in honoured:
            continue
        value = param.read(said)
        if value is None:
            raise RunError(
                "bad_input",
                key="ui.params.range",
                name=tr(f"ui.params.{param.name}", lang),
                least=f"{param.least:g}",
                most=f"{param.most:g}" if param.most < 1e6 else f"{param.most:.0f}",
            )
        given[param.name] = value
    return given
