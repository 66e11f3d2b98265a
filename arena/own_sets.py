"""A set of one's own, uploaded: a ZIP or loose files become a folder of the data folder; all else stays out.

A ZIP says of itself what it likes: only what is really read counts against the limits, nothing is written outside a
fresh folder, links and kinds of files that no dataset has are left out, and a set that cannot be read leaves nothing.
"""

from __future__ import annotations

import lzma
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from arena.errors import RunError
from benchmarks.datasets.reading import IMAGES

LISTS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
WORDS = (*LISTS, ".txt", ".md")
MOST_FILES = 20_000
MOST_BYTES = 2 * 10**9  # of all files of a set together, unpacked
PIECE = 1 << 20
LONGEST = 60  # characters of a set's name
UTF8 = 0x800  # the flag of a ZIP's entry whose name is in UTF-8
Check = Callable[[Path], object]


def keep(files: Sequence[Path], folder: Path, check: Check) -> Path:
    """Unpack or copy `files` into a new folder within `folder`, and return it.

    files: one ZIP, or images with texts or a manifest beside them. check: called with the folder before it gets its
    name; what it raises is raised, and nothing stays. Raises `RunError` (``bad_input``, ``storage``) for a ZIP that
    cannot be read, is protected or too large, and for files without any image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archives = [file for file in files if zipfile.is_zipfile(file)]
    first = archives[0] if archives else next((file for file in files if file.suffix.lower() in LISTS), None)
    with _fresh(folder) as place:
        if archives:
            for archive in archives:
                _unpack(archive, place)
        else:
            _copy(files, place)
        if not any(path.suffix.lower() in IMAGES for path in place.rglob("*")):
            raise RunError("bad_input", key="bench_panel.own.no_images")
        check(place)
        return place.rename(_free(folder, first.stem if first else "own"))


@contextmanager
def _fresh(folder: Path) -> Iterator[Path]:
    """A hidden folder that is gone in the end unless it was renamed."""
    place = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder))
    place.chmod(0o755)
    try:
        yield place
    except OSError as error:
        raise RunError("storage", str(error), key="bench_panel.own.disk", why=error.strerror or "") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _unpack(archive: Path, place: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            wanted = [(entry, path) for entry in opened.infolist() if (path := safe_path(entry)) is not None]
            if len(wanted) > MOST_FILES:
                raise RunError("bad_input", key="bench_panel.own.many", most=MOST_FILES)
            roots = {path.parts[0] for _, path in wanted if len(path.parts) > 1}
            alone = len(roots) == 1 and all(len(path.parts) > 1 for _, path in wanted)
            left = MOST_BYTES
            for entry, path in wanted:
                if entry.flag_bits & 1:
                    raise RunError("bad_input", key="bench_panel.own.protected")
                inside = PurePosixPath(*path.parts[1:]) if alone else path
                with opened.open(entry) as source:
                    left = _write(source, place / inside, left)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, RuntimeError) as error:
        raise RunError("bad_input", str(error), key="bench_panel.own.broken") from error


def safe_path(entry: zipfile.ZipInfo) -> PurePosixPath | None:
    """Where the entry may lie within the set, None for what stays out: folders, links, hidden files, other kinds of
    files, and every name that leads out of the set.

    >>> [str(safe_path(zipfile.ZipInfo(name))) for name in ("a/1.PNG", "../1.png", "/1.png", "a/./../../1.txt")]
    ['a/1.PNG', 'None', 'None', 'None']
    >>> [safe_path(zipfile.ZipInfo(name)) for name in ("C:/1.png", ".x/1.png", "__MACOSX/1.png", "a.exe")]
    [None, None, None, None]
    """
    kind = stat.S_IFMT(entry.external_attr >> 16)
    path = PurePosixPath(_name(entry).replace("\\", "/"))
    odd = any(part.startswith((".", "__MACOSX")) or ":" in part or not part.isprintable() for part in path.parts)
    plain = not entry.is_dir() and kind in (0, stat.S_IFREG) and not path.is_absolute()
    return path if plain and not odd and path.suffix.lower() in IMAGES.union(WORDS) else None


def _name(entry: zipfile.ZipInfo) -> str:
    """The name as whoever packed it saw it: without the flag of UTF-8 it is that, or of Russian Windows."""
    if entry.flag_bits & UTF8:
        return entry.filename
    try:
        written = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "cp866"):
        try:
            return written.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _write(source: IO[bytes], path: Path, left: int) -> int:
    """Copy what really comes; returns the bytes that may follow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while piece := source.read(PIECE):
            left -= len(piece)
            if left < 0:
                raise RunError("bad_input", key="bench_panel.own.large", most=MOST_BYTES // 10**9)
            file.write(piece)
    return left


def _copy(files: Sequence[Path], place: Path) -> None:
    for file in files:
        if file.suffix.lower() in IMAGES.union(WORDS):
            shutil.copyfile(file, place / file.name)


def _free(folder: Path, wanted: str) -> Path:
    """A folder that is not there yet, named after `wanted` as far as that is a plain name."""
    plain = re.sub(r"[^\w-]+", "-", wanted).strip("-_")[:LONGEST] or "own"
    number = 1
    while (path := folder / (plain if number == 1 else f"{plain}-{number}")).exists():
        number += 1
    return path
