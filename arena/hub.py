"""What lies in the standard Hugging Face cache, without asking the network and without opening weights."""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub import constants

SHARD = re.compile(r"(.+)-\d{5}-of-(\d{5})\.safetensors")


def repository(source: str) -> Path:
    """The folder of a model in the cache (``HF_HUB_CACHE``, ``HF_HOME``), whether it exists or not."""
    return Path(constants.HF_HUB_CACHE) / f"models--{source.replace('/', '--')}"


def snapshot(source: str, ref: str) -> Path | None:
    """The folder with all files of one commit, tag or branch; None when it is absent or not complete.

    Complete: config.json and safetensors are there, of sharded weights every shard. A file's link appears in the
    snapshot only after the last of its bytes, so a broken download is not taken for a whole one.
    """
    files = folder_of(source, ref)
    if not (files / "config.json").is_file():
        return None
    weights = {path.name for path in files.glob("*.safetensors") if path.is_file()}
    for name in list(weights):
        if shard := SHARD.fullmatch(name):
            count = int(shard[2])
            if any(f"{shard[1]}-{n:05}-of-{count:05}.safetensors" not in weights for n in range(1, count + 1)):
                return None
    return files if weights else None


def files(source: str, ref: str) -> Path | None:
    """The same for a repository without weights, such as a tokenizer's: some file is there and none is unfinished."""
    folder = folder_of(source, ref)
    return folder if folder.is_dir() and any(folder.iterdir()) and not unfinished_bytes(repository(source)) else None


def folder_of(source: str, ref: str) -> Path:
    """Where the files of one commit, tag or branch lie, or would."""
    folder = repository(source)
    named = folder / "refs" / ref
    return folder / "snapshots" / (named.read_text(encoding="utf-8").strip() if named.is_file() else ref)


def unfinished_bytes(folder: Path) -> int:
    """Bytes of the files of a repository that have not come whole."""
    return sum(path.stat().st_size for path in (folder / "blobs").glob("*.incomplete"))


def bytes_on_disk(folder: Path) -> int:
    """Bytes of all files in a folder and below; links count nothing, so a cached file counts once."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
