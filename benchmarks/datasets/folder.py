"""A folder of images and PDFs, each with its truth beside it: ``name.png`` and ``name.txt``.

``name.md`` is a reference too; ``name.json`` holds any field of a manifest, so every part of a truth. Sub-folders are
the tag ``folder``. The pages of ``name.pdf`` have ``name.1.txt``, ``name.2.txt`` and so on; without, it is page 1.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.datasets.items import Dataset, DatasetError, Item
from benchmarks.datasets.reading import Within, is_image, json_of, text_of
from benchmarks.datasets.records import fields, item_of

TURN = 4
BESIDE = (".txt", ".md", ".json")


def recognises(path: Path) -> bool:
    return path.is_dir() and any(map(is_image, (name for _, names in _walk(path) for name in names)))


def load(path: Path) -> Dataset:
    within = Within(path)
    items: list[Item] = []
    for folder, names in _walk(path):
        beside: dict[tuple[str, str], str] = {}
        pages: dict[str, set[int]] = {}
        for name in names:
            stem, suffix = os.path.splitext(name)  # noqa: PTH122 - see `is_image`
            if suffix.lower() in BESIDE:
                beside[stem, suffix.lower()] = f"{folder}{name}"
                if numbered := re.fullmatch(r"(.+)\.([1-9]\d{0,5})", stem):
                    pages.setdefault(numbered[1], set()).add(int(numbered[2]))
        for name in filter(is_image, names):
            stem, suffix = os.path.splitext(name)  # noqa: PTH122
            asked = sorted(pages.get(stem, ())) if suffix.lower() == ".pdf" else []
            for page in asked or [0]:
                items.append(_item(within, folder, name, f"{stem}.{page}" if page else stem, page or 1, beside))
    return Dataset(path.resolve().name, tuple(items))


def _item(within: Within, folder: str, name: str, stem: str, page: int, beside: dict[tuple[str, str], str]) -> Item:
    written, marked, described = (beside.get((stem, suffix)) for suffix in BESIDE)
    record: dict[str, Any] = {"page": page}
    place = f"{folder}{name}"
    if described:
        whole = json_of(within.file(described, described))
        if not isinstance(whole, dict):
            raise DatasetError("object", place=described)
        record |= fields(whole, described)
        place = described
    if reference := written or marked:
        record.setdefault("reference", text_of(within.file(reference, reference)))
    if folder:
        record.setdefault("tags.folder", folder.rstrip("/"))
    id = f"{folder}{name}" if page == 1 else f"{folder}{name}#{page}"
    return item_of(record, within.file(f"{folder}{name}", f"{folder}{name}"), id, place)


def _walk(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Every folder, as a prefix of names within the dataset, with its files in order; hidden ones and links to folders
    are passed over."""
    ahead = [""]
    while ahead:
        below = ahead.pop()
        with os.scandir(path / below) as found:
            entries = sorted((each for each in found if not each.name.startswith(".")), key=lambda each: each.name)
        yield below, [each.name for each in entries if not each.is_dir()]
        ahead += [f"{below}{each.name}/" for each in reversed(entries) if each.is_dir(follow_symlinks=False)]
