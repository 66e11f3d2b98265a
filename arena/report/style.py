"""What the document brings along so that it needs nothing else: its style, its small script, its security policy."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from functools import cache

from arena.ui.shell import asset

DARK = re.compile(r"^\.dark \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)


@cache
def style() -> str:
    """The page's style sheet and that of the report. Without a class on the document it is dark where the system is."""
    look = asset("theme.css")
    found = DARK.search(look)
    if found is None:
        raise LookupError("theme.css has no colours for the dark theme")
    night = found[1]
    dark = (
        f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{\n{night}}} }}\n"
        f"@media screen {{ :root[data-theme=dark] {{\n{night}}} }}\n"
    )
    return look + dark + asset("report.css")


@cache
def script() -> str:
    return asset("report.js")


def policy(own_server: bool) -> str:
    """Nothing comes from elsewhere and no script runs but ours. own_server: the image and forms are the server's."""
    digest = b64encode(hashlib.sha256(script().encode()).digest()).decode()
    images = "data: 'self'" if own_server else "data:"
    forms = "'self'" if own_server else "'none'"
    return (
        f"default-src 'none'; img-src {images}; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        f"base-uri 'none'; form-action {forms}"
    )
