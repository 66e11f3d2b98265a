"""The rules of the house that no linter knows: short files, plain names, equal languages, lists that agree."""

from __future__ import annotations

import ast
import re
import string
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml

from arena.types import Status

ROOT = Path(__file__).parent.parent.parent
LANGUAGES = ("en", "ru")
LONGEST = 400
SKIPPED = {"node_modules", "__pycache__", "build", "dist"}

CODE = sorted(
    path
    for path in ROOT.rglob("*.py")
    if not SKIPPED & set(path.parts) and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
OURS = [path for path in CODE if path.relative_to(ROOT).parts[0] != "tests"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_longer_than_can_be_read() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_the_first_line_of_a_file_says_its_purpose() -> None:
    def purpose(path: Path) -> str:
        return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]

    silent = [name_of(path) for path in CODE if path.stat().st_size and not purpose(path)]
    assert silent == []


def test_names_say_what_is_in_a_file() -> None:
    vague = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common|new|old|fixed|final|v\d+)(_|$)", re.IGNORECASE)
    classes = re.compile(r"^\s*class \w*(Utils?|Helper|Manager)\b", re.MULTILINE)
    # The Python interface that existing scripts were written for.
    allowed = {"ModelManager"}
    found = [name_of(path) for path in CODE if vague.search(path.stem)]
    for path in OURS:
        for match in classes.finditer(path.read_text(encoding="utf-8")):
            name = match.group().split()[-1]
            if name not in allowed:
                found.append(f"{name_of(path)}: {name}")
    assert found == []


def texts(language: str) -> dict[str, str]:
    """All texts of a language by dotted key; a key that stands twice in the file is refused."""

    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, object]:
        keys = [loader.construct_object(key) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"{language}.yaml, line {node.start_mark.line + 1}: twice: {twice}"
        return {
            key: loader.construct_object(value, deep=True) for key, (_, value) in zip(keys, node.value, strict=True)
        }

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    flat: dict[str, str] = {}

    def flatten(prefix: str, node: object) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                flatten(f"{prefix}.{key}" if prefix else str(key), value)
        else:
            assert isinstance(node, str), f"{language}.yaml: {prefix} is {node!r}, not a text"
            flat[prefix] = node

    source = (ROOT / "assets" / "strings" / f"{language}.yaml").read_text(encoding="utf-8")
    flatten("", yaml.load(source, Loader=Strict))  # noqa: S506 - a SafeLoader
    return flat


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_languages_have_the_same_texts_with_the_same_blanks() -> None:
    english, russian = texts("en"), texts("ru")
    assert english.keys() ^ russian.keys() == set()
    assert {key: blanks(english[key]) ^ blanks(russian[key]) for key in english} == {key: set() for key in english}


def test_no_text_is_empty_or_left_untranslated() -> None:
    english, russian = texts("en"), texts("ru")
    assert [key for key in english if not english[key].strip() or not russian[key].strip()] == []
    # A text of several plain words that reads the same in both languages was forgotten.
    plain = {key: re.sub(r"\{\w*\}|`[^`]*`", "", text) for key, text in english.items()}
    same = [key for key in english if english[key] == russian[key] and len(re.findall(r"[a-z]{3,}", plain[key])) > 2]
    assert same == []


def test_every_text_that_the_code_names_exists() -> None:
    known = texts("en")
    named = re.compile(r"""(?:\btr\(|\bkey=)\s*"([a-z_]+(?:\.[a-z_0-9]+)+)\"""")
    missing = [
        f"{name_of(path)}: {key}"
        for path in OURS
        for key in named.findall(path.read_text(encoding="utf-8"))
        if key not in known
    ]
    assert missing == []


def headings(path: Path) -> list[int]:
    body = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", body, flags=re.MULTILINE)]


def test_the_readme_has_the_same_parts_in_both_languages() -> None:
    english, russian = ROOT / "README.md", ROOT / "README.ru.md"
    assert headings(english) == headings(russian) != []


def test_links_within_the_documents_lead_somewhere() -> None:
    dead = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                dead.append(f"{name_of(path)}: {target}")
    assert dead == []


def test_every_import_is_in_the_requirements() -> None:
    """An installation from requirements.txt alone, with no tools of the tests, has all that the code imports."""
    from importlib.metadata import packages_distributions
    from importlib.util import find_spec

    listed = {
        re.split(r"[<>=;\[ ]", line)[0].lower().replace("_", "-")
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    owners = packages_distributions()
    ours = {path.name for path in ROOT.iterdir()} | {
        path.stem for path in [*ROOT.glob("*.py"), *ROOT.glob("docs/*.py")]
    }
    unlisted = set()
    for path in OURS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            for module in {module.split(".")[0] for module in modules} - ours - sys.stdlib_module_names:
                names = {owner.lower().replace("_", "-") for owner in owners.get(module, [])}
                if find_spec(module) is not None and not names & listed:
                    unlisted.add(f"{name_of(path)}: {module}")
    assert unlisted == set()


@pytest.mark.parametrize("module", ["arena.config", "arena.catalog", "arena.cli", "app"])
def test_opening_does_not_wait_for_heavy_packages(module: str) -> None:
    heavy = {"torch", "transformers", "vllm", "docker", "onnxruntime", "rapidocr", "tesserocr", "cv2", "pypdfium2"}
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {heavy!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_no_rule_of_style_takes_a_status_for_something_else() -> None:
    """A chip has its status as a class: a rule for ``.empty`` alone, meant for an empty list, made a box of it."""
    bare = re.compile(rf"^\s*\.({'|'.join(get_args(Status))})\b(?![-\w])\s*(\{{|,|[a-z:.>])", re.MULTILINE)
    found = {path.name: bare.findall(path.read_text(encoding="utf-8")) for path in (ROOT / "assets").glob("*.css")}
    assert {name: rules for name, rules in found.items() if rules} == {}


def test_a_handler_beside_the_queue_says_nothing() -> None:
    """`gr.Info` and `gr.Warning` travel with the queue: of a handler with ``queue=False`` nobody would see them."""
    silent = []
    for path in sorted((ROOT / "arena" / "ui").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls: dict[str, set[str]] = {}
        beside = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                called = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
                calls[node.name] = {each.attr for each in called if isinstance(each, ast.Attribute)}
            if isinstance(node, ast.Call) and any(
                word.arg is None and "LIGHT" in ast.dump(word) for word in node.keywords
            ):
                beside |= {each.attr for each in node.args[:1] if isinstance(each, ast.Attribute)}
        speaks = {"Info", "Warning"}
        for _ in calls:
            speaks |= {name for name, called in calls.items() if called & speaks}
        silent += [f"{name_of(path)}: {name}" for name in sorted(beside & speaks)]
    assert silent == []
