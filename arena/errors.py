"""The errors users meet: what was wrong, what to do, in their language.

ArenaError
├── ConfigError      wrong settings or catalogue; raised at start with every problem at once
└── RunError(kind)   one run, one image or one model failed; becomes a row, never ends the program
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.strings import tr


@dataclass(frozen=True)
class Kind:
    """How one kind of failure is told: HTTP status, OpenAI error type, status of the run."""

    http: int
    openai: str
    status: str = "error"


# One table for the API, the page and the rows; the texts are the keys ``errors.<kind>``.
KINDS: dict[str, Kind] = {
    "unavailable": Kind(503, "service_unavailable"),
    "start_failed": Kind(503, "service_unavailable"),
    "start_timeout": Kind(504, "timeout", "timeout"),
    "out_of_memory": Kind(507, "insufficient_memory", "oom"),
    "timeout": Kind(504, "timeout", "timeout"),
    "worker_died": Kind(502, "server_error"),
    "bad_input": Kind(400, "invalid_request_error"),
    "bad_output": Kind(502, "server_error"),
    "model_error": Kind(502, "server_error"),
    "endpoint": Kind(502, "server_error"),
    "cancelled": Kind(499, "cancelled", "cancelled"),
    "busy": Kind(429, "rate_limit_error"),
    "vram_not_released": Kind(503, "service_unavailable"),
    "storage": Kind(507, "server_error"),
}


# Keys and passwords by their usual looks: what models, services and libraries say in their errors may hold one.
SECRET = re.compile(
    r"\bsk-(?=[\w-]*\d)[\w-]{12,}|\b(?:hf|gh[opsu])_[a-z0-9]{16,}|(?<=\bBearer )[^\s\"',;]{8,}"
    r"|(?P<before>://[^\s/:@]*:)[^\s/@]+(?=@)",
    re.IGNORECASE | re.ASCII,
)


def without_secrets(text: str) -> str:
    """The text with what looks like a key or a password made unreadable.

    >>> without_secrets("401: Incorrect API key provided: sk-proj-0123456789")
    '401: Incorrect API key provided: ***'
    """
    return SECRET.sub(r"\g<before>***", text)


class ArenaError(Exception):
    """An error with a text in every language: `key` names it in the string files, `params` fill it.

    No text that it is given shows a secret in it."""

    def __init__(self, key: str, **params: Any) -> None:
        self.key = key
        self.params = {
            name: without_secrets(value) if isinstance(value, str) else value for name, value in params.items()
        }
        super().__init__(self.text())

    def text(self, lang: str = "en") -> str:
        return tr(self.key, lang, **self.params)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the configuration: a text by its key, filled with `params`."""

    key: str
    params: Mapping[str, Any]

    def text(self, lang: str = "en") -> str:
        return without_secrets(tr(self.key, lang, **self.params))


class ConfigError(ArenaError):
    """Everything that is wrong with the configuration, one line a problem. What is a text already, as all that is
    said of the catalogue's files, is the same in every language."""

    def __init__(self, problems: Sequence[Problem | str]) -> None:
        self._problems = problems
        super().__init__("errors.config")

    @property
    def problems(self) -> list[str]:
        return self._told("en")

    def text(self, lang: str = "en") -> str:
        return tr(self.key, lang, problems="\n".join(f"- {problem}" for problem in self._told(lang)))

    def _told(self, lang: str) -> list[str]:
        return [each.text(lang) if isinstance(each, Problem) else without_secrets(each) for each in self._problems]


class RunError(ArenaError):
    """A failure of one run. `detail` is technical and English; `key` and `params` say it to the user.

    Without a `key` the text is that of the kind, followed by the detail.
    """

    def __init__(self, kind: str, detail: str = "", *, key: str | None = None, **params: Any) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown kind of error: {kind}")
        self.kind = kind
        self.has_own_text = key is not None
        self._detail = without_secrets(detail)
        super().__init__(key or f"errors.{kind}", detail=detail, **params)

    @property
    def detail(self) -> str:
        return self._detail or super().text("en")

    @property
    def status(self) -> str:
        return KINDS[self.kind].status

    def text(self, lang: str = "en") -> str:
        said = super().text(lang)
        return said if self.has_own_text or not self._detail else f"{said} {self._detail}"
