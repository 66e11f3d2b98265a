"""The sets of pictures that a benchmark can be run on: those of the program and those in the data folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from arena import own_sets
from arena.config import Settings
from arena.errors import RunError
from arena.strings import tr
from benchmarks.datasets import COMMITTED, DatasetError, available, load_dataset

SAMPLE = "sample"  # the name of the set that is committed


def names(settings: Settings) -> list[str]:
    """By which they are chosen; their places on this machine stay here."""
    return available([settings.datasets])


def choices(found: Sequence[str], lang: str) -> list[tuple[str, str]]:
    """The sets as they are called on the page: the one that comes with the program in the visitor's language."""
    return [(tr("bench_panel.sample", lang) if name == SAMPLE else name, name) for name in found]


def count(name: str, settings: Settings) -> int:
    """How many items the set has. Raises `RunError` (``bad_input``) when it cannot be read."""
    path = next((folder / name for folder in (COMMITTED, settings.datasets) if (folder / name).exists()), None)
    if path is None:
        raise RunError("bad_input", key="bench_panel.pick.dataset")
    return _count(path, path.stat().st_mtime_ns)


def bring(files: Sequence[Path], settings: Settings) -> tuple[str, int]:
    """Keep what was uploaded as a set of the data folder: its name, and how many items it has. Raises `RunError`."""
    path = own_sets.keep(files, settings.datasets, _items)
    return path.name, _items(path)


@lru_cache(maxsize=200)
def _count(path: Path, changed: int) -> int:
    """changed: when the folder last was; what is counted once holds until then."""
    return _items(path)


def _items(path: Path) -> int:
    try:
        return len(load_dataset(path).items)
    except DatasetError as error:
        raise RunError("bad_input", str(error), key=f"datasets.{error.key}", **error.params) from error
