"""An image of a real vLLM without a registry: the interpreter, its libraries and the environment as they are here."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker import DockerClient

SHIM = Path(__file__).parent / "shim"
# Of the standard library; of the environment triton, which computes nothing without a GPU, is a quarter of everything.
NOT_OURS = {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "turtledemo", "ensurepip"}
PROGRAMS = ("/bin/sh", "/usr/bin/lscpu", "/usr/bin/uname")
TELL = "import json, sys, sysconfig; print(json.dumps([sys.base_prefix, sysconfig.get_path('stdlib')]))"


def name(venv: Path) -> str:
    """The same for an environment that is the same, so that the image is made once."""
    site = next((venv / "lib").glob("python3*")) / "site-packages"
    told = [*sorted(path.name for path in site.glob("*.dist-info")), (SHIM / "sitecustomize.py").read_text()]
    told.append(Path(__file__).read_text(encoding="utf-8"))
    return f"arena-vllm-cpu:{hashlib.sha256(json.dumps([str(venv), told]).encode()).hexdigest()[:12]}"


def build(client: DockerClient, venv: Path) -> str:
    """The name of the image, made if there is none yet."""
    tag = name(venv)
    if client.images.list(tag):
        return tag
    python = venv / "bin" / "python"
    changes = [
        f'ENTRYPOINT ["{python}", "-m", "vllm.entrypoints.openai.api_server"]',
        f"ENV PYTHONPATH={SHIM} PATH=/usr/bin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1",
    ]
    reading, writing = os.pipe()
    packing = threading.Thread(target=pack, args=(writing, venv), daemon=True)
    packing.start()
    with os.fdopen(reading, "rb") as stream:
        repository, version = tag.split(":")
        client.api.import_image_from_stream(stream, repository=repository, tag=version, changes=changes)
    packing.join()
    return tag


def pack(descriptor: int, venv: Path) -> None:
    """Everything as one layer, at the same paths as here."""
    with os.fdopen(descriptor, "wb") as pipe, tarfile.open(fileobj=pipe, mode="w|", bufsize=1 << 20) as tar:
        native = [Path(program) for program in PROGRAMS]
        added: set[str] = set()
        for path in files(venv):
            if str(path) in added:
                continue
            added.add(str(path))
            tar.add(path, str(path)[1:], recursive=False)
            if path.is_file() and (".so" in path.name or path.parent.name == "bin"):
                native.append(path)
        for path in [*native[: len(PROGRAMS)], *libraries(native)]:
            if str(path) not in added and str(path.resolve()) not in added:
                added.add(str(path))
                entry = tar.gettarinfo(str(path.resolve()), str(path)[1:])
                with path.resolve().open("rb") as file:
                    tar.addfile(entry, file)
        passwd = b"root:x:0:0:root:/tmp:/bin/sh\n"
        entry = tarfile.TarInfo("etc/passwd")
        entry.size = len(passwd)
        tar.addfile(entry, io.BytesIO(passwd))
        for folder in ("tmp", "cache", "weights"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(entry)


def files(venv: Path) -> Iterator[Path]:
    """The environment, the interpreter behind it with its library, and the shim; links stay links."""
    python = venv / "bin" / "python"
    told = subprocess.run([str(python), "-I", "-c", TELL], capture_output=True, text=True, check=True).stdout
    base, stdlib = map(Path, json.loads(told))
    link = python
    while link.is_symlink():  # each step of the way to the interpreter
        yield link
        link = Path(os.path.normpath(link.parent / os.readlink(link)))
    yield link
    yield from (base / "lib").glob("libpython3*")
    for folder in (stdlib, venv, SHIM):
        for where, folders, names in os.walk(folder):
            skipped = NOT_OURS if folder == stdlib else {"triton"} if where.endswith("site-packages") else set()
            folders[:] = [each for each in folders if each not in skipped]
            yield Path(where)
            yield from (Path(where) / each for each in names)
            yield from (Path(where) / each for each in folders if (Path(where) / each).is_symlink())


def libraries(native: list[Path]) -> list[Path]:
    """Every shared library of this machine that the files need, by the paths they are looked for at."""
    found: set[Path] = set()
    for start in range(0, len(native), 100):
        some = [str(path) for path in native[start : start + 100]]
        told = subprocess.run(["ldd", *some], capture_output=True, text=True).stdout
        found |= {Path(os.path.normpath(path)) for path in re.findall(r"(?:=> )?(/\S+) \(0x", told)}
    return sorted(found)
