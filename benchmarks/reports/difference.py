"""An answer with what is wrong in it marked, word by word, against the right one."""

from __future__ import annotations

import re
from itertools import islice

from rapidfuzz.distance import Levenshtein

from arena.markup import text

PIECES = re.compile(r"\s+|[^\s]+")


def marked(answer: str, right: str) -> str:
    """HTML: ``ins`` for what is wrong or too much, ``del`` for what is missing or right instead. The fewest edits of
    words (Levenshtein 1966); white space is shown as the answer has it and never counts.

    >>> marked("one tvo <three>", "one two four")
    'one <del>two</del><ins>tvo</ins> <del>four</del><ins>&lt;three&gt;</ins>'
    >>> marked("b", "a b c")
    '<del>a</del> b <del>c</del>'
    """
    pieces = PIECES.findall(answer)
    words = [at for at, piece in enumerate(pieces) if not piece.isspace()]
    wanted = right.split()
    html: list[str] = []
    shown = 0
    for step in Levenshtein.opcodes(wanted, [pieces[at] for at in words]):
        missing = islice(wanted, step.src_start, step.src_end)
        if step.tag == "delete":
            struck = " ".join(f"<del>{text(word)}</del>" for word in missing)
            html.append(f" {struck}" if html else f"{struck} ")
            continue
        for at in words[step.dest_start : step.dest_end]:
            html.append("".join(map(text, pieces[shown:at])))
            said = text(pieces[at])
            instead = next(missing, None) if step.tag == "replace" else None
            before = "" if instead is None else f"<del>{text(instead)}</del>"
            html.append(said if step.tag == "equal" else f"{before}<ins>{said}</ins>")
            shown = at + 1
    return "".join(html) + "".join(map(text, pieces[shown:]))
