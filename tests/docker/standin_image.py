"""A small image without a registry: this machine's own Python, its libraries and the stand-in, as one layer."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import docker

LEFT_OUT = {"test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "pydoc_data", "site-packages",
            "dist-packages", "__pycache__", "config", "distutils"}  # fmt: skip
STANDIN = Path(__file__).parent / "standin.py"


def build(client: docker.DockerClient, name: str) -> str:
    """Make the image; its id."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        stdlib = Path(sysconfig.get_path("stdlib"))
        python = Path(sys.executable).resolve()
        home = Path("/python")
        add(tar, python, home / "bin/python3")
        native = [python]
        for path in stdlib.rglob("*"):
            inside = path.relative_to(stdlib)
            if path.is_file() and not LEFT_OUT & set(inside.parts) and not inside.parts[0].startswith("config-"):
                add(tar, path, home / "lib" / stdlib.name / inside)
                if path.suffix == ".so":
                    native.append(path)
        for library in sorted(libraries(native)):
            add(tar, library, library)
        add(tar, STANDIN, Path("/standin.py"))
        for folder in ("/tmp", "/cache", "/weights"):
            entry = tarfile.TarInfo(folder[1:])
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(entry)
    changes = ['ENTRYPOINT ["/python/bin/python3", "-I", "/standin.py"]', "ENV PYTHONHOME=/python"]
    repository, tag = name.rsplit(":", 1)
    client.api.import_image_from_data(layer.getvalue(), repository=repository, tag=tag, changes=changes)
    return str(client.images.get(name).id)


def add(tar: tarfile.TarFile, source: Path, target: Path) -> None:
    entry = tar.gettarinfo(str(source.resolve()), str(target)[1:])
    entry.uid = entry.gid = 0
    with source.resolve().open("rb") as file:
        tar.addfile(entry, file)


def libraries(files: list[Path]) -> set[Path]:
    """Every shared library that the files need, the loader included, by the paths they are looked for at."""
    told = subprocess.run(["ldd", *map(str, files)], capture_output=True, text=True).stdout
    return {Path(found) for found in re.findall(r"(?:=> )?(/\S+) \(0x", told)}
