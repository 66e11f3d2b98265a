"""Large files into the Hugging Face cache, going on where an earlier program was interrupted.

huggingface_hub keeps whole files only: of a 4 GB file that broke at 3.9 nothing is left. Here the part stays beside the
blobs, is completed with a Range request, checked, and put where huggingface_hub then finds it.
"""

from __future__ import annotations

import hashlib
import re
import threading
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from arena import hub

LARGE = 2_000_000  # bytes; smaller files are not worth it
ENDING = ".part.incomplete"
STEP = 2**20  # bytes between two looks whether to stop; of a slow line ten times as many would be a minute
SHA256 = re.compile(r"[0-9a-f]{64}")


class Stopped(Exception):
    """The download was stopped; what has come is kept."""


class Stream:
    """A file that takes nothing more once `stop` is set."""

    def __init__(self, file: BinaryIO, stop: threading.Event) -> None:
        self._file = file
        self._stop = stop

    def write(self, data: bytes) -> int:
        if self._stop.is_set():
            raise Stopped
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def fetch_large(source: str, files: list[Any], stop: threading.Event) -> None:
    """Bring the large ones of the files of a dry run. Raises `Stopped`, and what huggingface_hub raises."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._fixes import WeakFileLock
    from huggingface_hub.utils._headers import build_hf_headers

    constants.DOWNLOAD_CHUNK_SIZE = min(constants.DOWNLOAD_CHUNK_SIZE, STEP)
    blobs = hub.repository(source) / "blobs"
    for file in files:
        if stop.is_set():
            raise Stopped
        if not file.will_download or (file.file_size or 0) < LARGE:
            continue
        url = hf_hub_url(source, file.filename, revision=file.commit_hash)
        known = get_hf_file_metadata(url)
        if not known.etag or not known.size:
            continue
        headers = build_hf_headers()
        if urlsplit(known.location).netloc != urlsplit(url).netloc:
            headers.pop("authorization", None)  # another server, which need not know the token
        blob, part = blobs / known.etag, blobs / f"{known.etag}{ENDING}"
        lock = (
            blobs.parent.parent / ".locks" / blobs.parent.name / f"{known.etag}.lock"
        )  # the one huggingface_hub takes
        blobs.mkdir(parents=True, exist_ok=True)
        lock.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):
            if blob.exists():
                continue
            with part.open("r+b" if part.exists() else "w+b") as stream:
                begun = stream.seek(0, 2)
                target: Any = Stream(stream, stop)
                http_get(known.location, target, resume_size=begun, headers=headers, expected_size=known.size)
            if begun and SHA256.fullmatch(known.etag) and checksum(part) != known.etag:
                part.unlink()
                raise OSError(f"{file.filename} was damaged and has been thrown away")
            part.replace(blob)
    if stop.is_set():
        raise Stopped


def checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
