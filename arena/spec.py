"""The nouns of the catalogue: a model as it will be brought up, a way it can run, a task it is given."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from arena.entries import COMMIT, is_local, shown
from arena.errors import RunError


@dataclass(frozen=True)
class Mode:
    """One way a model can run.

    vram_gb: the most that one page takes, in GB of 1024 MiB, by quantization (``none``, ``8bit``, ``4bit``);
    a quantization that is not listed cannot be chosen; empty where no GPU is used or nothing is known.
    why_not: the reason by language when the model cannot run in this mode, else empty.
    """

    name: str  # embedded, transformers, vllm
    vram_gb: dict[str, float] = field(default_factory=dict)
    why_not: dict[str, str] = field(default_factory=dict)

    @property
    def quantizations(self) -> tuple[str, ...]:
        return tuple(self.vram_gb) or ("none",)


@dataclass(frozen=True)
class ModelSpec:
    """One entry of the catalogue: a model in one mode with one quantization, ready to be brought up."""

    id: str
    title: str
    adapter: str
    source: str  # owner/name on the Hub, an absolute folder, or "" for an embedded engine
    revision: str = ""  # commit, tag, branch, or pin:NAME; "" for what has none
    interpreter: str = "main"  # main, legacy, legacy-dots: a named environment of requirements/
    modes: tuple[Mode, ...] = ()
    tasks: tuple[str, ...] = ("ocr",)
    languages: tuple[str, ...] = ()
    parameters: str = ""  # "2.2B"
    size_gb: float | None = None  # weights to download, GB of 10^9 bytes
    licence: str = ""
    gated: bool = False
    trust_remote_code: bool = False
    mode: str = "embedded"
    quantization: str = "none"
    dtype: str = "auto"
    dtypes: tuple[str, ...] = ("auto",)
    aliases: tuple[str, ...] = ()
    dev_only: bool = False
    options: dict[str, Any] = field(default_factory=dict)  # given to the adapter's load()
    params: dict[str, Any] = field(default_factory=dict)  # defaults of generation
    notes: dict[str, str] = field(default_factory=dict)  # by language

    @property
    def key(self) -> str:
        """What tells one loaded model from another: everything that `Adapter.load` is given, and where it runs."""
        loaded = (self.id, self.adapter, self.source, self.revision, self.interpreter)
        chosen = (self.mode, self.quantization, self.dtype, json.dumps(self.options, sort_keys=True, default=str))
        return "|".join((*loaded, *chosen))

    @property
    def local(self) -> bool:
        """Whether the weights are a folder on this machine."""
        return is_local(self.source)

    @property
    def ref(self) -> str:
        """The name to download: the revision without ``pin:``."""
        return self.revision.removeprefix("pin:")

    @property
    def pinned(self) -> bool:
        """Whether the revision alone fixes what is run."""
        return bool(COMMIT.fullmatch(self.revision))

    def in_mode(self, name: str) -> Mode:
        """The mode by name; an empty one for a spec made without modes."""
        return next((mode for mode in self.modes if mode.name == name), Mode(name))

    @property
    def vram_gb(self) -> float | None:
        """What it needs as it is set, in GB of 1024 MiB: 0 for an embedded engine, None when nobody knows."""
        if self.mode == "embedded":
            return 0.0
        return self.in_mode(self.mode).vram_gb.get(self.quantization)

    def note(self, lang: str) -> str:
        return self.notes.get(lang) or self.notes.get("en", "")

    def with_options(
        self, *, mode: str | None = None, quantization: str | None = None, dtype: str | None = None
    ) -> ModelSpec:
        """The same model set differently; what is not given stays, if the new mode has it.

        Raises `RunError` (``bad_input``) for what the entry does not allow, saying what it does.
        """
        wanted = mode or self.mode
        if mode:
            self._check("mode", mode, (each.name for each in self.modes if not each.why_not))
        listed = self.in_mode(wanted).quantizations
        if quantization:
            self._check("quantization", quantization, listed)
        elif self.quantization not in listed:
            quantization = listed[0]
        if dtype:
            self._check("dtype", dtype, self.dtypes)
        return replace(self, mode=wanted, quantization=quantization or self.quantization, dtype=dtype or self.dtype)

    def _check(self, option: str, value: str, allowed: Iterable[str]) -> None:
        allowed = list(allowed)
        if value not in allowed:
            raise RunError(
                "bad_input",
                key="models.bad_option",
                title=self.title,
                option=option,
                value=shown(value),
                allowed=", ".join(allowed),
            )


@dataclass(frozen=True)
class Task:
    """One file of benchmarks/tasks: what is asked, in every language, and what kind of answer comes."""

    id: str
    version: int
    titles: dict[str, str]
    prompts: dict[str, str]
    output: str = "text"  # text, markdown, boxes
    metrics: tuple[str, ...] = ()

    def title_for(self, lang: str) -> str:
        return self.titles.get(lang) or self.titles["en"]

    def prompt_for(self, lang: str) -> str:
        return self.prompts.get(lang) or self.prompts["en"]
