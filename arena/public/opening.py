"""What has to be so before strangers are let in: a password that is one. Told in both languages, with what to do."""

from __future__ import annotations

from dataclasses import replace

from arena.config import Settings
from arena.errors import ConfigError, Problem
from arena.passwords import MARK, is_hash

SHORTEST = 8  # characters of a password that a public link has
KEPT_DAYS = 7.0  # with a public link, unless something else is said


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
        raise ConfigError([Problem(key, {"least": SHORTEST}) for key in problems])
    return settings
