"""HTML of our own: documents with one beginning, and any text that a model, a file or a visitor made as just a text."""

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


def document(title: str, lang: str, policy: str, head: str, body: str) -> str:
    """A document that stands alone. policy: what it may load. head: further elements of it, and body, are HTML."""
    return f"""<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text(title)}</title>
{head}
</head>
<body>{body}</body>
</html>
"""


def plain(value: str) -> str:
    """The text with a visible mark for every character that shows nothing and does something."""
    return INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", value)
