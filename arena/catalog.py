"""assets/models.yaml and benchmarks/tasks/*.yaml as frozen objects, validated whole, with "did you mean"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mode:
    """One way a model can run: its worst memory need in GB by quantization (``none``, ``8bit``, ``4bit``)."""

    name: str  # embedded, transformers, vllm, endpoint
    vram_gb: dict[str, float] = field(default_factory=dict)
    why_not: str = ""  # non-empty when the model cannot run in this mode, with the reason


@dataclass(frozen=True)
class ModelSpec:
    """One entry of the catalogue: a model in one mode with one quantization, ready to be brought up."""

    id: str
    title: str
    adapter: str
    source: str
    revision: str = ""
    interpreter: str = "main"  # main, legacy, legacy-dots: a named environment of requirements/
    modes: tuple[Mode, ...] = ()
    tasks: tuple[str, ...] = ("ocr",)
    languages: tuple[str, ...] = ()
    parameters: str = ""  # "2.2B"
    licence: str = ""
    gated: bool = False
    trust_remote_code: bool = False
    mode: str = "embedded"
    quantization: str = "none"
    dtype: str = "auto"
    aliases: tuple[str, ...] = ()
    dev_only: bool = False
    options: dict[str, Any] = field(default_factory=dict)  # given to the adapter's load()
    params: dict[str, Any] = field(default_factory=dict)  # defaults of generation
    notes: dict[str, str] = field(default_factory=dict)  # by language


@dataclass(frozen=True)
class Task:
    """One file of benchmarks/tasks: what is asked, in every language, and what kind of answer comes."""

    id: str
    version: int
    titles: dict[str, str]
    prompts: dict[str, str]
    output: str = "text"  # text, markdown, boxes
    metrics: tuple[str, ...] = ()

    def prompt_for(self, lang: str) -> str:
        return self.prompts.get(lang) or self.prompts["en"]
