"""How one side's model runs: its mode, quantization and number format, as far as it has a choice of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.advice import finest, variants
from arena.core import Arena
from arena.errors import RunError
from arena.numbers import number
from arena.runtimes.docker_host import docker_host
from arena.spec import Mode, ModelSpec
from arena.status import Cards, ModelStatus, need_gb
from arena.strings import tr
from arena.ui import render
from arena.ui.i18n import t
from arena.units import SPACE


@dataclass(frozen=True)
class Entrant:
    """A model that may be chosen, as it would run here, and whether it can."""

    spec: ModelSpec
    status: ModelStatus


@dataclass(frozen=True)
class Variant:
    """The widgets. of: the id of the model that they belong to, not shown."""

    of: gr.Textbox
    box: gr.Accordion
    mode: gr.Radio
    quantization: gr.Radio
    dtype: gr.Radio
    cannot: gr.HTML

    @property
    def choices(self) -> list[Any]:
        """What the visitor sets."""
        return [self.mode, self.quantization, self.dtype]

    @property
    def inputs(self) -> set[Any]:
        return {self.of, *self.choices}

    @property
    def outputs(self) -> list[Any]:
        return [self.of, self.box, *self.choices, self.cannot]


def build(letter: str) -> Variant:
    """Lay the widgets out in the current column; `update` fills them."""
    low = letter.lower()

    def pills(name: str) -> gr.Radio:
        return gr.Radio([], label=t(f"ui.variant.{name}"), visible=False, elem_id=f"{name}-{low}", elem_classes="pills")

    # In the browser, as the others are: what the server kept would belong to its last answer, not to what was sent.
    of = gr.Textbox("", visible="hidden", elem_id=f"of-{low}")
    with gr.Accordion("", open=False, visible="hidden", elem_id=f"variant-{low}", elem_classes="variant") as box:
        mode = pills("mode")
        cannot = gr.HTML(visible=False, elem_id=f"cannot-{low}", apply_default_css=False)
        return Variant(of, box, mode, pills("quantization"), pills("dtype"), cannot)


def usual(arena: Arena, entry: ModelSpec) -> Entrant:
    """The model as it suits this machine; in a mode that is ready rather than in the preferred one. Whoever started the
    program with a mode gets that one, ready or not."""
    if entry.mode == arena.settings.mode:
        asked = finest(entry, entry.mode, arena.gpus) or entry
        return Entrant(asked, arena.status(asked))
    tried = [Entrant(spec, arena.status(spec)) for spec in variants(entry, arena.gpus, docker_host().there) or [entry]]
    return next((each for each in tried if each.status.ready), tried[0])


def chosen(arena: Arena, side: Variant, entrant: Entrant, data: Mapping[Any, Any]) -> Entrant:
    """The model as the visitor has set it; as it was before while the widgets still belong to another model."""
    if data[side.of] != entrant.spec.id:
        return entrant
    mode, quantization, dtype = (data[widget] for widget in side.choices)
    spec = set_as(arena.catalog.models[entrant.spec.id], mode, quantization, dtype, arena.gpus)
    return entrant if spec == entrant.spec else Entrant(spec, arena.status(spec))


def set_as(entry: ModelSpec, mode: str | None, quantization: str | None, dtype: str | None, gpus: Cards) -> ModelSpec:
    """The entry with these; where the mode has no such quantization, with the one that suits it here."""
    try:
        return entry.with_options(mode=mode, quantization=quantization, dtype=dtype)
    except RunError:
        other = finest(entry, mode or entry.mode, gpus) or entry.with_options(mode=mode)
        return other.with_options(dtype=dtype)


def update(side: Variant, spec: ModelSpec | None, lang: str) -> dict[Any, Any]:
    """The widgets for the model as it is set; hidden where there is nothing to choose."""
    if spec is None or spec.mode == "embedded":
        return {side.of: "", side.box: gr.Accordion(visible="hidden")}
    modes = [(tr(f"ui.variant.modes.{mode.name}", lang), mode.name) for mode in spec.modes if not mode.why_not]
    finer = [(weights(spec, name, lang), name) for name in spec.in_mode(spec.mode).quantizations]
    formats = [(tr(f"ui.variant.dtypes.{name}", lang), name) for name in spec.dtypes]
    impossible = [mode for mode in spec.modes if mode.why_not]
    served = spec.mode == "endpoint"  # whoever serves it has set the rest
    choice = [len(modes) > 1 or bool(impossible), len(finer) > 1 and not served, len(formats) > 1 and not served]
    return {
        side.of: spec.id,
        side.box: gr.Accordion(
            visible=any(choice) or "hidden",
            label=f"{tr('ui.variant.title', lang)}: {spec.how}",
        ),
        side.mode: gr.Radio(choices=modes, value=spec.mode, visible=choice[0]),
        side.quantization: gr.Radio(choices=finer, value=spec.quantization, visible=choice[1]),
        side.dtype: gr.Radio(choices=formats, value=spec.dtype, visible=choice[2]),
        side.cannot: gr.HTML(value=reasons(impossible, lang), visible=bool(impossible)),
    }


def weights(spec: ModelSpec, quantization: str, lang: str) -> str:
    """A quantization with the memory it takes."""
    gb = spec.in_mode(spec.mode).vram_gb.get(quantization)
    name = tr(f"advice.quantization.{quantization}", lang)
    return f"{name} · {number(gb, lang, 1)}{SPACE}{tr('ui.unit.gb', lang)}" if gb else name


def need(spec: ModelSpec, lang: str) -> str:
    """The GPU's memory it takes as it is set; "" where none or nobody knows."""
    gb = need_gb(spec)
    return f"{number(gb, lang, 1)}{SPACE}{tr('ui.unit.vram', lang)}" if gb else ""


def reasons(impossible: Iterable[Mode], lang: str) -> str:
    """The modes that cannot be chosen, each with its reason."""
    lines = [
        f'<li><span aria-disabled="true">{render.text(tr(f"ui.variant.modes.{mode.name}", lang))}</span> '
        f"{render.text(mode.why_not.get(lang) or mode.why_not['en'])}</li>"
        for mode in impossible
    ]
    return f'<ul class="cannot">{"".join(lines)}</ul>'
