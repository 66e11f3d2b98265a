"""What an answer is held against: the truth about an image, and the parts of an answer that metrics look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

FactKind = Literal["present", "absent", "order", "cell", "formula"]


@dataclass(frozen=True)
class Region:
    """A part of a page: a rectangle in pixels of the image (x to the right, y down), its kind and its text.

    In a list, the order is the order of reading. kind: a layout category such as ``Table``, or ``line``. score: how
    sure the model was, 0 to 1, None where it does not say.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    kind: str = ""
    text: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Fact:
    """One thing that is either true of an answer or not, in the manner of olmOCR-bench.

    kind: ``present`` and ``absent`` look for `text`; ``order`` wants `text` before `after`; ``cell`` wants a table with
    a cell `text` whose `neighbours` (up, down, left, right, top_heading, left_heading) are as given; ``formula`` wants
    a formula equal to the LaTeX in `text`. max_diffs: edits that are forgiven. first_n, last_n: look only in so many
    characters at the beginning or the end of the answer.
    """

    kind: FactKind
    text: str
    after: str = ""
    max_diffs: int = 0
    case_sensitive: bool = True
    first_n: int | None = None
    last_n: int | None = None
    neighbours: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Truth:
    """What is known of the right answer; each part may be missing, and is then not measured.

    text: the whole right text. answers: every wording of an answer to a question that counts as right. table: HTML.
    formula: LaTeX. regions: of the page in the order of reading. facts: see `Fact`.
    """

    text: str | None = None
    answers: tuple[str, ...] = ()
    table: str | None = None
    formula: str | None = None
    regions: tuple[Region, ...] = ()
    facts: tuple[Fact, ...] = ()

    @property
    def shown(self) -> str | None:
        """The truth as text for people: what stands as the reference in a row."""
        return next(filter(None, (self.text, "\n".join(self.answers), self.table, self.formula)), None)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, without the parts that are missing."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Truth:
        """Raises `TypeError` for a part there is not."""
        given = dict(data)
        for name, kind in (("regions", Region), ("facts", Fact)):
            if name in given:
                given[name] = tuple(kind(**each) for each in given[name])
        if "answers" in given:
            given["answers"] = tuple(given["answers"])
        return cls(**given)


@dataclass(frozen=True)
class Said:
    """What a model answered: its text, and the regions where it gave some."""

    text: str = ""
    regions: tuple[Region, ...] = ()


def names() -> tuple[str, ...]:
    """The parts of a truth."""
    return tuple(part.name for part in fields(Truth))
