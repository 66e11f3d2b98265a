"""Model text as HTML that shows its structure: Markdown, tables and formulas, cleaned by an allow-list.

Everything that is neither plain text (`arena.ui.render.text`) nor made by our own code passes here on its way to the
page. What is left has no script, style, form, picture or identity of its own, reaches no other host by itself, and
cannot grow out of its box: each block stands alone in its writing direction, and depth, spans and length are bounded.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from functools import cache
from typing import Any

import nh3

from arena.strings import tr
from arena.ui.formula import mathml
from arena.ui.render import SHOWN, plain, shown, text

TABLE = {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "colgroup", "col"}
INLINE = {"b", "i", "em", "strong", "sub", "sup", "br", "u", "s", "del", "code"}
BLOCKS = {"p", "div", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "hr"}
TAGS = TABLE | INLINE | BLOCKS | {"span", "a"}
DROPPED = {"script", "style", "iframe", "math", "svg", "noscript", "title", "template", "textarea", "object"}
ALONE = {"p", "li", "td", "th", "caption", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"}
ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]{1,250}(:\d{1,5})?([/?#][!#-&(-;=?-Z_a-z~%\[\]]{0,1500})?")
SPAN = re.compile(r"[1-9]\d?")  # more columns than that are no table, and a browser that lays them out hangs
DEEPEST = 24
TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)[^>]*>")
VOID = {"br", "hr", "col"}
# Code is left alone; then formulas as models write them. Lengths are bounded so that no text takes long to search.
FORMULAS = re.compile(
    r"(?P<code>```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]{1,2000}`)"
    r"|(?<!\\)\$\$(?P<b1>[^$]{1,4000}?)\$\$"
    r"|(?<!\\)\\\[(?P<b2>(?:(?!(?<!\\)\\\[).){1,4000}?)\\\]"
    r"|(?P<b3>\\begin\{(?P<env>equation|align|gather|multline|eqnarray)(?P<star>\*?)\}.{1,4000}?"
    r"\\end\{(?P=env)(?P=star)\})"
    r"|(?<!\\)\\\((?P<i1>(?:(?!(?<!\\)\\\().){1,1000}?)\\\)"
    r"|(?<![\\$\w])\$(?![\s$])(?P<i2>[^$\n]{1,500}?)(?<![\s\\])\$(?![\w$])",
    re.DOTALL,
)


def markdown(value: str, lang: str = "", limit: int = SHOWN) -> str:
    """A model's Markdown, with HTML tables and LaTeX formulas in it, as safe HTML.

    Links lead to http and https alone and tell the other side nothing. limit: characters that are shown; with a
    `lang`, a note says how many are left out.
    """
    kept, left = shown(value, limit)
    html = _with_formulas(kept, lambda source: _clean(_markdown().render(source), TAGS))
    if not TAG.sub("", html).strip():  # nothing but markup that may not work here: then it is the answer
        html = f'<pre dir="auto">{text(kept)}</pre>' if kept.strip() else ""
    note = f'<p class="cut">{text(tr("safe.cut", lang, count=left))}</p>' if left and lang else ""
    return html + note


def table_html(value: str, limit: int = SHOWN) -> str:
    """A table that a model wrote as HTML, with nothing in it but a table's parts, inline emphasis and formulas."""
    return _with_formulas(shown(value, limit)[0], lambda source: _clean(source, TABLE | INLINE))


def _with_formulas(value: str, rendered: Callable[[str], str]) -> str:
    """`rendered` of a text whose formulas stand aside meanwhile, under names that nobody can guess."""
    nonce = f"F{secrets.token_hex(8)}F"
    formulas: list[str] = []

    def aside(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        block = found["b1"] or found["b2"] or found["b3"]
        formulas.append(mathml(block or found["i1"] or found["i2"], bool(block)))
        return f"{nonce}{len(formulas) - 1}X"

    html = rendered(FORMULAS.sub(aside, plain(value)))
    # No attribute can hold a name: spans are two digits, and an address with one is no link (see `_attribute`).
    return re.sub(rf"{nonce}(\d+)X", lambda found: formulas[int(found[1])], html)


@cache
def _markdown() -> Any:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": DEEPEST}).enable(["table", "strikethrough"])
    # A picture from elsewhere would tell its server who reads this: its description is shown instead.
    parser.add_render_rule("image", lambda self, tokens, index, options, env: f"▧ {text(tokens[index].content)}")
    return parser


def _attribute(tag: str, name: str, value: str) -> str | None:
    """What the text itself may say in an attribute; the others are set by `_clean`."""
    if name == "href":
        return value if ADDRESS.fullmatch(value) and not re.search(r"F[0-9a-f]{16}F", value) else None
    return None if name in ("colspan", "rowspan") and not SPAN.fullmatch(value) else value


def _clean(value: str, tags: set[str]) -> str:
    """HTML reduced to `tags`, balanced, no deeper than `DEEPEST`."""
    html = nh3.clean(
        value,
        tags=tags,
        attributes={"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        attribute_filter=_attribute,
        set_tag_attribute_values={
            **{tag: {"dir": "auto"} for tag in ALONE & tags},
            **({"a": {"target": "_blank"}} if "a" in tags else {}),
        },
        clean_content_tags=DROPPED,
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
    level = 0

    def flat(found: re.Match[str]) -> str:
        nonlocal level
        if found[2] in VOID:
            return found[0]
        level -= bool(found[1])
        kept = level < DEEPEST
        level += not found[1]
        return found[0] if kept else ""

    return TAG.sub(flat, html)
