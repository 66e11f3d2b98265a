"""LaTeX formulas as MathML of known elements only; what cannot be read is shown as it was written.

The library that reads LaTeX gives back whatever a formula asks for, addresses, styles and raw markup included. So its
tree is written out here, element by element, from a list of what MathML needs to show a formula.
"""

from __future__ import annotations

import html
import re
from xml.etree.ElementTree import Element

from arena.ui.render import text

ELEMENTS = {
    *("math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "mpadded"),
    *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mphantom", "menclose"),
    *("mmultiscripts", "mprescripts", "none"),
}
PARTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
# What an attribute may say: a word, a few of them, or a length of at most 9.99 of its unit.
WORD = re.compile(r"(?!.*url)[a-z-]{1,20}( [a-z-]{1,20}){0,20}")
LENGTH = re.compile(r"[+-]?\d?(\.\d{1,4})?(em|ex|pt|mu)")
COLOUR = re.compile(r"[a-zA-Z]{1,20}|#[0-9a-fA-F]{3,8}")
ATTRIBUTES = {
    **dict.fromkeys(
        ("display", "mathvariant", "stretchy", "fence", "form", "largeop", "movablelimits", "separator"), WORD
    ),
    **dict.fromkeys(
        ("columnalign", "rowlines", "columnlines", "displaystyle", "accent", "accentunder", "notation"), WORD
    ),
    **dict.fromkeys(("width", "height", "depth", "lspace", "rspace", "voffset", "mathsize", "minsize"), LENGTH),
    **dict.fromkeys(("maxsize", "linethickness", "rowspacing", "columnspacing"), LENGTH),
    "mathcolor": COLOUR,
    "scriptlevel": re.compile(r"[0-3]"),
}
DEFINES = re.compile(
    r"\\(def|[egx]def|let|(re)?newcommand|newenvironment|DeclareMathOperator|require|catcode|input|csname)"
)
ALIGNED = re.compile(r"\\(begin|end)\{(align|aligned|split|gathered|gather|equation|eqnarray|multline)\*?\}")
ENTITY = re.compile(r"&#?\w{1,10};")
LONGEST, DEEPEST, MOST = 4_000, 40, 3_000  # characters of a formula, levels and elements of its tree


def mathml(latex: str, block: bool) -> str:
    """A formula as safe MathML, or as code when it is not one. block: it has lines of its own."""
    shown = _converted(latex, block) or f"<code>{text(latex.strip())}</code>"
    return f'<span class="formula{" block" if block else ""}" dir="ltr">{shown}</span>'


def _converted(latex: str, block: bool) -> str:
    from latex2mathml.converter import Converter

    if len(latex) > LONGEST or DEFINES.search(latex):
        return ""
    source = ENTITY.sub(lambda found: html.unescape(found[0]), latex.strip())
    source = ALIGNED.sub(lambda found: "" if found[2] == "equation" else rf"\{found[1]}{{align*}}", source)
    try:
        tree = Converter(display="block" if block else "inline").convert_to_element(source)
        if sum(1 for _ in tree.iter()) > MOST:
            return ""
        return _written(tree)
    except Exception:  # noqa: BLE001 - the library raises whatever a broken formula leads it to
        return ""


def _written(node: Element, level: int = 0) -> str:
    """The tree as text. Raises `ValueError` for an element that is not listed, lies too deep or lacks a part."""
    if node.tag not in ELEMENTS or level > DEEPEST or len(node) != PARTS.get(node.tag, len(node)):
        raise ValueError(node.tag)
    said = "".join(
        f' {name}="{value}"'
        for name, value in node.attrib.items()
        if (rule := ATTRIBUTES.get(name)) and rule.fullmatch(value)
    )
    inner = text(html.unescape(node.text or "")) + "".join(_written(child, level + 1) for child in node)
    return f"<{node.tag}{said}>{inner}</{node.tag}>"
