"""YAML as people write it: dates and "yes" stay text, a key written twice is a problem, every problem is collected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is ten times faster


class _Loader(_Base):  # type: ignore[misc]
    """PyYAML reads YAML 1.1, where ``2025-06-21`` is a date and ``no`` is false; YAML 1.2 and people disagree."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[str] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key.value, str):
                if key.value in seen:
                    self.repeated.append(f"line {key.start_mark.line + 1}: {key.value!r} is written twice")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF"))


def read_mapping(path: Path, label: str, problems: list[str]) -> dict[str, Any]:
    """The mapping in a YAML file; an empty file is an empty one. What is wrong is added to `problems`."""
    try:
        loader = _Loader(path.read_text(encoding="utf-8-sig"))
        try:
            data = loader.get_single_data()
        finally:
            loader.dispose()
    except OSError as error:
        problems.append(f"{label}: cannot be read: {error.strerror}")
        return {}
    except UnicodeDecodeError as error:
        problems.append(f"{label}: is not UTF-8 text (byte {error.start})")
        return {}
    except yaml.YAMLError as error:
        problems.append(f"{label}: is not YAML: {' '.join(str(error).split())}")
        return {}
    problems.extend(f"{label}: {repeated}" for repeated in loader.repeated)
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        problems.append(f"{label}: a mapping with text keys is expected")
        return {}
    return data
