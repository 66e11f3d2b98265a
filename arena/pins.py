"""The commits that stay: what a ``pin:`` of the catalogue became with the first download, in ``models.lock.yaml``."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from arena import hub
from arena.spec import ModelSpec

FILE = "models.lock.yaml"
HEADER = """# The commit that each model with its own code was first downloaded at; no other one is run.
# Take a line out to have the next download choose anew.
"""


def read(home: Path) -> dict[str, str]:
    """Commits by ``owner/name@branch``; empty when nothing is pinned yet."""
    try:
        pins = yaml.safe_load((home / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {str(name): str(commit) for name, commit in (pins or {}).items()}


def pin(spec: ModelSpec, home: Path, commit: str) -> None:
    """Write the commit down, unless there is one already."""
    pins = {name_of(spec): commit} | read(home)
    home.mkdir(parents=True, exist_ok=True)
    unfinished = home / f"{FILE}.{os.getpid()}"
    unfinished.write_text(HEADER + yaml.safe_dump(pins), encoding="utf-8")
    unfinished.replace(home / FILE)


def name_of(spec: ModelSpec) -> str:
    return f"{spec.source}@{spec.ref}"


def revision(spec: ModelSpec, home: Path) -> str:
    """What is to be downloaded and loaded: the pinned commit, or what the catalogue names."""
    return read(home).get(name_of(spec), spec.ref) if spec.revision.startswith("pin:") else spec.ref


def revision_to_load(spec: ModelSpec, home: Path) -> str:
    """The same, and pinned now where another program has brought the files."""
    found = revision(spec, home)
    if spec.revision.startswith("pin:") and found == spec.ref and (files := hub.snapshot(spec.source, spec.ref)):
        pin(spec, home, files.name)
        return files.name
    return found
