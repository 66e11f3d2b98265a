"""The browser of the tests and of README's pictures."""

from __future__ import annotations

import os
import shutil

NONE = "no Chromium: run `requirements/system.sh browser`, or name one in ARENA_CHROMIUM"


def chromium() -> str | None:
    """Where it is, None where there is none."""
    names = (os.environ.get("ARENA_CHROMIUM", "chromium"), "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)
