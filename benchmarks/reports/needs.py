"""Packages that only reports need: what is missing is said together with the command that installs it."""

from __future__ import annotations

from importlib.util import find_spec

from arena.errors import RunError

PACKAGES = {"matplotlib": "matplotlib", "pyarrow": "pyarrow", "xlsxwriter": "XlsxWriter"}
COMMAND = "pip install -r requirements/bench.txt"


def missing(module: str) -> bool:
    return find_spec(module) is None


def needed(module: str) -> None:
    """Raises `RunError` (``unavailable``) with the command that helps, when the package is not there."""
    if missing(module):
        raise RunError("unavailable", key="bench_report.missing", package=PACKAGES[module], command=COMMAND)
