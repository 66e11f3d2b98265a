"""The only way from a text that a model, a file or a visitor made to HTML: escaped, or cleaned by an allow-list.

Everything else in `arena.ui` builds HTML from these functions' results and from our own string files.
"""

from __future__ import annotations

import html
import re
from functools import cache

import nh3

TAGS = {
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "colgroup", "col"),
    *("b", "i", "em", "strong", "sub", "sup", "br", "p", "div", "span", "ul", "ol", "li"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "code", "pre", "blockquote", "hr", "del"),
}
ATTRIBUTES = {tag: {"colspan", "rowspan"} for tag in ("td", "th")}
DROPPED = {"script", "style", "iframe", "math", "svg", "noscript", "title", "template"}
SHOWN = 20_000  # characters of an answer on the page; the rest is a download away
INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def text(value: object) -> str:
    """Any text as HTML that shows it. Control and direction characters become a visible mark.

    >>> text("<b>&'")
    '&lt;b&gt;&amp;&#x27;'
    """
    return html.escape(INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", str(value)))


def shown(value: str, limit: int = SHOWN) -> tuple[str, int]:
    """What of a long text is shown, and how many characters are left out."""
    return value[:limit], max(0, len(value) - limit)


@cache
def _markdown():  # type: ignore[no-untyped-def]
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True, "maxNesting": 20}).enable("table").disable("image")


def markdown(value: str) -> str:
    """A model's Markdown, HTML tables included, as safe HTML: no link, image, style, script or form is left."""
    return clean(_markdown().render(shown(value)[0]))


def clean(value: str) -> str:
    """HTML reduced to the structure of a text."""
    return nh3.clean(
        value, tags=TAGS, attributes=ATTRIBUTES, clean_content_tags=DROPPED, link_rel=None, strip_comments=True
    )
