"""Models into the standard Hugging Face cache and out of it: with progress, resumed, every refusal explained."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena import hub, pins, resume
from arena.config import Settings
from arena.errors import RunError
from arena.spec import Further, ModelSpec

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
class Wanted:
    """One repository that is to come. files: of `revision`, as huggingface_hub's dry run lists them."""

    of: ModelSpec | Further
    revision: str
    files: list[Any]

    @property
    def cache(self) -> Path:
        return hub.repository(self.of.source)


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

    Yields at least every `TICK`, also while nothing comes; closing the iterator stops the download. Raises `RunError`,
    each saying what to do.
    """
    if spec.local or not spec.source:
        raise RunError("bad_input", key="downloads.nothing", title=spec.title)
    wanted = [survey(each, spec, settings) for each in spec.repositories]
    files = [file for each in wanted for file in each.files]
    total = sum(file.file_size or 0 for file in files)
    present = sum(file.file_size or 0 for file in files if file.is_cached)
    if not any(file.filename.endswith(".safetensors") for file in wanted[0].files):
        raise RunError("unavailable", key="downloads.no_safetensors", source=spec.source)
    place = wanted[0].cache.parent
    room = free_bytes() - SPARE
    unfinished = sum(hub.unfinished_bytes(each.cache) for each in wanted)
    if total - present - unfinished > room:
        need, free = gb(total - present - unfinished), gb(max(room, 0))
        raise RunError("storage", key="downloads.no_space", need=need, free=free, place=str(place))
    start = bytes_on_disk(wanted) - unfinished
    yield Fetched(min(present + unfinished, total), total)

    stop = threading.Event()
    faults: list[BaseException] = []
    thread = threading.Thread(target=fetch, args=(wanted, spec, settings, stop, faults), daemon=True, name="download")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(TICK)
            yield Fetched(min(max(present + bytes_on_disk(wanted) - start, 0), total), total)
    finally:
        stop.set()
    if faults:
        raise faults[0]
    yield Fetched(total, total)


def fetch(
    wanted: list[Wanted], spec: ModelSpec, settings: Settings, stop: threading.Event, faults: list[BaseException]
) -> None:
    """The files themselves, in a thread of their own; a repository is pinned once it is whole."""
    for each in wanted:
        try:
            resume.fetch_large(each.of.source, each.files, stop)
            commit = Path(snapshot(each)).name
            if each.of.revision.startswith("pin:"):
                pins.pin(each.of, settings.home, commit)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            faults.append(explained(error, spec, each.of))
            return


def bytes_on_disk(wanted: list[Wanted]) -> int:
    return sum(hub.bytes_on_disk(each.cache) for each in wanted)


def free_bytes() -> int:
    """Bytes free on the disk of the cache."""
    cache = hub.repository("x/y")
    return shutil.disk_usage(next(folder for folder in cache.parents if folder.exists())).free


def survey(of: ModelSpec | Further, spec: ModelSpec, settings: Settings) -> Wanted:
    """The files of a repository of `spec`: name, size, commit, whether it is there. Raises `RunError`."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # ours says how much of the whole model is there
    revision = pins.revision(of, settings.home)
    try:
        listed = snapshot_download(of.source, revision=revision, ignore_patterns=IGNORED, dry_run=True)
    except Exception as error:
        raise explained(error, spec, of) from error
    return Wanted(of, revision, list(listed))


def snapshot(wanted: Wanted) -> str:
    """Whatever of the files is not there yet. Returns the folder of the commit."""
    from huggingface_hub import snapshot_download

    return str(snapshot_download(wanted.of.source, revision=wanted.revision, ignore_patterns=IGNORED))


def explained(error: BaseException, spec: ModelSpec, of: ModelSpec | Further) -> BaseException:
    """What the Hub's refusal of a repository of `spec` means to the user and what he can do."""
    from huggingface_hub import constants, errors, get_token

    page = f"{constants.ENDPOINT}/{of.source}"
    command = f"python -m arena models download {spec.id}"
    while error.__cause__ and not isinstance(error, errors.HfHubHTTPError | errors.OfflineModeIsEnabled):
        error = error.__cause__
    if isinstance(error, errors.OfflineModeIsEnabled) or constants.is_offline_mode():
        return RunError("unavailable", str(error), key="downloads.offline")
    if isinstance(error, errors.GatedRepoError):
        key = "downloads.not_granted" if get_token() else "downloads.gated"
        return RunError("unavailable", str(error), key=key, page=page, command=command)
    if isinstance(error, errors.RepositoryNotFoundError):
        return RunError("unavailable", str(error), key="downloads.not_found", source=of.source, page=page)
    if isinstance(error, errors.RevisionNotFoundError):
        return RunError("unavailable", str(error), key="downloads.no_revision", source=of.source, revision=of.ref)
    if isinstance(error, errors.HfHubHTTPError) and error.response.status_code == 401:
        return RunError("unavailable", str(error), key="downloads.bad_token", command=command)
    if isinstance(error, OSError) and error.errno == 28:  # no space left on the device
        return RunError("storage", str(error), key="downloads.full", command=command)
    why = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]
    if type(error).__name__ in ("ConnectError", "ConnectTimeout"):
        return RunError("unavailable", str(error), key="downloads.unreachable", page=page, why=why, command=command)
    if isinstance(error, Exception):
        return RunError("unavailable", str(error), key="downloads.broken", why=why, command=command)
    return error


def cached(further: Container[str] = ()) -> list[Cached]:
    """Every repository in the cache, the largest first; nothing is asked of the network.

    further: repositories that hold no weights and are whole without.
    """
    found = []
    for folder in hub.repository("x/y").parent.glob("models--*--*"):
        source = folder.name.removeprefix("models--").replace("--", "/", 1)
        commits = [path.name for path in (folder / "snapshots").glob("*")]
        complete = hub.files if source in further else hub.snapshot
        whole = any(complete(source, commit) for commit in commits)
        found.append(Cached(source, folder, hub.bytes_on_disk(folder), whole, hub.unfinished_bytes(folder)))
    return sorted(found, key=lambda one: -one.size)


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


def gb(size: int) -> float:
    return size / 1e9


def pace(began: float, first: int, now: Fetched) -> tuple[float, float | None]:
    """Bytes a second since `began` (monotonic), and the seconds left; None while nothing has come."""
    speed = (now.done - first) / max(time.monotonic() - began, 1e-6)
    return speed, (now.total - now.done) / speed if speed > 0 else None
