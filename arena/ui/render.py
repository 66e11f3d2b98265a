"""Any text that a model, a file or a visitor made as HTML that shows just that text.

Everything in `arena.ui` builds HTML from this, from `arena.ui.safe_html` and from our own string files.
"""

from __future__ import annotations

from arena.markup import INVISIBLE, plain, text

__all__ = ["INVISIBLE", "SHOWN", "plain", "shown", "text"]

SHOWN = 20_000  # characters of an answer on the page; the rest is a download away


def shown(value: str, limit: int = SHOWN) -> tuple[str, int]:
    """What of a long text is shown, and how many characters are left out."""
    return value[:limit], max(0, len(value) - limit)
