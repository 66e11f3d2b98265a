"""What the layouts share: texts and JSON from files, and paths that never leave the folder of a dataset."""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.datasets.items import DatasetError

IMAGES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".pdf"))
MOST_LISTS = 50
PEEK = 1 << 16  # bytes by which a file is recognised
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_image(name: str) -> bool:
    """Whether a file of this name is a picture or a PDF."""
    return os.path.splitext(name)[1].lower() in IMAGES  # noqa: PTH122 - of 100,000 names, and a Path is slow to make


def text_of(path: Path) -> str:
    """A text in UTF-8, or in UTF-16 with its mark, as Windows writes it. Raises `DatasetError` for other bytes."""
    data = path.read_bytes()
    encoding = "utf-16" if data.startswith(UTF16) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DatasetError("encoding", place=f"{path.name}:{line}") from error


def json_of(path: Path) -> Any:
    """What a JSON file holds. Raises `DatasetError` with the place of the mistake."""
    return parsed(text_of(path), path.name)


def parsed(text: str, place: str) -> Any:
    """The JSON in a text of a file. place: the file, with the line in it where the text is one line of many."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{place}:{error.lineno}" if ":" not in place else place
        raise DatasetError("json", place=where, problem=error.msg) from error
    except (RecursionError, ValueError) as error:  # brackets without end, numbers of thousands of digits
        raise DatasetError("json", place=place, problem=error) from error


def entries(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects in a JSON file that is one list, each with its place. Raises `DatasetError` for anything else."""
    whole = json_of(path)
    for number, entry in enumerate(whole if isinstance(whole, list) else [whole]):
        place = f"{path.name}[{number}]"
        if not isinstance(entry, dict):
            raise DatasetError("object", place=place)
        yield place, entry


def lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects in a file of JSON lines, each with its place; empty lines are passed over."""
    for number, line in enumerate(text_of(path).split("\n"), start=1):
        if line.strip():
            place = f"{path.name}:{number}"
            entry = parsed(line, place)
            if not isinstance(entry, dict):
                raise DatasetError("object", place=place)
            yield place, entry


def beginning(path: Path) -> str:
    """The first characters of a file, "" where it cannot be read: enough to tell what it is."""
    try:
        with path.open("rb") as file:
            data = file.read(PEEK)
    except OSError:
        return ""
    return data.decode("utf-16" if data.startswith(UTF16) else "utf-8-sig", errors="replace")


@lru_cache(maxsize=100)
def listing(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the files that are no images, and of the folders, in a folder. Every layout asks for them, and a
    folder may have 100,000 files; who asks whether a folder changed clears this."""
    names: list[str] = []
    below: list[str] = []
    with os.scandir(folder) as found:
        for each in found:
            if not each.name.startswith(".") and not is_image(each.name):
                (below if each.is_dir() else names).append(each.name)
    return sorted(names), sorted(below)


def files(path: Path, *suffixes: str) -> list[Path]:
    """The path itself if it is such a file, else such files in the folder, by name."""
    if not path.is_dir():
        return [path] if path.suffix.lower() in suffixes and path.is_file() else []
    return [path / name for name in listing(path)[0] if name.lower().endswith(suffixes)]


def lists(path: Path, *suffixes: str) -> list[Path]:
    """`files` of which one may be the list of a dataset; none where there is one beside every image."""
    found = files(path, *suffixes)
    return found if len(found) <= MOST_LISTS else []


def folders(path: Path) -> list[Path]:
    """The folders in a folder, by name, without hidden ones."""
    return [path / name for name in listing(path)[1]] if path.is_dir() else []


def text_in(entry: dict[str, Any], field: str, place: str) -> str:
    """A text of an entry, "" where there is none. Raises `DatasetError` for what is no text or number."""
    value = entry.get(field, "")
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value is None:
        return ""
    raise DatasetError("field", place=place, field=field, value=json.dumps(value, ensure_ascii=False)[:80])


class Within:
    """Files of one dataset, by names that stand in it: none leads out of its folder, by whatever way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        home = os.path.realpath(folder)
        # A snapshot in the cache of Hugging Face consists of links to ../../blobs; all of it is that dataset.
        cached = re.fullmatch(r"(.*/datasets--[^/]+)/snapshots/[^/]+", home)
        self._home = cached[1] if cached else home
        self._folders: dict[str, tuple[bool, frozenset[str]]] = {}

    def file(self, name: str, place: str) -> Path:
        """The file of this name, which may be missing. Raises `DatasetError` when it would lie outside."""
        if "://" in name:
            raise DatasetError("address", place=place, image=name[:200])
        given = os.path.normpath(name.replace("\\", "/"))
        above, _, last = given.rpartition("/")
        absolute = given[0] == "/" or (given[1:3] == ":/" and given[0].isalpha())
        if absolute or "\0" in given or given.startswith("../") or given == ".." or not self._holds(above, last):
            raise DatasetError("outside", place=place, image=name[:200])
        return self.folder / given

    def _holds(self, above: str, last: str) -> bool:
        """Each folder is looked at once: a question about every one of 100,000 files takes longer than reading them."""
        if above not in self._folders:
            real = os.path.realpath(self.folder / above)
            try:
                with os.scandir(real) as found:
                    links = frozenset(each.name for each in found if each.is_symlink())
            except OSError:
                links = frozenset()
            self._folders[above] = self._below(real), links
        inside, links = self._folders[above]
        return self._below(os.path.realpath(self.folder / above / last)) if last in links else inside

    def _below(self, real: str) -> bool:
        return real == self._home or real.startswith(self._home.rstrip("/") + "/")


def beside(folder: Path, names: Iterable[str]) -> str:
    """The folder within `folder` to which the names of images are relative, as a prefix; "" for itself or if unknown.

    Public sets name their images without the folder into which they are unpacked. The first names decide.
    """
    some = [name for name in islice(names, 3) if name and not name.startswith(("/", ".."))]
    below = sorted((each.name for each in folders(folder)), key=lambda name: name != "images")
    for prefix in ("", *(f"{name}/" for name in below)):
        if any((folder / f"{prefix}{name}").is_file() for name in some):
            return prefix
    return ""
