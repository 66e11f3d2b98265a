"""The commits that stay: what a ``pin:`` of the catalogue became with the first download, in ``models.lock.yaml``."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from arena import hub
from arena.spec import Further, ModelSpec

FILE = "models.lock.yaml"
HEADER = """# The commit that each model with its own code was first downloaded at; no other one is run.
# docker:// names are images, each with the digest that it had when it was first used.
# Take a line out to have the next download choose anew.
"""


def read(home: Path) -> dict[str, str]:
    """Commits by ``owner/name@branch``; empty when nothing is pinned yet."""
    try:
        pins = yaml.safe_load((home / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {str(name): str(commit) for name, commit in (pins or {}).items()}


def pin(of: ModelSpec | Further, home: Path, commit: str) -> None:
    """Write the commit down, unless there is one already."""
    write({name_of(of): commit} | read(home), home)


def unpin(of: ModelSpec | Further, home: Path) -> None:
    """Take the line out, so that the next use chooses anew."""
    write({name: commit for name, commit in read(home).items() if name != name_of(of)}, home)


def write(pins: dict[str, str], home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    unfinished = home / f"{FILE}.{os.getpid()}"
    unfinished.write_text(HEADER + yaml.safe_dump(pins), encoding="utf-8")
    unfinished.replace(home / FILE)


def name_of(of: ModelSpec | Further) -> str:
    return f"{of.source}@{of.ref}"


def revision(of: ModelSpec | Further, home: Path) -> str:
    """What is to be downloaded and loaded: the pinned commit, or what the catalogue names."""
    return read(home).get(name_of(of), of.ref) if of.revision.startswith("pin:") else of.ref


def revision_to_load(of: ModelSpec | Further, home: Path) -> str:
    """The same, and pinned now where another program has brought the files."""
    found = revision(of, home)
    if of.revision.startswith("pin:") and found == of.ref and (folder := files(of, of.ref)):
        pin(of, home, folder.name)
        return folder.name
    return found


def files(of: ModelSpec | Further, ref: str) -> Path | None:
    """The folder of one commit, tag or branch, if everything is there."""
    return hub.files(of.source, ref) if isinstance(of, Further) else hub.snapshot(of.source, ref)
