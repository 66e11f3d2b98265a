"""Uploads become stored images: one upright 8-bit RGB PNG each, under the hash of its own bytes.

Every model of a comparison is given the same file. Nothing of an upload but its pixels is kept: no EXIF, no
place, no colour profile, no text, no name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import struct
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena import decode
from arena.decoders import Decoders
from arena.errors import RunError
from arena.strings import tr

REMEMBERED = 256  # uploads whose picture is known without decoding them again
ABANDONED_S = 3600.0  # age of an unfinished file that a killed process has left


@dataclass(frozen=True)
class Notice:
    """Something the user should know of how an upload became a picture."""

    key: str
    params: dict[str, Any] = field(default_factory=dict)

    def text(self, lang: str = "en") -> str:
        return tr(self.key, lang, **self.params)


@dataclass(frozen=True)
class StoredImage:
    """An image in the store.

    sha256: of the file at `path`, an upright 8-bit RGB PNG of `width` × `height` pixels.
    original_width, original_height: as the upload has them, before it was turned upright; for a page of a PDF
        its size in pixels at 200 dpi.
    """

    sha256: str
    path: Path
    width: int
    height: int
    original_width: int
    original_height: int
    notices: tuple[Notice, ...] = ()


class ImageStore:
    """A folder of images. Any number of threads and programs may use one folder at a time."""

    def __init__(self, folder: Path, max_bytes: int = 50_000_000, max_pixels: int = 40_000_000) -> None:
        """`max_bytes`: of an upload. `max_pixels`: of an image; pages of a PDF are drawn smaller instead."""
        self.folder = folder.absolute()
        self.max_bytes = max_bytes
        self.max_pixels = max_pixels
        self._known: dict[tuple[str, int], StoredImage] = {}
        self._lock = threading.Lock()  # of _known
        self._decoders = Decoders(decode.DECODER_BUSY) if sys.platform == "linux" else None
        for part in self.folder.glob("*.part"):
            with suppress(OSError):
                if time.time() - part.stat().st_mtime > ABANDONED_S:
                    part.unlink()

    def add(self, source: Path | str | bytes, page: int = 1) -> StoredImage:
        """The picture in a file (or in its bytes), stored; `page` of a PDF counts from 1.

        Raises `RunError`: ``bad_input`` for a file that cannot be used, ``storage`` when it cannot be saved.
        """
        data = self._read(source)
        upload = hashlib.sha256(data).hexdigest(), page
        with self._lock:
            known = self._known.get(upload)
        if known and known.path.is_file():
            return known
        try:
            stored = self._store(data, page)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            key = "images.disk_full" if full else "images.not_writable"
            raise RunError("storage", key=key, folder=self.folder) from error
        with self._lock:
            self._known[upload] = stored
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]
        return stored

    def pages(self, source: Path | str | bytes) -> int:
        """Number of pages of a PDF, 1 for everything else. Raises `RunError` for a PDF that cannot be opened."""
        return decode.page_count(self._read(source), self._decoders)

    def put(self, sha256: str, png: bytes) -> None:
        """Take an image over from another store. Raises `RunError` (``storage``) when it cannot be saved."""
        path = self._path(sha256)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(suffix=".part", dir=self.folder)
            with os.fdopen(handle, "wb") as part:
                part.write(png)
            Path(name).replace(path)
        except OSError as error:
            raise RunError("storage", key="images.not_writable", folder=self.folder) from error

    def get(self, sha256: str) -> StoredImage | None:
        """The image with this hash, None when there is none. The size of its upload is not kept: it is given as
        the image's own."""
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            return None
        path = self._path(sha256)
        try:
            with path.open("rb") as file:
                width, height = struct.unpack(">II", file.read(24)[16:])  # the header of a PNG
        except (OSError, struct.error):
            return None
        return StoredImage(sha256, path, width, height, width, height)

    def close(self) -> None:
        """End what decodes; it comes back when asked again."""
        if self._decoders:
            self._decoders.close()

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / f"{sha256}.png"

    def _read(self, source: Path | str | bytes) -> bytes:
        if isinstance(source, bytes):
            data, size = source, len(source)
        else:
            source = Path(source)
            try:
                if not source.is_file():  # a pipe or a device would never end
                    raise FileNotFoundError(source)
                size = source.stat().st_size
                with source.open("rb") as file:
                    data = file.read(self.max_bytes + 1)
            except (OSError, ValueError) as error:
                raise RunError("bad_input", key="images.no_file", name=source.name) from error
        size = max(size, len(data))
        if size > self.max_bytes:
            raise RunError(
                "bad_input",
                key="images.too_many_bytes",
                size=f"{size:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"),
                limit=f"{self.max_bytes / 1e6:g}",
            )
        return data

    def _store(self, data: bytes, page: int) -> StoredImage:
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self.folder)
        os.close(handle)
        part = Path(name)
        try:
            made = decode.picture(data, part, page, self.max_pixels, warm=self._decoders)
            path = self._path(made["sha256"])
            path.parent.mkdir(exist_ok=True)
            part.replace(path)  # also over the same image, which may have been damaged meanwhile
        finally:
            part.unlink(missing_ok=True)
        notices = tuple(Notice(key, params) for key, params in made.pop("notices"))
        return StoredImage(path=path, notices=notices, **made)
