"""Which test tries which row of the battery: read from the tests themselves, for battery.md and for the test of it."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from generate import ROOT, table

TESTS = ROOT / "tests"
ROWS = TESTS / "battery"
LANES = ("browser", "docker", "legacy", "postgres", "ray", "vllm")  # a mark, and the target `test-…` of `make`


@dataclass(frozen=True)
class Row:
    """One fault or bad input. short_of: what of it is not met, why, and what protects instead; empty when all is."""

    id: str
    tried: str
    happens: str
    short_of: str = ""


@dataclass(frozen=True)
class Trial:
    """A test that carries ``@pytest.mark.battery(id)``. lane: the target of `make` that runs it."""

    id: str
    path: Path
    name: str
    lane: str


def families() -> dict[str, list[Row]]:
    """The rows of every file, by the file's title. Raises `TypeError` for a row with an unknown or missing part."""
    found = {}
    for path in sorted(ROWS.glob("*.yaml")):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        title = told.pop("title")
        found[title] = [Row(str(name), **row) for name, row in told.items()]
    return found


@functools.cache
def trials() -> dict[str, list[Trial]]:
    """The tests of every row. They are read, not imported."""
    found: dict[str, list[Trial]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        lane = _lane([path.relative_to(TESTS).parts[0]], "test")  # a folder of a mark's name has that mark
        for trial in _marked(ast.parse(path.read_text(encoding="utf-8")), path, "", lane):
            found[trial.id].append(trial)
    return found


def _marked(tree: ast.AST, path: Path, inside: str, lane: str) -> Iterator[Trial]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{inside}{node.name}"
            own = _lane([ast.unparse(each).removeprefix("pytest.mark.") for each in node.decorator_list], lane)
            for decorator in node.decorator_list:
                for call in ast.walk(decorator):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.battery":
                        yield from (Trial(ast.literal_eval(each), path, name, own) for each in call.args)
            if isinstance(node, ast.ClassDef):
                yield from _marked(node, path, f"{name}.", own)


def _lane(marks: Iterable[str], otherwise: str) -> str:
    return next((f"test-{mark}" for mark in marks if mark in LANES), otherwise)


def rows() -> str:
    """A table a family."""
    tests = trials()
    heads = ("Id", "What is tried", "What happens", "Tests")
    parts = []
    for title, family in families().items():
        cells = [(row.id, row.tried, _told(row), _links(tests[row.id])) for row in family]
        parts.append(f"## {title}\n\n{table(heads, cells)}")
    return "\n\n".join(parts)


def _told(row: Row) -> str:
    return f"{row.happens} *{row.short_of}*" if row.short_of else row.happens


def _links(found: list[Trial]) -> str:
    """Every test by its name, once, with a link to its file and with its lane where that is not the usual one."""
    shown = {
        f"[{each.name}](../{each.path.relative_to(ROOT)})" + ("" if each.lane == "test" else f" ({each.lane})"): None
        for each in found
    }
    return "<br>".join(shown) or "—"
