"""Facts about a page that an answer gets right or not, in the manner of olmOCR-bench (Poznanski et al. 2025).

White space, emphasis in Markdown or HTML, typographic quotes and dashes, and Unicode's forms make no difference.
``present`` and ``absent`` look for the best place with rapidfuzz's partial ratio, which must reach 1 - max_diffs /
length of the text. ``order`` wants an occurrence, with at most max_diffs edits, that begins before one of the other
text. ``cell`` compares cells whole with the plain ratio, never below one half; its heading is any heading cell on the
way to the edge, or else the cell at the edge. ``formula`` compares LaTeX tokens (see `latex`), where the original
compares drawn glyphs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from benchmarks.metrics import metric
from benchmarks.metrics.formulas import formulas
from benchmarks.metrics.grids import Grid
from benchmarks.metrics.latex import tokens
from benchmarks.metrics.table_reading import MOST_CHARACTERS, tables
from benchmarks.metrics.truth import Fact, FactKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ASCII = str.maketrans(dict(zip("‘’‚“”„＿–—‑‒−\u00b5", "'''\"\"\"_-----\u03bc", strict=True)))
EMPHASIS = re.compile(r"(\*\*|__|\*|_)(.*?)\1")
TAGS = re.compile(r"</?[bi]>|(<br ?/?>)")
MOST_LOOKED_THROUGH = 40_000_000  # characters times characters, for the partial ratio; a second at its worst


@metric("facts_true", better="higher", against="facts", source="Poznanski et al. 2025 (olmOCR-bench)")
def facts_true(output: str, facts: Sequence[Fact]) -> float:
    """Share of the facts that hold of the answer.

    >>> facts = [Fact("present", "Total: 7"), Fact("absent", "page 3"), Fact("order", "Total", after="paid")]
    >>> facts_true("Paid in cash. **Total:** 7", facts)
    0.6666666666666666
    """
    output = output[:MOST_CHARACTERS]
    return sum(HOLDS[fact.kind](output, fact) for fact in facts) / len(facts)


def plain(text: str) -> str:
    """The text without what makes no difference.

    >>> plain("**bold** and _slanted_ “quotes” – 5<br>µm")
    'bold and slanted "quotes" - 5 μm'
    """
    text = TAGS.sub(lambda tag: " " if tag[1] else "", text)
    for _ in range(2):  # italics within bold
        text = EMPHASIS.sub(r"\2", text)
    return unicodedata.normalize("NFC", " ".join(text.split())).translate(ASCII)


# Many facts are asked of one answer.
_said = lru_cache(maxsize=2)(plain)


@lru_cache(maxsize=2)
def _grids(output: str) -> list[Grid]:
    return [Grid(table) for table in tables(output)]


def present(output: str, fact: Fact) -> bool:
    """Whether the text of a fact stands somewhere in the part of the answer where the fact wants it.

    >>> present("The quick brown f0x", Fact("present", "brown fox", max_diffs=1, last_n=10))
    True
    """
    said, wanted = _said(output), plain(fact.text)
    if not fact.case_sensitive:
        said, wanted = said.lower(), wanted.lower()
    if fact.first_n or fact.last_n:
        said = said[: fact.first_n or 0] + (said[-fact.last_n :] if fact.last_n else "")
    if wanted in said:
        return True
    if not fact.max_diffs or len(said) < len(wanted) - fact.max_diffs:
        return False
    if len(said) * len(wanted) > MOST_LOOKED_THROUGH:
        return bool(len(beginnings(said, wanted, fact.max_diffs)))
    least = 100 * (1 - fact.max_diffs / len(wanted))
    return fuzz.partial_ratio(wanted, said, score_cutoff=max(0.0, least)) >= least


def absent(output: str, fact: Fact) -> bool:
    """Whether the text of a fact stands nowhere there."""
    return not present(output, fact)


def in_order(output: str, fact: Fact) -> bool:
    """Whether the text of a fact begins somewhere before a place where the other one begins.

    >>> in_order("2. one 1. two", Fact("order", "1.", after="2."))
    False
    """
    said, first, second = _said(output), plain(fact.text), plain(fact.after)
    if not fact.case_sensitive:
        said, first, second = said.lower(), first.lower(), second.lower()
    before, after = (beginnings(said, wanted, fact.max_diffs) for wanted in (first, second))
    return bool(len(before) and len(after) and before[0] < after[-1])


def beginnings(text: str, wanted: str, most: int) -> NDArray[np.int64]:
    """Where `wanted` begins in `text` with at most so many edits, and with no more than right beside.

    Sellers 1980, from the ends, a character of `wanted` at a time.

    >>> beginnings("on the mat, in the hat", "the cat", 1).tolist()
    [3, 15]
    """
    import numpy as np

    letters = np.array([ord(letter) for letter in reversed(text)], dtype=np.int64)
    places = np.arange(len(text) + 1)
    costs = np.zeros(len(text) + 1, dtype=np.int64)
    for count, letter in enumerate(reversed(wanted), 1):
        longer = costs + 1
        longer[1:] = np.minimum(longer[1:], costs[:-1] + (letters != ord(letter)))
        longer[0] = count
        costs = np.minimum.accumulate(longer - places) + places
    costs = costs[::-1]
    best = (costs <= most) & (costs <= np.append(costs[1:], most)) & (costs <= np.append(most, costs[:-1]))
    found: NDArray[np.int64] = np.nonzero(best)[0]
    return found


def has_cell(output: str, fact: Fact) -> bool:
    """Whether some table has a cell like that of a fact, with neighbours like the fact's.

    >>> sheet = "| year | sum |\\n|---|---|\\n| 2023 | 5 |\\n| 2024 | 7 |"
    >>> has_cell(sheet, Fact("cell", "7", neighbours={"up": "5", "left": "2024", "top_heading": "sum"}))
    True
    """

    def alike(wanted: str, cell: str) -> bool:
        one, two = plain(wanted), plain(cell)
        least = max(0.5, 1 - fact.max_diffs / max(1, len(one)))
        return fuzz.ratio(one, two) / 100 >= least

    for grid in _grids(output):
        for place, cell in enumerate(grid.cells):
            if alike(fact.text, cell.text) and all(
                any(alike(wanted, grid.cells[other].text) for other in grid.neighbours(place, where))
                for where, wanted in fact.neighbours.items()
                if wanted
            ):
                return True
    return False


def has_formula(output: str, fact: Fact) -> bool:
    """Whether the answer has a formula between ``$`` and the like that is the one of a fact, but for max_diffs tokens.

    >>> has_formula(r"So \\(x_{1} \\le 2\\).", Fact("formula", r"x_1 \\leq 2"))
    True
    """
    wanted = tokens(fact.text)
    return any(
        Levenshtein.distance(tokens(each), wanted, score_cutoff=fact.max_diffs) <= fact.max_diffs
        for each in formulas(output)
    )


HOLDS: dict[FactKind, Callable[[str, Fact], bool]] = {
    "present": present,
    "absent": absent,
    "order": in_order,
    "cell": has_cell,
    "formula": has_formula,
}
