"""``python -m arena password`` and ``forget``, and what ``serve`` says of a public link."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable

from arena.config import Settings
from arena.errors import ArenaError
from arena.passwords import hashed
from arena.public.link import State
from arena.strings import tr
from arena.terminal import say


def password(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """Print the hash of a password that is typed without being shown, or comes through a pipe."""
    if sys.stdin.isatty():
        given = getpass.getpass(tr("public.cli.password", lang) + " ")
        if given != getpass.getpass(tr("public.cli.again", lang) + " "):
            raise ArenaError("public.cli.differs")
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise ArenaError("public.cli.empty")
    print(hashed(given))
    return 0


def forget(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """Delete what visitors left, of one of them or of all when it is old."""
    from arena.images import ImageStore
    from arena.public.retention import forget_older, forget_visitor
    from arena.store import Store

    store = Store(settings.database_url)
    images = ImageStore(settings.images)
    try:
        if options.visitor is not None:
            left = forget_visitor(store, images, options.visitor)
        else:
            left = forget_older(store, images, options.older_than)
    finally:
        images.close()
        store.close()
    say(left.text(lang))
    return 0


def telling(lang: str) -> Callable[[State], None]:
    """Says on the terminal what became of the link."""

    def told(state: State) -> None:
        until = f"{state.until:%Y-%m-%d %H:%M} UTC" if state.until else ""
        say(tr(f"public.link.terminal.{state.condition}", lang, url=state.url, until=until))

    return told
