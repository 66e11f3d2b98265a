"""The parts of the documents that come from the code; `make fix` writes them, `make check` compares."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import os
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.catalog import Catalog

ROOT = Path(__file__).parent.parent
SHOWN = ("app.py", "arena", "adapters", "benchmarks", "docs", "tests")


def tree() -> str:
    """Every file of code but the single tests, with the first line of its docstring, which is its purpose."""
    return "```\n" + "\n".join(f"{name:<34} {purpose}".rstrip() for name, purpose in _branches(ROOT, 0)) + "\n```"


def _branches(folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if path.name.startswith((".", "__", "test_")) or (depth == 0 and path.name not in SHOWN):
            continue
        if path.suffix == ".py":
            yield "  " * depth + path.name, _purpose(path)
        elif path.is_dir() and any(path.rglob("*.py")):
            yield "  " * depth + path.name + "/", _purpose(path / "__init__.py")
            yield from _branches(path, depth + 1)


def _purpose(path: Path) -> str:
    if not path.exists():
        return ""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def settings() -> str:
    """Each setting with its variables, its default and what it does, from the docstring of `Settings`."""
    from arena.config import Settings

    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    # ``a, b: text. c: text``: names stand at the start of a line or after the end of a sentence.
    text = " ".join((Settings.__doc__ or "").split())
    parts = re.split(r"(?<=\. )((?:[a-z_]+, )*[a-z_]+): ", text)
    rows = []
    for names, told in zip(parts[1::2], parts[2::2], strict=True):
        variables = re.findall(r"`((?:ARENA|GRADIO)_\w+)[=\d]*`", told)
        told = re.sub(r"\s*\((?:`[\w=]+`|, |else )+\)", "", told).replace("``", "`").strip()
        known = [_plain(defaults[name]) for name in names.split(", ") if defaults[name] is not dataclasses.MISSING]
        rows.append((" ".join(f"`{name}`" for name in variables), ", ".join(known), told[0].upper() + told[1:]))
    return table(("Variable", "Default", "What it does"), rows)


def _catalog() -> Catalog:
    """What is shipped, without anything that the user of this machine has added."""
    from arena.catalog import load_catalog
    from arena.config import load_settings

    return load_catalog(load_settings({"ARENA_HOME": str(ROOT / "nowhere")}))


def models() -> str:
    from arena.models_table import models_table

    return models_table(_catalog())


def tasks() -> str:
    rows = [
        (f"`{task.id}`", task.titles["en"], task.titles["ru"], task.output, ", ".join(f"`{m}`" for m in task.metrics))
        for task in _catalog().tasks.values()
    ]
    return table(("Task", "In English", "In Russian", "Answer", "Metrics"), rows)


def metrics() -> str:
    from benchmarks.metrics import METRICS

    rows = [
        (f"`{metric.name}`", metric.better, (metric.measure.__doc__ or "").split("\n")[0])
        for metric in METRICS.values()
    ]
    return table(("Metric", "Better", "What it says"), rows)


def metric_definitions() -> str:
    from benchmarks.metrics import METRICS

    rows = [
        (
            f"`{metric.name}`",
            metric.better,
            metric.against,
            metric.source,
            (metric.measure.__doc__ or "").split("\n")[0],
        )
        for metric in METRICS.values()
    ]
    return table(("Metric", "Better", "Against", "Source", "What it says"), rows)


def error_kinds() -> str:
    from arena.errors import KINDS
    from arena.strings import tr

    rows = [
        (f"`{name}`", kind.status, str(kind.http), f"`{kind.openai}`", tr(f"errors.{name}", "en"))
        for name, kind in KINDS.items()
    ]
    return table(("Kind", "Status of the run", "HTTP", "OpenAI type", "Text"), rows)


def csv_columns() -> str:
    from arena.export import columns

    return textwrap.fill(", ".join(f"`{name}`" for name in columns()), 118, break_on_hyphens=False)


def command_line() -> str:
    """The help of every command, as it is printed on a terminal of a hundred columns."""
    os.environ["COLUMNS"] = "100"
    from arena.cli import build_parser

    parser = build_parser()
    actions = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    helps = [
        parser.format_help(),
        *(command.format_help() for action in actions for command in action.choices.values()),
    ]
    return "```\n" + "\n".join(helps).rstrip() + "\n```"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if value == ():
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
