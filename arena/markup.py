"""Any text that a model, a file or a visitor made as HTML that shows just that text: on the page and in reports."""

from __future__ import annotations

import html
import re

# Control characters, orders to change the writing direction, and halves of characters.
INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def text(value: object) -> str:
    """Any text as HTML that shows it. Control and direction characters become a visible mark.

    >>> text("<b>&'")
    '&lt;b&gt;&amp;&#x27;'
    """
    return html.escape(plain(str(value)))


def plain(value: str) -> str:
    """The text with a visible mark for every character that shows nothing and does something."""
    return INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", value)
