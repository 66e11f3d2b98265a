"""``python -m arena serve``: the page, with the models in the mode that was asked for."""

from __future__ import annotations

import argparse
import gc
import os
from contextlib import closing
from dataclasses import replace

from arena import cli_public, cli_school
from arena.config import Settings
from arena.core import arena_of
from arena.public.opening import checked
from arena.public.retention import keeping


def run(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """Until told to end. Raises `ArenaError` when the address cannot be used, `ConfigError` for a
    link without a password."""
    gc.disable()  # all that is imported and built from here on stays; `serve` has the rest looked through
    from arena.server import serve

    names = ("host", "port", "mode")
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    asked = options.port is not None or os.environ.get("ARENA_PORT") or os.environ.get("GRADIO_SERVER_PORT")
    made = False
    if options.school or settings.school:
        made, settings = not settings.teacher_password, cli_school.prepared(settings, options.host)
    settings = checked(settings, share=options.share, days_set=bool(os.environ.get("ARENA_KEEP_DAYS")))

    def told(port: int) -> None:
        if settings.school:
            print(*cli_school.lines(settings, port, lang, made=made), sep="\n", flush=True)
        if settings.share:
            arena.link.start(port, cli_public.telling(lang))

    with (
        arena_of(replace(settings, **chosen)) as arena,
        keeping(arena.store, arena.images, arena.settings),
        closing(arena.link),
    ):
        serve(arena, arena.settings.host, arena.settings.port, any_port=not asked, told=told)
    return 0
