"""Every text a user reads, by key and language: one YAML file a language, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
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
    """The text for `key` in `lang`, its ``{names}`` filled from `params`. Raises `KeyError` for an unknown key."""
    text = strings(lang if lang in LANGUAGES else "en")[key]
    return text.format(**params) if params else text


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
