"""Models into the standard Hugging Face cache and out of it: with progress, resumed, every refusal explained."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena import hub, pins, resume
from arena.config import Settings
from arena.errors import RunError
from arena.spec import ModelSpec

TICK = 0.5  # seconds between two looks at what has come
# Weights in forms that are never opened, and those of other programs.
IGNORED = [
    "*.bin",
    "*.pt",
    "*.pth",
    "*.pkl",
    "*.ckpt",
    "*.msgpack",
    "*.h5",
    "*.onnx",
    "*.gguf",
    "*.tflite",
    "*.onnx_data",
]
IGNORED += ["original/*", "onnx/*", "openvino/*", "coreml/*"]
SPARE = 10**9  # bytes of the disk that stay free


@dataclass(frozen=True)
class Fetched:
    """How far a download is: bytes there and bytes in all, of this revision."""

    done: int
    total: int


@dataclass(frozen=True)
class Cached:
    """One repository in the cache. size: bytes on disk. whole: whether some revision of it could be loaded."""

    source: str
    folder: Path
    size: int
    whole: bool
    unfinished: int  # bytes of files that are not whole


def download(spec: ModelSpec, settings: Settings) -> Iterator[Fetched]:
    """Bring a model's files; what is there already is kept, what was interrupted goes on.

    Yields at least every `TICK`, also while nothing comes. Raises `RunError`, each saying what to do.
    """
    if spec.local or not spec.source:
        raise RunError("bad_input", key="downloads.nothing", title=spec.title)
    revision = pins.revision(spec, settings.home)
    files = survey(spec, revision)
    total = sum(file.file_size or 0 for file in files)
    present = sum(file.file_size or 0 for file in files if file.is_cached)
    if not any(file.filename.endswith(".safetensors") for file in files):
        raise RunError("unavailable", key="downloads.no_safetensors", source=spec.source)
    cache = hub.repository(spec.source)
    room = shutil.disk_usage(next(folder for folder in cache.parents if folder.exists())).free - SPARE
    unfinished = unfinished_bytes(cache)
    if total - present - unfinished > room:
        sizes = {"need": gb(total - present - unfinished), "free": gb(max(room, 0)), "place": str(cache.parent)}
        raise RunError("storage", key="downloads.no_space", **sizes)
    start = hub.bytes_on_disk(cache) - unfinished
    yield Fetched(min(present + unfinished, total), total)

    result: list[str | BaseException] = []

    def fetch() -> None:
        try:
            resume.fetch_large(spec.source, files)
            result.append(snapshot(spec, revision))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            result.append(error)

    thread = threading.Thread(target=fetch, daemon=True, name="download")
    thread.start()
    while thread.is_alive():
        thread.join(TICK)
        yield Fetched(min(max(present + hub.bytes_on_disk(cache) - start, 0), total), total)
    if isinstance(result[0], BaseException):
        raise explained(result[0], spec) from result[0]
    if spec.revision.startswith("pin:"):
        pins.pin(spec, settings.home, Path(result[0]).name)
    yield Fetched(total, total)


def survey(spec: ModelSpec, revision: str) -> list[Any]:
    """The revision's files: name, size, commit, whether it is there. Raises `RunError`."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # ours says how much of the whole model is there
    try:
        return list(snapshot_download(spec.source, revision=revision, ignore_patterns=IGNORED, dry_run=True))
    except Exception as error:
        raise explained(error, spec) from error


def snapshot(spec: ModelSpec, revision: str) -> str:
    """The files themselves. Returns the folder of the commit."""
    from huggingface_hub import snapshot_download

    return str(snapshot_download(spec.source, revision=revision, ignore_patterns=IGNORED))


def explained(error: BaseException, spec: ModelSpec) -> BaseException:
    """What the Hub's refusal means to the user and what he can do."""
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/{spec.source}"
    command = f"python -m arena models download {spec.id}"
    while error.__cause__ and not isinstance(error, errors.HfHubHTTPError | errors.OfflineModeIsEnabled):
        error = error.__cause__
    if isinstance(error, errors.OfflineModeIsEnabled) or constants.is_offline_mode():
        return RunError("unavailable", str(error), key="downloads.offline")
    if isinstance(error, errors.GatedRepoError):
        return RunError("unavailable", str(error), key="downloads.gated", page=page, command=command)
    if isinstance(error, errors.RepositoryNotFoundError):
        return RunError("unavailable", str(error), key="downloads.not_found", source=spec.source, page=page)
    if isinstance(error, errors.RevisionNotFoundError):
        return RunError("unavailable", str(error), key="downloads.no_revision", source=spec.source, revision=spec.ref)
    if isinstance(error, OSError) and error.errno == 28:  # no space left on the device
        return RunError("storage", str(error), key="downloads.full", command=command)
    if isinstance(error, Exception):
        why = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return RunError("unavailable", str(error), key="downloads.broken", why=why[:300], command=command)
    return error


def cached() -> list[Cached]:
    """Every model in the cache, the largest first; nothing is asked of the network."""
    found = []
    for folder in hub.repository("x/y").parent.glob("models--*--*"):
        source = folder.name.removeprefix("models--").replace("--", "/", 1)
        commits = [path.name for path in (folder / "snapshots").glob("*")]
        whole = any(hub.snapshot(source, commit) for commit in commits)
        found.append(Cached(source, folder, hub.bytes_on_disk(folder), whole, unfinished_bytes(folder)))
    return sorted(found, key=lambda one: -one.size)


def unfinished_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "blobs").glob("*.incomplete"))


def remove(chosen: Iterable[Cached]) -> int:
    """Delete the repositories from the cache. Returns the bytes that were freed. Raises `RunError`."""
    freed = 0
    for one in chosen:
        try:
            shutil.rmtree(one.folder)
        except OSError as error:
            raise RunError("storage", key="downloads.not_removed", path=str(one.folder), why=error.strerror) from error
        freed += one.size
    return freed


def gb(size: int) -> str:
    return f"{size / 1e9:.2f}"


def pace(began: float, first: int, now: Fetched) -> tuple[float, float | None]:
    """Bytes a second since `began` (monotonic), and the seconds left; None while nothing has come."""
    speed = (now.done - first) / max(time.monotonic() - began, 1e-6)
    return speed, (now.total - now.done) / speed if speed > 0 else None
