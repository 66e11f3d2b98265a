"""What was measured last, kept in docs/benchmarks.json, from which docs/benchmarks.md and its plots are made."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from arena.core import cpu_name
from arena.gpu import Gpus
from benchmarks.speed.rows import Row

FILE = Path(__file__).parent.parent.parent / "docs" / "benchmarks.json"
PACKAGES = (
    *("gradio", "fastapi", "sqlalchemy", "pillow", "numpy", "pandas"),
    *("tesserocr", "rapidocr", "onnxruntime", "torch", "transformers", "evalica"),
)


@dataclass(frozen=True)
class Measured:
    """One measurement. rows: what it gave. took_s: wall seconds of all of it, its preparation too."""

    title: str
    rows: tuple[Row, ...]
    date: str
    commit: str
    took_s: float

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        return cls(**{**told, "rows": tuple(map(Row.of, told["rows"]))})


@dataclass(frozen=True)
class Results:
    """machine: what it was measured on. measured: by the name of the measurement."""

    machine: dict[str, str] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path = FILE) -> Results:
        """Nothing where there is no file."""
        if not file.exists():
            return cls()
        told = json.loads(file.read_text(encoding="utf-8"))
        return cls(told["machine"], {name: Measured.of(one) for name, one in told["measured"].items()})

    def write(self, file: Path = FILE) -> None:
        file.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def with_(self, machine: dict[str, str], new: Mapping[str, Measured], names: Sequence[str]) -> Results:
        """These with the new ones among them, in the order of `names`; on another machine the new ones alone, for
        figures of two machines do not stand in one table."""
        both = {**(self.measured if self.machine == machine else {}), **new}
        return Results(machine, {name: both[name] for name in names if name in both})


def machine() -> dict[str, str]:
    """What the figures depend on, by its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpus = Gpus()
    cards = ", ".join(each.name for each in gpus.devices()) or "none"
    gpus.close()
    found = {
        "Processor": cpu_name(),
        "Memory": f"{memory:.1f} GB",
        "GPU": cards,
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
