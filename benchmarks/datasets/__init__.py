"""Datasets: images with what is asked of them and what is known of the right answer, wherever they come from.

A layout is a file of this package with ``recognises(path)``, which only looks, ``load(path)`` and ``TURN``:
those who take only their own kind are asked first, those who take almost anything last. Nothing is downloaded.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import json
import pkgutil
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Protocol, cast

from benchmarks.datasets.items import Dataset, DatasetError, Item, Packed
from benchmarks.datasets.reading import listing

__all__ = ["COMMITTED", "Dataset", "DatasetError", "Item", "Packed", "available", "load_dataset", "sha256"]

COMMITTED = Path(__file__).parent.parent.parent / "assets" / "benchmark"  # ``sample`` is one of its folders


class Layout(Protocol):
    """How the files of a dataset lie."""

    TURN: int

    def recognises(self, path: Path) -> bool: ...
    def load(self, path: Path) -> Dataset: ...


def load_dataset(
    name_or_path: str | Path, *, limit: int | None = None, split: str = "", folders: Sequence[Path] = ()
) -> Dataset:
    """The dataset in a file or a folder, or the one with this name among `available`; a name goes before a path.

    limit: no more than its first so many items. split: only those of one part of it (the tag ``split``). Images are not
    opened: one that is missing or broken shows when it is asked for. Raises `DatasetError`.
    """
    listing.cache_clear()
    path = _path(name_or_path, folders)
    if limit is not None and limit < 1:
        raise DatasetError("limit", limit=limit)
    try:
        layout = next((each for each in layouts() if each.recognises(path)), None)
        if layout is None:
            raise DatasetError("layout", path=path)
        dataset = layout.load(path)
    except OSError as error:
        raise DatasetError("file", file=error.filename or path, problem=error.strerror or error) from error
    plain = dataset.items.plain if isinstance(dataset.items, Packed) else dataset.items
    twice = next((id for id, times in Counter(item.id for item in plain).items() if times > 1), None)
    if twice is not None:
        raise DatasetError("twice", path=path, id=twice)
    numbers: Sequence[int] = range(len(plain))
    if split:
        numbers = [number for number in numbers if plain[number].tags.get("split") == split]
        if not numbers:
            known = sorted({item.tags["split"] for item in plain if "split" in item.tags})
            raise DatasetError("split", split=split, known=", ".join(known) or "—")
    if not plain:
        raise DatasetError("empty", path=path)
    numbers = numbers[:limit]
    if isinstance(dataset.items, Packed):
        return replace(dataset, items=dataset.items.chosen(numbers))
    return replace(dataset, items=tuple(plain[number] for number in numbers))


def available(folders: Sequence[Path] = ()) -> list[str]:
    """The names of the datasets in the folders, after those that come with this program."""
    listing.cache_clear()
    names: dict[str, None] = {}
    for folder in (COMMITTED, *folders):
        entries = sorted(folder.iterdir()) if folder.is_dir() else []
        for path in entries:
            with suppress(OSError):  # of one that may not be read, the others are named all the same
                if not path.name.startswith(".") and any(layout.recognises(path) for layout in layouts()):
                    names[path.name] = None
    return list(names)


def sha256(dataset: Dataset) -> str:
    """What the dataset asks and holds true, as one number: ids, prompts, truths, tags and the bytes of all images in
    their order. Where its files lie and what it is called do not count. Reads every image.
    """
    total = hashlib.sha256()
    for item in dataset.items:
        asked = [item.id, item.page, item.task, item.language, item.prompt, dict(item.tags), item.truth.to_dict()]
        total.update(json.dumps([*asked, _image(item.image)], sort_keys=True).encode() + b"\n")
    return total.hexdigest()


@cache
def layouts() -> tuple[Layout, ...]:
    """Every layout there is, in the order in which they are asked."""
    names = [each.name for each in pkgutil.iter_modules(__path__) if each.name != "__main__"]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(sorted((cast(Layout, each) for each in modules if hasattr(each, "TURN")), key=lambda each: each.TURN))


def _path(name_or_path: str | Path, folders: Sequence[Path]) -> Path:
    name = str(name_or_path)
    if isinstance(name_or_path, str) and name not in ("", ".", "..") and not {"/", "\\", "\0"} & set(name):
        for folder in (COMMITTED, *folders):
            if (folder / name).exists():
                return folder / name
    path = Path(name).expanduser()
    if name and "\0" not in name and path.exists():
        return path
    known = available(folders)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
    raise DatasetError("unknown", name=name, hint=", ".join(close) or "—")


def _image(image: Path | bytes) -> str | None:
    """The hash of an image, None for a file that cannot be read."""
    if isinstance(image, bytes):
        return hashlib.sha256(image).hexdigest()
    try:
        with image.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
