"""How two texts differ, by words or by characters: stretches that are the same, wrong, missing or too much.

The fewest edits that turn one text into the other (Levenshtein 1966), so that without white space the counts are those
of CER and WER. Two texts of 100,000 characters with nothing in common take two seconds, and more is not compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import Levenshtein

MOST = 100_000  # characters of each text that are compared
SCALE = 200  # stretches at the most that what is all the same is told in, so that its places are known
Unit = Literal["words", "characters"]
Kind = Literal["same", "wrong", "missing", "extra"]
KINDS: dict[str, Kind] = {"equal": "same", "replace": "wrong", "delete": "missing", "insert": "extra"}
PIECES = {
    ("words", False): re.compile(r"(\S+)(\s*)"),
    ("words", True): re.compile(r"(\S+|\s)()"),
    ("characters", False): re.compile(r"(\s+|\S)()"),
    ("characters", True): re.compile(r"([\s\S])()"),
}


@dataclass(frozen=True)
class Stretch:
    """A piece of one text beside what the other has in its place.

    said, wanted: of the two texts. after, wanted_after: the white space that follows each, of no matter for the
    comparison. at: the place in the other text, in units. kind: ``missing`` is only in the other.
    """

    kind: Kind
    said: str
    after: str
    wanted: str
    wanted_after: str
    at: int

    @property
    def turned(self) -> Stretch:
        """As the other text sees it; the place stays that in the other text."""
        kinds: dict[Kind, Kind] = {"missing": "extra", "extra": "missing"}
        kind = kinds.get(self.kind, self.kind)
        return Stretch(kind, self.wanted, self.wanted_after, self.said, self.after, self.at)


@dataclass(frozen=True)
class Difference:
    """wrong, missing, extra: in units. units: of the other text. cut: whether one was too long to be compared whole."""

    stretches: tuple[Stretch, ...]
    wrong: int
    missing: int
    extra: int
    units: int
    cut: bool

    @property
    def count(self) -> int:
        return self.wrong + self.missing + self.extra

    @property
    def turned(self) -> tuple[Stretch, ...]:
        return tuple(stretch.turned for stretch in self.stretches)


@dataclass(frozen=True)
class Pieces:
    """A text in its units: what is compared, what is shown of it, and the white space after each."""

    sense: Sequence[str]
    shown: list[str]
    after: list[str]

    def text(self, start: int, end: int) -> tuple[str, str]:
        """The pieces of a stretch, and what follows the last of them."""
        if start == end:
            return "", ""
        inner = "".join(
            shown + after for shown, after in zip(self.shown[start:end], self.after[start:end], strict=True)
        )
        last = self.after[end - 1]
        return inner[: len(inner) - len(last)], last


def pieces(value: str, unit: Unit, spaces: bool) -> Pieces:
    """spaces: whether every kind and number of them counts. Otherwise all white space between two words is the same."""
    value = unicodedata.normalize("NFC", value[:MOST]).replace("\r\n", "\n")
    found = PIECES[unit, spaces].findall(value if spaces else value.strip())
    shown, after = [piece for piece, _ in found], [gap for _, gap in found]
    # A text of characters is compared much faster than a list of them.
    one_by_one = unit == "characters"
    sense = "".join(" " if not spaces and piece.isspace() else piece for piece in shown) if one_by_one else shown
    return Pieces(sense, shown, after)


def difference(said: str, wanted: str, unit: Unit = "words", spaces: bool = False) -> Difference:
    """What `said` has and lacks against `wanted`."""
    mine, theirs = pieces(said, unit, spaces), pieces(wanted, unit, spaces)
    counts: dict[Kind, int] = dict.fromkeys(KINDS.values(), 0)
    stretches = []
    longest = max(1, len(theirs.shown) // SCALE)
    # The hint makes it several times faster where little differs, and changes no result.
    for step in Levenshtein.opcodes(theirs.sense, mine.sense, score_hint=len(theirs.sense) // 20):
        kind = KINDS[step.tag]
        whole = max(step.src_end - step.src_start, step.dest_end - step.dest_start)
        counts[kind] += whole
        for start in range(0, whole, longest if kind == "same" else whole):
            end = min(start + longest, whole) if kind == "same" else whole
            here, there = step.dest_start + start, step.src_start + start
            stretches.append(
                Stretch(
                    kind,
                    *mine.text(here, min(step.dest_start + end, step.dest_end)),
                    *theirs.text(there, min(step.src_start + end, step.src_end)),
                    there,
                )
            )
    cut = max(len(said), len(wanted)) > MOST
    return Difference(tuple(stretches), counts["wrong"], counts["missing"], counts["extra"], len(theirs.shown), cut)
