"""Which words two texts do not share, as HTML: the differences are marked by shape and not by colour alone."""

from __future__ import annotations

import re

from rapidfuzz.distance import Indel

from arena.ui import render

WORD = re.compile(r"\s+|\w+|[^\w\s]")
MOST_WORDS = 6_000  # more take long and nobody reads them


def words(value: str) -> list[str]:
    """Words, signs and spaces; every kind of white space counts as one space or one line break."""
    found = WORD.findall(value.strip())
    return [("\n" if "\n" in word else " ") if word.isspace() else word for word in found]


def pieces(one: str, other: str) -> list[tuple[str, str]]:
    """The texts in stretches: equal pairs, and between them what each has instead; white space never differs."""
    mine, theirs = words(one)[:MOST_WORDS], words(other)[:MOST_WORDS]
    found: list[tuple[str, str]] = []
    changed = False
    for step in Indel.opcodes(_sense(mine), _sense(theirs)):
        pair = "".join(mine[step.src_start : step.src_end]), "".join(theirs[step.dest_start : step.dest_end])
        if step.tag == "equal":
            found.append(pair)
        elif changed:
            found[-1] = found[-1][0] + pair[0], found[-1][1] + pair[1]
        else:
            found.append(pair)
        changed = step.tag != "equal"
    return found


def _sense(found: list[str]) -> list[str]:
    return [" " if word.isspace() else word for word in found]


def against_other(one: str, other: str) -> str:
    """`one` as HTML with the words marked that `other` does not have in this place."""
    return "".join(
        render.text(mine) if same(mine, theirs) or not mine.strip() else _marked("mark", mine)
        for mine, theirs in pieces(one, other)
    )


def against_reference(answer: str, reference: str) -> str:
    """The answer as HTML with what the reference does not have underlined and what it lacks struck out."""
    html = []
    for wanted, said in pieces(reference, answer):
        if same(wanted, said):
            html.append(render.text(said))
            continue
        html.append(_marked("del", wanted) if wanted.strip() else "")
        html.append(_marked("ins", said) if said.strip() else said)
    return "".join(html)


def same(one: str, other: str) -> bool:
    """Whether two stretches say the same, however they are spaced."""
    return one.split() == other.split()


def _marked(tag: str, value: str) -> str:
    """The words in the tag, the space around them outside."""
    inner = value.strip()
    before, _, after = value.partition(inner)
    return f"{before}<{tag}>{render.text(inner)}</{tag}>{after}"
