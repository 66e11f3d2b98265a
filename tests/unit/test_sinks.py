"""The code itself, read: no text of a model, a file or a visitor is put between tags without being escaped."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from adapters.base import Box
from arena.types import Run
from arena.ui.live import View

ARENA = Path(__file__).parent.parent.parent / "arena"
PAGES = sorted([*ARENA.glob("ui/*.py"), *ARENA.glob("report/*.py"), *ARENA.glob("public/*.py")])
HTML = re.compile(r"</?[a-z!]|=[\"']$")
# Fields that hold what others wrote; what is a number or one of our own words is none.
OTHERS = {
    field.name for kind in (Run, Box, View) for field in fields(kind) if re.match(r"str\b|.*dict", str(field.type))
} - {"letter", "run_id", "comparison_id", "stage", "phase", "kind", "side"}
OTHERS |= {"system", "hint", "reason", "filename", "question", "license", "source"}
# Calls that hand a text on as it is.
RAW = {
    "tr",
    "str",
    "join",
    "strip",
    "lower",
    "upper",
    "title",
    "format",
    "removesuffix",
    "removeprefix",
    "replace",
    "get",
}


def raw(node: ast.expr, names: dict[str, ast.expr], depth: int = 0) -> bool:
    """Whether an expression is a text of others, or one of ours with theirs in it, as it came."""
    if isinstance(node, ast.Name) and node.id in names and depth < 3:
        return raw(names[node.id], names, depth + 1)
    if isinstance(node, ast.Attribute):
        return node.attr in OTHERS
    if isinstance(node, ast.Subscript):
        return raw(node.value, names, depth)
    if isinstance(node, ast.IfExp):
        return raw(node.body, names, depth) or raw(node.orelse, names, depth)
    if isinstance(node, ast.BoolOp):
        return any(raw(value, names, depth) for value in node.values)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name):
            return node.func.id == "tr"
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if method == "tr":
            return True
        return method in RAW and isinstance(node.func, ast.Attribute) and raw(node.func.value, names, depth)
    return False


def unescaped(tree: ast.AST) -> Iterator[str]:
    """Every place where such a text stands in an f-string of HTML, or is added to one."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            continue
        own = function.body if isinstance(function, ast.Module) else [function]
        if isinstance(function, ast.Module):
            own = [node for node in own if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        nodes = [node for each in own for node in ast.walk(each)]
        names = {
            target.id: node.value
            for node in nodes
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in nodes:
            parts: list[ast.expr] = []
            if isinstance(node, ast.JoinedStr) and HTML.search("".join(constants(node))):
                parts = [value.value for value in node.values if isinstance(value, ast.FormattedValue)]
            elif isinstance(node, ast.BinOp) and any(
                HTML.search("".join(constants(side))) for side in (node.left, node.right)
            ):
                parts = [node.left, node.right]
            yield from (f"line {node.lineno}: {ast.unparse(part)}" for part in parts if raw(part, names))


def constants(node: ast.AST) -> list[str]:
    values = node.values if isinstance(node, ast.JoinedStr) else [node]
    return [str(value.value) for value in values if isinstance(value, ast.Constant)]


@pytest.mark.battery("X1")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_text_of_others_becomes_html_unescaped(path: Path) -> None:
    assert sorted(set(unescaped(ast.parse(path.read_text(encoding="utf-8"))))) == []


@pytest.mark.parametrize(
    "code",
    [
        'f"<p>{run.text}</p>"',
        "f\"<p title='{tr(key, lang, name=name)}'>x</p>\"",
        'f"<p>{run.title.strip() if run else 1}</p>"',
        '"<p>" + run.prompt + "</p>"',
        'f"<b>{run.params[name]}</b>"',
        'f"<i>{run.error_detail or 1}</i>"',
    ],
)
def test_the_reading_finds_what_it_is_meant_to_find(code: str) -> None:
    assert list(unescaped(ast.parse(f"def page():\n    return {code}")))
    assert list(unescaped(ast.parse(f"def page():\n    found = {code}\n    return found")))


def test_what_is_escaped_first_is_well() -> None:
    assert not list(
        unescaped(ast.parse('def page():\n    said = text(run.text)\n    return f"<p>{said}{number(run.seed)}</p>"'))
    )


def test_blocks_of_html_are_the_only_way_in() -> None:
    """Components of the framework that draw a text as markup by themselves, or as HTML in a cell, are not used."""
    sinks = re.compile(
        r"\b(nh3|markdown_it|latex2mathml)\b|gr\.(Markdown|Chatbot|HighlightedText)\(|datatype=|sanitize_html"
    )
    found = [path.name for path in PAGES if sinks.search(path.read_text("utf-8"))]
    assert sorted(found) == ["formula.py", "safe_html.py"]


@pytest.mark.battery("X1")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_toast_says_what_was_escaped_or_our_own_words(path: Path) -> None:
    """The framework draws a toast as HTML."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and re.fullmatch(r"gr\.(Warning|Info|Error)", ast.unparse(node.func)):
            said = node.args[0]
            assert isinstance(said, ast.Call), ast.unparse(node)
            given = {keyword.arg for keyword in said.keywords}
            escaped = ast.unparse(said.func) in ("render.text", "text", "escape")
            assert escaped or (ast.unparse(said.func) == "tr" and given <= {"count"}), ast.unparse(node)


def test_scripts_write_no_html_of_their_own_making() -> None:
    """What the page's scripts put in themselves is text; only what the server has made and escaped comes as HTML."""
    writes = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc)\b")
    scripts = [*(ARENA.parent / "assets").glob("*.js"), *PAGES]
    found = {path.name for path in scripts if writes.search(path.read_text("utf-8"))}
    assert found == set()
