"""The fields for parameters of generation: the common ones, and those that only some families of models know."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.i18n import I18nData

from adapters.base import Adapter
from arena.core import Arena
from arena.errors import RunError
from arena.params import read_value, traits
from arena.strings import strings, tr
from arena.ui.i18n import t


@dataclass(frozen=True)
class Param:
    """A number that many models know: its least and greatest value, whether it is whole."""

    name: str
    least: float
    most: float
    whole: bool = False

    def known_to(self, family: type[Adapter]) -> bool:
        return self.name in family.params

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

    def value(self, said: Any, lang: str) -> object:
        """The same. Raises `RunError` saying the range."""
        value = self.read(str(said))
        if value is None:
            raise RunError(
                "bad_input",
                key="ui.params.range",
                name=tr(f"ui.params.{self.name}", lang),
                least=f"{self.least:g}",
                most=f"{self.most:g}" if self.most < 1e6 else f"{self.most:.0f}",
            )
        return value

    def field(self, side: str) -> gr.Textbox:
        return gr.Textbox(
            label=t(f"ui.params.{self.name}"),
            placeholder=t("ui.params.default"),
            max_lines=1,
            max_length=20,
            min_width=120,
            elem_id=f"{self.name.replace('_', '-')}-{side}",
        )


@dataclass(frozen=True)
class Extra:
    """A parameter of some families alone. choices: what can be chosen, if it is not written."""

    name: str
    choices: tuple[str | int, ...] = ()

    def known_to(self, family: type[Adapter]) -> bool:
        return self.name in family.params and self.choices == tuple(family.choices.get(self.name, ()))

    def value(self, said: Any, lang: str) -> object:
        return json.loads(said) if self.choices else read_value(said)

    def field(self, side: str) -> gr.Textbox | gr.Dropdown:
        about: dict[str, Any] = {
            "label": known(f"params.label.{self.name}") or self.name,
            "info": known(f"params.info.{self.name}"),
            "visible": False,
            "min_width": 200,
            "elem_id": f"{self.name.replace('_', '-')}-{side}",
            "elem_classes": "extra",
        }
        if not self.choices:
            return gr.Textbox(placeholder=t("ui.params.default"), max_lines=1, max_length=200, **about)
        shown = [(known(f"params.value.{str(each).lower()}") or str(each), json.dumps(each)) for each in self.choices]
        return gr.Dropdown([(t("ui.params.default"), ""), *shown], value="", **about)


Field = Param | Extra
PARAMS = (
    Param("max_new_tokens", 1, 8192, whole=True),
    Param("temperature", 0, 2),
    Param("top_p", 0.01, 1),
    Param("repetition_penalty", 0.5, 2),
    Param("seed", 0, 2**31 - 1, whole=True),
)


def fields(arena: Arena) -> list[Field]:
    """Every field that some model of the catalogue needs; two where two families offer different choices."""
    common = {param.name for param in PARAMS}
    found: dict[Field, None] = dict.fromkeys(PARAMS)
    for spec in arena.catalog.visible(arena.settings.dev):
        family = traits(spec)
        own = [name for name in family.params if name not in common]
        found |= dict.fromkeys(Extra(name, tuple(family.choices.get(name, ()))) for name in own)
    return list(found)


def known(key: str) -> I18nData | None:
    """The text of a key that may have none."""
    return t(key) if key in strings("en") else None
