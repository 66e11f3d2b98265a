"""Every text a user reads, by key and language: one YAML file a language, read once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

LANGUAGES = ("en", "ru")
FOLDER = Path(__file__).parent.parent / "assets" / "strings"


@cache
def strings(lang: str) -> dict[str, str]:
    """All texts of one language, keys joined with dots: ``errors.timeout``."""
    flat: dict[str, str] = {}

    def flatten(prefix: str, node: Any) -> None:
        for key, value in node.items():
            path = f"{prefix}.{key}" if prefix else str(key)
            if isinstance(value, dict):
                flatten(path, value)
            else:
                flat[path] = str(value)

    # The loader in C is ten times as fast, and every start waits for it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    flatten("", yaml.load((FOLDER / f"{lang}.yaml").read_text(encoding="utf-8"), loader))  # noqa: S506 - both are safe
    return flat


def tr(key: str, lang: str = "en", **params: Any) -> str:
    """The text for `key` in `lang`, its ``{names}`` filled from `params`. Raises `KeyError` for an unknown key.

    A word that goes with a number has its forms after the number's name: ``{count} {count:run|runs}``, in Russian
    ``{count} {count:прогон|прогона|прогонов}``. A float has the decimal sign of the language.
    """
    text = strings(lang if lang in LANGUAGES else "en")[key]
    return _Sentence(lang).vformat(text, (), params) if params else text


class _Sentence(Formatter):
    """Python's format strings, whose fields may name the forms of a word, with numbers as the language writes them."""

    def __init__(self, lang: str) -> None:
        self._lang = lang

    def format_field(self, value: Any, format_spec: str) -> str:
        if "|" in format_spec:
            return plural(value, tuple(format_spec.split("|")))
        if isinstance(value, float):
            said = format(value, format_spec or "g")
            return said.replace(".", ",") if self._lang == "ru" else said
        return str(super().format_field(value, format_spec))


def plural(count: float | str, forms: tuple[str, ...]) -> str:
    """The form that goes with a number: of two by the rule of English, of three by that of Russian (Unicode CLDR 48).

    count: may be written out with grouped thousands and either decimal sign.

    >>> [plural(count, ("run", "runs")) for count in (0, 1, 2, "1.0")]
    ['runs', 'run', 'runs', 'runs']
    >>> [plural(count, ("прогон", "прогона", "прогонов")) for count in (1, 2, 5, 11, 12, 21, "1 000", "1,5")]
    ['прогон', 'прогона', 'прогонов', 'прогонов', 'прогонов', 'прогон', 'прогонов', 'прогона']
    """
    digits = re.sub(r"\s", "", str(count)).lstrip("-−")
    whole = int(digits) if digits.isdecimal() else None
    if len(forms) == 2:
        return forms[0] if whole == 1 else forms[1]
    one, few, many = forms
    if whole is None:
        return few
    if whole % 10 == 1 and whole % 100 != 11:
        return one
    return few if whole % 10 in (2, 3, 4) and whole % 100 not in (12, 13, 14) else many


def pick_language(accept_language: str | None) -> str:
    """The first of our languages in an ``Accept-Language`` header (RFC 9110), English when there is none.

    >>> pick_language("de;q=0.9, ru-RU;q=0.8, en;q=0.7")
    'ru'
    >>> pick_language(None)
    'en'
    """
    weighted = []
    for index, part in enumerate((accept_language or "").split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weighted.append((-float(quality or 1), index, tag.lower().split("-")[0]))
        except ValueError:
            continue
    return next((tag for _, _, tag in sorted(weighted) if tag in LANGUAGES), "en")
