"""Which licence each locked package comes under, and why that one is allowed: the tables of licences.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

import yaml
from generate import ROOT, table

from requirements.locked import LOCK, locked

CLASSIFIER = "License :: OSI Approved :: "


@cache
def rules() -> dict[str, Any]:
    """``allowed``: licence and why; ``spelled``: how it is written elsewhere; ``told``: by package, read by hand."""
    return dict(yaml.safe_load((ROOT / "requirements" / "licences.yaml").read_text(encoding="utf-8")))


def licence(name: str) -> str:
    """Of a package, as SPDX writes it. Raises `LookupError` when it does not say, or is not installed here."""
    if name in rules()["told"]:
        return str(rules()["told"][name])
    try:
        return said(metadata(name).json)
    except PackageNotFoundError:
        raise LookupError(f"{name} is locked and not installed here: run `make check`, which installs it") from None
    except LookupError as error:
        raise LookupError(f"{name}: {error}. Read its licence and add a line to requirements/licences.yaml") from None


def said(of: Mapping[str, Any]) -> str:
    """What a package's metadata say: the newest field first. Raises `LookupError`."""
    if expression := of.get("license_expression"):
        return str(expression)
    classified = [each.removeprefix(CLASSIFIER) for each in of.get("classifier", ()) if each.startswith(CLASSIFIER)]
    for told in (of.get("license", ""), *classified):
        plain = rules()["spelled"].get(told, told)
        if plain and not refused(plain):
            return str(plain)
    raise LookupError(f"its metadata say {of.get('license', '')[:60]!r} and {classified}")


def refused(expression: str) -> set[str]:
    """The licences in an expression that are not allowed; of those to choose from, all must be."""
    return set(re.findall(r"[\w.+-]+", expression)) - {"AND", "OR", "WITH"} - set(rules()["allowed"])


def packages() -> str:
    """A row a package, with the first list that needs it."""
    lists = {"core": "the application", "full": "models, benchmarks", "dev": "tests and checks"}
    rows: dict[str, list[str]] = {}
    for name, needed in lists.items():
        for each in locked(LOCK / f"{name}.txt"):
            row = rows.setdefault(each.name, ["", licence(each.name), needed])
            row[0] = ", ".join(dict.fromkeys([*filter(None, [row[0]]), each.version]))
    return table(("Package", "Version", "Licence", "For"), ((name, *rows[name]) for name in sorted(rows)))


def allowed() -> str:
    """A row a licence."""
    return table(("Licence", "Why it is allowed"), ((name, why.strip()) for name, why in rules()["allowed"].items()))
