"""What a dataset is made of, and the one error that reading it raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

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


class DatasetError(Exception):
    """What is wrong with a dataset: `key` names the text in the string files, under ``datasets.``; `params` fill it."""

    def __init__(self, key: str, **params: Any) -> None:
        self.key = key
        self.params = params
        super().__init__(f"{key}: {', '.join(f'{name}={value}' for name, value in params.items())}")


Place = tuple[Path, int]  # a file, and a row in it from 0


class Packed(Sequence[Item]):
    """Items whose images lie within larger files: each image is read when its item is asked for, and not kept.

    plain: the same items with nothing in place of the image. places: where each of their images lies.
    """

    def __init__(self, plain: Sequence[Item], places: Sequence[Place], read: Callable[[Place], bytes]) -> None:
        self.plain = plain
        self._places = places
        self._read = read

    def __len__(self) -> int:
        return len(self.plain)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Packed: ...
    def __getitem__(self, index: int | slice) -> Item | Packed:
        if isinstance(index, slice):
            return self.chosen(range(len(self.plain))[index])
        return replace(self.plain[index], image=self._read(self._places[index]))

    def chosen(self, numbers: Iterable[int]) -> Packed:
        """Those of the items, in this order."""
        kept = list(numbers)
        return Packed([self.plain[number] for number in kept], [self._places[number] for number in kept], self._read)
