"""Builds the app from the settings and serves it: ``python app.py [--host ADDRESS] [--port NUMBER]``.

Also the entry point of a Hugging Face Space. Without a port being asked for, the next free one is taken when the
usual one is not.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace

from arena.config import load_settings
from arena.errors import ArenaError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--host", help="address to listen on; 127.0.0.1 by default, 0.0.0.0 for everybody")
    parser.add_argument("--port", type=int, help="port to listen on; by default 7860 or the next free one")
    options = parser.parse_args()
    asked = options.port is not None or os.environ.get("ARENA_PORT") or os.environ.get("GRADIO_SERVER_PORT")
    try:
        settings = load_settings()
        settings = replace(
            settings,
            host=settings.host if options.host is None else options.host,
            port=settings.port if options.port is None else options.port,
        )
        from arena.core import arena_of
        from arena.server import serve

        with arena_of(settings) as arena:
            serve(arena, settings.host, settings.port, any_port=not asked)
    except ArenaError as error:
        from arena.cli import terminal_language

        print(error.text(terminal_language()), file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
