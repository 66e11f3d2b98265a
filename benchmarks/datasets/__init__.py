"""Datasets: images with what is asked of them and what is known of the right answer, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.metrics.truth import Truth


@dataclass(frozen=True)
class Item:
    """One image and one question.

    id: unique in its dataset, and the same wherever it is read. image: a file, or the bytes of one. page: of a PDF,
    from 1. task: a name of `benchmarks/tasks`, "" for that of the benchmark. language: of the document, ISO 639-1
    or "". prompt: "" for the task's own in the item's language. tags: what the report groups by, such as ``kind``,
    ``degradation``, ``level``.
    """

    id: str
    image: Path | bytes
    truth: Truth = field(default_factory=Truth)
    page: int = 1
    task: str = ""
    language: str = ""
    prompt: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Items in their order. name: short, for tables. source, licence: as far as they are known, else ""."""

    name: str
    items: Sequence[Item]
    source: str = ""
    licence: str = ""
