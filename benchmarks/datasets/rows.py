"""Tables of Hugging Face, as published in Parquet or as saved to disk in Arrow: rows without their images, and the
image of a row when it is asked for. Read with pyarrow alone.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.datasets.items import DatasetError, Place
from benchmarks.datasets.reading import files, folders, json_of

COMMAND = "pip install -r requirements/bench.txt"
DEEPEST = 3  # folders above the shards: ``refs/convert/parquet`` has CONFIG/SPLIT/0000.parquet
SHARD = re.compile(r"(.+?)-\d{5}-of-\d{5}")
SPLITS = {"train": "train", "test": "test", "validation": "validation", "valid": "validation", "val": "validation"}


@dataclass(frozen=True)
class Shard:
    """One file of rows. split, subset: "" where the files do not say."""

    file: Path
    split: str = ""
    subset: str = ""


def has_rows(path: Path) -> bool:
    """Whether there are files of rows."""
    saved = (path / name for name in ("dataset_dict.json", "state.json"))
    return any(file.is_file() for file in saved) or next(_parquet(path, DEEPEST), None) is not None


def shards(path: Path) -> list[Shard]:
    """The files of rows in a folder, or the file itself. Raises `DatasetError` where what lists them is broken."""
    if (path / "dataset_dict.json").is_file():
        splits = [str(split) for split in _kept(path / "dataset_dict.json", "splits")]
        return [shard for split in splits if split == Path(split).name for shard in _saved(path / split, split)]
    if (path / "state.json").is_file():
        return _saved(path, "")
    return [_published(path, file) for file in _parquet(path, DEEPEST)]


def _saved(folder: Path, split: str) -> list[Shard]:
    """What `save_to_disk` has written: its state names the files in their order."""
    names = [str(each.get("filename")) for each in _kept(folder / "state.json", "_data_files")]
    # A name with folders in it does not come from `save_to_disk`.
    return [Shard(folder / name, split) for name in names if name == Path(name).name and name.endswith(".arrow")]


def _kept(file: Path, key: str) -> list[Any]:
    whole = json_of(file)
    if not isinstance(whole, dict) or not isinstance(whole.get(key), list):
        raise DatasetError("object", place=file.name)
    return list(whole[key])


def _parquet(path: Path, depth: int) -> Iterator[Path]:
    yield from files(path, ".parquet")
    for folder in folders(path) if depth else []:
        yield from _parquet(folder, depth - 1)


def _published(path: Path, file: Path) -> Shard:
    """By the rules of published sets: the split is the beginning of the file's name, or the folder it lies in."""
    folders = list(file.relative_to(path).parts[:-1]) if path.is_dir() else []
    numbered = SHARD.fullmatch(file.stem)
    split = numbered[1] if numbered else SPLITS.get(file.stem, "")
    if not split and folders:
        split = SPLITS.get(folders.pop(), "") if folders[-1] in SPLITS else ""
    return Shard(file, split, "/".join(folder for folder in folders if folder not in ("data", "default")))


def columns(shard: Shard) -> list[str]:
    """The names of the columns. Raises `DatasetError` for a file that cannot be read, or without pyarrow."""
    return list(_schema(shard).names)


def image_column(shard: Shard) -> str | None:
    """The column that holds images: by the features that the set declares, else by what is in it and its name."""
    schema = _schema(shard)
    declared = json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    for name in schema.names:
        if isinstance(declared.get(name), dict) and declared[name].get("_type") == "Image":
            return str(name)
    for field in schema:
        kind = str(field.type)
        if kind.startswith("struct<bytes: ") or (kind in ("binary", "large_binary") and "image" in field.name.lower()):
            return str(field.name)
    return None


def records(shard: Shard, wanted: list[str]) -> Iterator[dict[str, Any]]:
    """The rows with these columns, in order."""
    for batch in _batches(shard, wanted):
        yield from batch.to_pylist()


class Images:
    """Reads the image of a row; the rows around it stay at hand, since rows are asked for in their order."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._lock = threading.Lock()
        self._near: tuple[Path, int, Any] | None = None  # a file, the first row at hand, and the cells from there

    def __call__(self, place: Place) -> bytes:
        """The bytes of an image, none where the row has none. Raises `DatasetError` when the file cannot be read."""
        file, row = place
        with self._lock:
            if self._near is None or self._near[0] != file or not 0 <= row - self._near[1] < len(self._near[2]):
                self._near = (file, *self._cells(file, row))
            cell = self._near[2][row - self._near[1]].as_py()
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        return data if isinstance(data, bytes) else b""

    def _cells(self, file: Path, row: int) -> tuple[int, Any]:
        with _opening(file):
            if file.suffix == ".arrow":
                return 0, _mapped(file).column(self._column)
            from pyarrow.parquet import ParquetFile

            with ParquetFile(file) as opened:
                first = group = 0
                while row >= first + opened.metadata.row_group(group).num_rows:
                    first += opened.metadata.row_group(group).num_rows
                    group += 1
                return first, opened.read_row_group(group, columns=[self._column]).column(self._column)


def _batches(shard: Shard, wanted: list[str]) -> Iterator[Any]:
    with _opening(shard.file):
        if shard.file.suffix == ".arrow":
            yield from _mapped(shard.file).select(wanted).to_batches(max_chunksize=1000)
        else:
            from pyarrow.parquet import ParquetFile

            with ParquetFile(shard.file) as opened:
                yield from opened.iter_batches(batch_size=1000, columns=wanted)


def _schema(shard: Shard) -> Any:
    with _opening(shard.file):
        if shard.file.suffix == ".arrow":
            return _mapped(shard.file).schema
        from pyarrow.parquet import read_schema

        return read_schema(shard.file)


def _mapped(file: Path) -> Any:
    """An Arrow file as a table; its bytes stay on disk until they are looked at."""
    import pyarrow

    mapped = pyarrow.memory_map(str(file))
    try:
        return pyarrow.ipc.open_stream(mapped).read_all()
    except pyarrow.ArrowInvalid:
        return pyarrow.ipc.open_file(mapped).read_all()


@contextmanager
def _opening(file: Path) -> Iterator[None]:
    """What goes wrong with a file of rows, told as a `DatasetError`."""
    try:
        import pyarrow
    except ImportError as error:
        raise DatasetError("package", package="pyarrow", command=COMMAND) from error
    try:
        yield
    except (pyarrow.ArrowException, OSError, KeyError, IndexError) as error:
        raise DatasetError("file", file=file.name, problem=(str(error).splitlines() or [""])[0]) from error
