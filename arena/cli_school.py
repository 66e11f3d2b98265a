"""School mode in the terminal: open to the class's network, a teacher's password, and where everybody goes."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

from arena.address import LOCAL, address_for, lan_addresses
from arena.config import Settings
from arena.errors import ArenaError
from arena.strings import tr

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a class is many machines
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when read from a screen


def prepared(settings: Settings, host: str | None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a class: the whole network may come unless an address was named, and there is a password.

    Raises `ArenaError` when a password would have to be made up and there is no terminal to show it on: what is not
    shown on one ends in a file."""
    named = host or environ.get("ARENA_HOST") or environ.get("GRADIO_SERVER_NAME")
    if not settings.teacher_password and not sys.stdout.isatty():
        raise ArenaError("lesson.terminal.no_terminal")
    return replace(
        settings,
        school=True,
        host=named or EVERYWHERE,
        teacher_password=settings.teacher_password or new_password(),
    )


def new_password() -> str:
    """60 bits, in three groups that can be typed."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def lines(settings: Settings, port: int, lang: str, *, made: bool) -> Iterator[str]:
    """What is said once the page is there. made: the password was made up for this run."""
    yield tr("lesson.terminal.open", lang)
    if settings.host in LOCAL[:3]:
        yield tr("lesson.terminal.alone", lang, host=settings.host)
    elif settings.host in LOCAL:
        found = lan_addresses()
        for each in found:
            yield tr("lesson.terminal.pupils", lang, address=address_for(f"{each}:{port}"))
        if not found:
            yield tr("lesson.terminal.nowhere", lang)
    else:
        yield tr("lesson.terminal.pupils", lang, address=address_for(f"{settings.host}:{port}"))
    yield tr("lesson.terminal.teacher", lang, address=f"http://localhost:{port}/")
    if made:
        yield tr("lesson.terminal.password", lang, password=settings.teacher_password)
        yield tr("lesson.terminal.own_password", lang)
