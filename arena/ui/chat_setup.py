"""Above the conversation: who answers, what all models are told before it, and how they shall generate."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.chat import SIDES, TASK, takes_several
from arena.core import Arena
from arena.errors import RunError
from arena.params import check, traits
from arena.spec import ModelSpec
from arena.strings import tr
from arena.ui import contestant, render, variant
from arena.ui.i18n import t
from arena.ui.param_fields import PARAMS
from arena.ui.run_panel import Update
from arena.ui.variant import Entrant, Variant


@dataclass(frozen=True)
class Setup:
    """Who answers, and how."""

    arena: Arena
    who: gr.Radio
    models: dict[str, gr.Dropdown]
    badges: dict[str, gr.HTML]
    variants: dict[str, Variant]
    system: gr.Textbox
    params: dict[str, gr.Textbox]

    @property
    def widgets(self) -> list[Any]:
        how = [widget for each in self.variants.values() for widget in (each.of, *each.choices)]
        return [self.who, *self.models.values(), *how, self.system, *self.params.values()]

    @property
    def choices(self) -> list[Any]:
        """What decides who answers and how it runs."""
        return [self.who, *self.models.values(), *(each for side in self.variants.values() for each in side.choices)]

    @property
    def described(self) -> list[Any]:
        how = [widget for each in self.variants.values() for widget in each.outputs]
        return [*self.models.values(), *self.badges.values(), *how]

    def read(self, data: Update) -> dict[str, Any]:
        """As it is kept with a conversation."""
        params = {name: str(data[shown] or "").strip() for name, shown in self.params.items()}
        return {
            "who": data[self.who],
            "models": {letter: data[shown] or "" for letter, shown in self.models.items()},
            "how": {letter: self.how(letter, data) for letter in self.models},
            "system": data[self.system] or "",
            "params": {name: said for name, said in params.items() if said},
        }

    def how(self, letter: str, data: Update) -> list[str | None]:
        """Mode, quantization and number format as the visitor has set them for the chosen model; empty before that."""
        side = self.variants[letter]
        return [data[each] for each in side.choices] if data[side.of] == (data[self.models[letter]] or None) else []

    def wanted(self, setup: dict[str, Any]) -> Update:
        """The models of a kept conversation and how they ran, as the widgets would say it; without what is no more."""
        found: Update = {}
        for letter, shown in self.models.items():
            name, how = (setup.get("models") or {}).get(letter) or "", (setup.get("how") or {}).get(letter) or []
            side, entry = self.variants[letter], self.arena.catalog.models.get(name)
            found |= {shown: name, side.of: ""}
            with contextlib.suppress(RunError):  # the catalogue has changed since
                if entry and len(how) == len(side.choices):
                    mode, quantization, dtype = how
                    variant.set_as(entry, mode, quantization, dtype, self.arena.gpus)
                    found |= {side.of: name, **dict(zip(side.choices, how, strict=True))}
        return found

    def write(self, setup: dict[str, Any]) -> Update:
        """The widgets as they were, but for the models, which may be there no more."""
        params = setup.get("params") or {}
        return {
            self.who: setup.get("who") or "AB",
            self.system: setup.get("system") or "",
            **{shown: params.get(name, "") for name, shown in self.params.items()},
        }

    def spec(self, letter: str, data: Update) -> ModelSpec:
        """The chosen model, which can talk, as the visitor has set it. Raises `RunError`."""
        entry = self.arena.catalog.models.get(data[self.models[letter]] or "")
        if entry is None or TASK not in entry.tasks:
            raise RunError("bad_input", key="chat.no_model")
        return variant.chosen(self.arena, self.variants[letter], variant.usual(self.arena, entry), data).spec

    def describe(self, data: Update, lang: str) -> Update:
        """The lists of models and what is to be known of those chosen."""
        entrants = contestant.field(self.arena, TASK)
        updates: Update = {}
        choices = [(f"{'●' if each.status.ready else '○'} {each.spec.title}", name) for name, each in entrants.items()]
        first = [name for name, each in entrants.items() if each.status.ready] or list(entrants)
        for at, letter in enumerate(SIDES):
            shown = self.models[letter]
            name = data[shown] if data[shown] in entrants else first[at % len(first)] if first else None
            side = self.variants[letter]
            entrant = variant.chosen(self.arena, side, entrants[name], data) if name else None
            updates[shown] = gr.Dropdown(choices=choices, value=name, interactive=True)
            updates[self.badges[letter]] = described(entrant, lang) if entrant else ""
            updates |= variant.update(side, entrant.spec if entrant else None, lang)
        return updates

    def prepare(self, data: Update) -> None:
        """What the chosen models need is made ready while the visitor still thinks."""
        entrants = contestant.field(self.arena, TASK)
        for letter, shown in self.models.items():
            if usual := entrants.get(data[shown] or ""):
                entrant = variant.chosen(self.arena, self.variants[letter], usual, data)
                if entrant.status.ready:
                    self.arena.slots.preload(entrant.spec)


def build(arena: Arena) -> Setup:
    """Lay it out in the current column; `Setup.describe` fills it."""
    choices = [(t("chat.who.both"), "AB"), (t("chat.who.a"), "A"), (t("chat.who.b"), "B")]
    who = gr.Radio(choices, value="AB", label=t("chat.who.title"), elem_id="chat-who", elem_classes="pills")
    models, badges, variants = {}, {}, {}
    with gr.Row(elem_id="chat-models"):
        for letter in SIDES:
            low = letter.lower()
            with gr.Column(elem_id=f"chat-side-{low}", elem_classes=f"contender {low}"):
                models[letter] = gr.Dropdown([], label=t(f"ui.model.{low}"), elem_id=f"chat-model-{low}")
                badges[letter] = gr.HTML(elem_id=f"chat-badge-{low}", apply_default_css=False)
                variants[letter] = variant.build(f"chat-{letter}")
    with gr.Accordion(t("chat.settings"), open=False, elem_id="chat-settings"):
        system = gr.Textbox(
            label=t("chat.system"),
            info=t("chat.system_hint"),
            lines=2,
            max_lines=8,
            max_length=20_000,
            elem_id="chat-system",
        )
        with gr.Row(elem_classes="params"):
            params = {each.name: each.field("chat") for each in PARAMS}
    return Setup(arena, who, models, badges, variants, system, params)


def params_of(setup: dict[str, Any], spec: ModelSpec, lang: str) -> dict[str, object]:
    """What the visitor set and the model honours. Raises `RunError` for what it does not take."""
    family, found = traits(spec), {}
    for each in PARAMS:
        said = setup["params"].get(each.name)
        if said and each.known_to(family):
            found[each.name] = check(spec, each.name, each.value(said, lang))
    return found


def described(entrant: Entrant, lang: str) -> str:
    """The model's badge, and what it can do with the pictures of a conversation."""
    spec = entrant.spec
    said = [tr(f"chat.pictures.{'several' if takes_several(spec) else 'newest'}", lang)]
    if traits(spec).needs_image:
        said.append(tr("chat.pictures.needed", lang))
    return contestant.badge(spec, entrant.status, lang) + f'<p class="hint">{render.text(" ".join(said))}</p>'
