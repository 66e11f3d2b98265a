"""What has to be so before strangers are let in: a password that is one. Told in both languages, with what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arena.config import Settings
from arena.errors import ConfigError
from arena.passwords import MARK, is_hash
from arena.strings import tr

SHORTEST = 8  # characters of a password that a public link has
PARAMS: dict[str, Any] = {"least": SHORTEST}
KEPT_DAYS = 7.0  # with a public link, unless something else is said


class NotReady(ConfigError):
    """The problems by their keys, so that they can be told in any language."""

    def __init__(self, keys: list[str]) -> None:
        self._keys = keys
        super().__init__([tr(key, **PARAMS) for key in keys])

    def text(self, lang: str = "en") -> str:
        return tr("errors.config", lang, problems="\n".join(f"- {tr(key, lang, **PARAMS)}" for key in self._keys))


def checked(settings: Settings, *, share: bool = False, days_set: bool = True) -> Settings:
    """The settings with which the page may open. share: a public link is asked for. days_set: it was said how long
    things are kept.

    Raises `ConfigError` for a public link without a password, or with one that is guessed at once, and for what begins
    as a hash and is none.
    """
    if share and not settings.share:
        settings = replace(settings, share=True, keep_days=settings.keep_days if days_set else KEPT_DAYS)
    passwords = {"password": settings.password, "teacher": settings.teacher_password}
    problems = [
        f"public.not_a_hash.{name}"
        for name, given in passwords.items()
        if given.startswith(f"{MARK}:") and not is_hash(given)
    ]
    if settings.share and not settings.password:
        problems.append("public.no_password")
    for name, given in passwords.items():
        if settings.share and given and len(given) < SHORTEST:
            problems.append(f"public.short.{name}")
    if problems:
        raise NotReady(problems)
    return settings
