"""A dataset of Hugging Face that lies on this machine: published in Parquet, or saved with ``save_to_disk``.

Columns with the names of a manifest's fields are read, others passed over. Splits become the tag ``split``, subsets the
tag ``subset``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.datasets.items import Dataset, DatasetError, Item, Packed, Place
from benchmarks.datasets.records import field_of, item_of
from benchmarks.datasets.rows import Images, Shard, columns, has_rows, image_column, records, shards

TURN = 3
Made = Callable[[dict[str, Any], str, str], Item]  # of a row, an id and the place in the file


FIELDS = ("prompt", "reference", "answers", "table", "formula", "language", "task", "split")


def recognises(path: Path) -> bool:
    return has_rows(path)


def load(path: Path) -> Dataset:
    return Dataset(path.resolve().name if path.is_dir() else path.stem, packed(shards(path), _item, _field))


def packed(parts: list[Shard], made: Made, wanted: Callable[[str], object]) -> Packed:
    """The rows of all files as items, by `made`, from the columns that are `wanted`, with the tags of their part."""
    items: list[Item] = []
    places: list[Place] = []
    counts: Counter[str] = Counter()
    images = image_column(parts[0]) if parts else ""
    if images is None:
        raise DatasetError("no_image_column", file=parts[0].file.name, columns=", ".join(columns(parts[0])))
    for shard in parts:
        part = {f"tags.{name}": value for name, value in (("split", shard.split), ("subset", shard.subset)) if value}
        prefix = "".join(f"{value}/" for value in part.values())
        for row, record in enumerate(records(shard, [name for name in columns(shard) if wanted(name)])):
            items.append(made(part | record, f"{prefix}{counts[prefix]}", f"{shard.file.name}[{row}]"))
            places.append((shard.file, row))
            counts[prefix] += 1
    return Packed(items, places, Images(images))


def _field(name: str) -> str | None:
    field = field_of(name)
    return field if field and (field in FIELDS or field.startswith("tags.")) else None


def _item(record: dict[str, Any], id: str, place: str) -> Item:
    given: dict[str, Any] = {}
    for name, value in record.items():
        if (field := _field(name)) and value is not None:
            given.setdefault(field, value)
    return item_of(given, b"", id, place)
