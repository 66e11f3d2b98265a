"""Formulas: how far the LaTeX of an answer is from the right one once spellings that look the same are made one."""

from __future__ import annotations

import re

from rapidfuzz.distance import Levenshtein

from benchmarks.metrics import metric
from benchmarks.metrics.latex import tokens

DELIMITER = re.compile(r"\$\$?|\\[\[\]()]|\\.", re.DOTALL)
MOST_CHARACTERS = 200_000  # of an answer; what comes after is not read
CLOSERS = {"$": "$", "$$": "$$", r"\[": r"\]", r"\(": r"\)"}


@metric("formula_edit", better="lower", against="formula", source="Deng et al. 2017 (im2latex); OmniDocBench")
def formula_edit(output: str, formula: str) -> float | None:
    r"""Edits of LaTeX tokens after `tokens`, per token of the longer formula: 0 is the same formula, 1 another.

    Of several formulas in an answer the nearest counts; an answer without ``$`` and the like is a formula as a whole.

    >>> formula_edit(r"The sum is $$\dfrac {a} {b} \le x_{1}$$", r"\frac ab \leq x_1")
    0.0
    >>> formula_edit("x^2 + y", "x^{2} - y")
    0.2
    """
    target = tokens(formula)
    output = output[:MOST_CHARACTERS]
    said = [tokens(each) for each in formulas(output) or [output]]
    return min(Levenshtein.normalized_distance(each, target) for each in said) if target else None


def formulas(text: str) -> list[str]:
    r"""What stands between ``$``, ``$$``, ``\(`` and ``\)``, ``\[`` and ``\]``, in the order of the text.

    >>> formulas(r"As $a$ grows, \[b = \$5\] falls.")
    ['a', 'b = \\$5']
    """
    found, opened = [], None
    for mark in DELIMITER.finditer(text):
        if opened is None:
            opened = mark if mark[0] in CLOSERS else None
        elif mark[0] == CLOSERS[opened[0]]:
            found.append(text[opened.end() : mark.start()])
            opened = None
    return [each for each in found if each.strip()]
