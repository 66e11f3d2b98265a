"""The nouns of the catalogue: a model as it will be brought up, a way it can run, a task it is given."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, get_args
from urllib.parse import urlsplit

from arena.entries import COMMIT, Dtype, ModeName, Quantization, is_local, shown
from arena.errors import RunError

OPTIONS = {"mode": get_args(ModeName), "quantization": get_args(Quantization), "dtype": get_args(Dtype)}


@dataclass(frozen=True)
class ContainerSpec:
    """How vLLM serves a model: what its container is called, where it listens, what it is told.

    name: of the container. port: on 127.0.0.1. max_model_len: tokens of prompt and answer together.
    gpu_memory_utilization: share of the GPU it takes. enforce_eager: no CUDA graphs: a quicker start, slower answers.
    shm_size: as Docker writes sizes. start_budget_s: how long a first start may take. flags: further arguments.
    image: instead of the one that all use.
    """

    name: str
    port: int
    max_model_len: int = 4096
    gpu_memory_utilization: float = 0.85
    enforce_eager: bool = False
    shm_size: str = "8g"
    start_budget_s: float = 240.0
    flags: tuple[str, ...] = ()
    image: str = ""


@dataclass(frozen=True)
class EndpointSpec:
    """A service that speaks OpenAI's protocol: its URL up to ``/v1``, the name of the model there, and the name of the
    environment variable that holds the key, "" for none."""

    url: str
    model: str
    key_variable: str = ""

    @property
    def host(self) -> str:
        """The machine that answers, and the port if it is not the usual."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class Mode:
    """One way a model can run.

    vram_gb: the most that one page takes, in GB of 1024 MiB, by quantization (``none``, ``8bit``, ``4bit``);
    a quantization that is not listed cannot be chosen; empty where no GPU is used or nothing is known.
    why_not: the reason by language when the model cannot run in this mode, else empty. adapter, interpreter: what runs
    it in this mode. container: how ``vllm`` is started. endpoint: where ``endpoint`` is.
    """

    name: str  # embedded, transformers, vllm, endpoint
    vram_gb: dict[str, float] = field(default_factory=dict)
    why_not: dict[str, str] = field(default_factory=dict)
    adapter: str = ""
    interpreter: str = "main"
    container: ContainerSpec | None = None
    endpoint: EndpointSpec | None = None

    @property
    def told(self) -> dict[str, Any]:
        """What this mode adds to what the model is loaded with."""
        parts = {"container": self.container, "endpoint": self.endpoint}
        return {name: asdict(part) for name, part in parts.items() if part}

    @property
    def quantizations(self) -> tuple[str, ...]:
        return tuple(self.vram_gb) or ("none",)


@dataclass(frozen=True)
class Further:
    """A repository on the Hub beside the model's own, without which it does not load: a tokenizer, say."""

    source: str
    revision: str

    @property
    def ref(self) -> str:
        return self.revision.removeprefix("pin:")


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
    also: tuple[str, ...] = ()  # owner/name of further repositories that are downloaded with it
    dev_only: bool = False
    options: dict[str, Any] = field(default_factory=dict)  # given to the adapter's load()
    params: dict[str, Any] = field(default_factory=dict)  # defaults of generation
    notes: dict[str, str] = field(default_factory=dict)  # by language

    @property
    def key(self) -> str:
        """What tells one loaded model from another: everything that `Adapter.load` is given, and where it runs."""
        loaded = (self.id, self.adapter, self.source, self.revision, self.interpreter)
        options = json.dumps(self.options | self.in_mode(self.mode).told, sort_keys=True, default=str)
        chosen = (self.mode, self.quantization, self.dtype, options)
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
    def further(self) -> tuple[Further, ...]:
        """What is downloaded besides; its commit is fixed by the first download if the model's is fixed at all."""
        fixed = self.pinned or self.revision.startswith("pin:")
        return tuple(Further(name, "pin:main" if fixed else "main") for name in self.also)

    @property
    def repositories(self) -> tuple[ModelSpec | Further, ...]:
        """Where its files come from: its own repository, then the further ones."""
        return (self, *self.further)

    @property
    def pinned(self) -> bool:
        """Whether the revision alone fixes what is run."""
        return bool(COMMIT.fullmatch(self.revision))

    @property
    def elsewhere(self) -> EndpointSpec | None:
        """The service that runs it, as it is set; None when it runs on this machine."""
        return self.in_mode(self.mode).endpoint

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
        chosen = self.in_mode(wanted)
        return replace(
            self,
            mode=wanted,
            adapter=chosen.adapter or self.adapter,
            interpreter=chosen.interpreter if chosen.adapter else self.interpreter,
            quantization=quantization or self.quantization,
            dtype=dtype or self.dtype,
        )

    def set_by(self, words: Iterable[str]) -> ModelSpec:
        """The same model set by the values alone: ``vllm``, ``8bit``, ``fp16``. Raises `RunError` (``bad_input``)."""
        chosen: dict[str, str] = {}
        for word in words:
            option = next((name for name, values in OPTIONS.items() if word in values), None)
            if option is None:
                allowed = [mode.name for mode in self.modes], self.in_mode(self.mode).quantizations, self.dtypes
                self._check("option", word, [value for values in allowed for value in values])
            chosen[str(option)] = word
        return self.with_options(**chosen)

    @property
    def how(self) -> str:
        """How it runs, which tells two variants of one model apart; "" for an embedded engine."""
        return "" if self.mode == "embedded" else how(self.mode, self.quantization, self.dtype)

    @property
    def label(self) -> str:
        """The title with how it runs."""
        return labelled(self.title, self.mode, self.quantization, self.dtype)

    @property
    def variant(self) -> str:
        """The name that `Catalog.find` makes this very spec of."""
        return f"{self.id}:{self.mode}:{self.quantization}:{self.dtype}"

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


def how(mode: str, quantization: str, dtype: str) -> str:
    """How a model runs, in the catalogue's words, what is usual left out: ``transformers · 8bit``."""
    return " · ".join([mode, *(word for word in (quantization, dtype) if word not in ("", "none", "auto"))])


def labelled(title: str, mode: str, quantization: str, dtype: str) -> str:
    """The title, for a model that has to be loaded with how it runs: ``Qwen2-VL 2B (transformers · 8bit)``."""
    return title if mode == "embedded" else f"{title} ({how(mode, quantization, dtype)})"


@dataclass(frozen=True)
class Task:
    """One file of benchmarks/tasks: what is asked, in every language, and what kind of answer comes.

    like: another task: whoever does that one does this one too, and what an adapter is told is that one.
    conversation: it has turns, so it is no task for one image and one question.
    """

    id: str
    version: int
    titles: dict[str, str]
    prompts: dict[str, str]
    output: str = "text"  # text, markdown, boxes
    metrics: tuple[str, ...] = ()
    conversation: bool = False
    like: str | None = None

    @property
    def known_as(self) -> str:
        """The task as adapters know it."""
        return self.like or self.id

    def title_for(self, lang: str) -> str:
        return self.titles.get(lang) or self.titles["en"]

    def prompt_for(self, lang: str) -> str:
        return self.prompts.get(lang) or self.prompts["en"]
