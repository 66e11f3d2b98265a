"""The lesson: pictures of the gallery in their order, and what a teacher reads to each, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from arena.strings import LANGUAGES

FILE = Path(__file__).parent.parent / "assets" / "lesson" / "lesson.yaml"


@dataclass(frozen=True)
class Words:
    """A step as the teacher reads it: what to look at, what to ask the class, what they should find out."""

    title: str
    look: tuple[str, ...]
    ask: tuple[str, ...]
    insight: str


@dataclass(frozen=True)
class Step:
    """One picture of the gallery with the models that show something on it. words: by language."""

    id: str
    sample: str
    task: str
    models: tuple[str, str]
    words: dict[str, Words]


@cache
def steps() -> tuple[Step, ...]:
    """The lesson, in its order."""
    found = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        Step(
            id=each["id"],
            sample=each["sample"],
            task=each["task"],
            models=tuple(each["models"]),
            words={
                lang: Words(said["title"], tuple(said["look"]), tuple(said["ask"]), said["insight"])
                for lang in LANGUAGES
                for said in [each[lang]]
            },
        )
        for each in found
    )
