"""What may stand in the catalogue's files: fields and their rules, checked whole, with "did you mean"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, ValidationInfo, field_validator

ModeName = Literal["embedded", "transformers", "vllm", "endpoint"]
SERVED = ("vllm", "endpoint")  # modes in which a server of its own runs the model
Quantization = Literal["none", "8bit", "4bit"]
Dtype = Literal["auto", "bf16", "fp16", "fp32"]
Lang = Literal["en", "ru"]
OutputKind = Literal["text", "markdown", "boxes"]
Scalar = str | int | float | bool

ID = re.compile(r"[a-z][a-z0-9_]{0,63}")
Id = Annotated[str, StringConstraints(pattern=rf"^{ID.pattern}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Gigabytes = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=2000)]

COMMIT = re.compile(r"[0-9a-f]{40}")
REVISION = re.compile(r"(pin:)?(?!-)[\w.][\w./-]{0,127}", re.ASCII)
# Names of environment variables that hold what a model's own code has no business to know.
SECRET = re.compile(
    r".*(_KEYS?|_ACCESS_KEY_ID|_TOKENS?|_SECRETS?|PASSWORD|PASSWD|PASSPHRASE|_CREDENTIALS?|DATABASE_URL)", re.IGNORECASE
)
# owner/name as the Hugging Face Hub allows it
HUB_ID = re.compile(r"(?=.{3,193}\Z)(?!.*(--|\.\.))\w[\w.-]{0,95}/\w[\w.-]{0,95}(?<![.-])(?<!\.git)", re.ASCII)


class Context(TypedDict):
    """What the rules of an entry have to know besides it. folder: what its relative source starts from, if it may."""

    adapters: list[str]
    tasks: list[str]
    folder: Path | None


def context(info: ValidationInfo) -> Context:
    return cast(Context, info.context)


class Strict(BaseModel):
    """No unknown field, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ContainerEntry(Strict):
    """See `arena.spec.ContainerSpec`."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}$")]
    port: int = Field(ge=1024, le=65535)
    max_model_len: int = Field(default=4096, ge=1)
    gpu_memory_utilization: float = Field(default=0.85, gt=0, le=1)
    enforce_eager: bool = False
    shm_size: Annotated[str, StringConstraints(pattern=r"^\d+[kmg]?$")] = "8g"
    start_budget_s: float = Field(default=240.0, gt=0)
    flags: list[str] = []
    image: str = ""


class EndpointEntry(Strict):
    """See `arena.spec.EndpointSpec`."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$")]
    model: Line
    key_variable: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$|^$")] = ""

    @field_validator("key_variable")
    @classmethod
    def _kept_from_models(cls, value: str) -> str:
        if value and not SECRET.fullmatch(value):
            raise ValueError("must end in _KEY, _TOKEN, _SECRET or PASSWORD: no model's code gets to see those")
        return value


class ModeEntry(Strict):
    """See `arena.catalog.Mode`."""

    adapter: Id | None = None
    vram_gb: dict[Quantization, Gigabytes] = {}
    why_not: dict[Lang, Line] = {}
    container: ContainerEntry | None = None
    endpoint: EndpointEntry | None = None


class ModelEntry(Strict):
    """See `arena.catalog.ModelSpec`. The order of the fields matters: a rule sees the fields above it."""

    title: Line = ""
    adapter: Id
    modes: dict[ModeName, ModeEntry] = Field(min_length=1)
    mode: ModeName | None = Field(default=None, validate_default=True)
    quantization: Quantization | None = Field(default=None, validate_default=True)
    dtypes: list[Dtype] = Field(default=list(get_args(Dtype)), min_length=1)
    dtype: Dtype | None = Field(default=None, validate_default=True)
    source: str = Field(default="", validate_default=True)
    trust_remote_code: bool = False
    revision: str = Field(default="main", validate_default=True)
    interpreter: Literal["main", "legacy", "legacy-dots"] = "main"
    tasks: list[str] = Field(default=["ocr"], min_length=1)
    languages: list[Language] = []
    parameters: str = ""
    size_gb: Gigabytes | None = None
    licence: str = ""
    gated: bool = False
    aliases: list[Id] = []
    also: list[str] = []
    dev_only: bool = False
    options: dict[str, Any] = {}
    params: dict[str, Scalar] = {}
    notes: dict[Lang, Line] = {}

    @field_validator("adapter")
    @classmethod
    def _adapter_known(cls, value: str, info: ValidationInfo) -> str:
        return one_of(value, context(info)["adapters"], "adapter")

    @field_validator("tasks")
    @classmethod
    def _tasks_known(cls, value: list[str], info: ValidationInfo) -> list[str]:
        return [one_of(task, context(info)["tasks"], "task") for task in value]

    @field_validator("modes")
    @classmethod
    def _endpoint_named(cls, value: dict[ModeName, ModeEntry]) -> dict[ModeName, ModeEntry]:
        for name, mode in value.items():
            if (name == "endpoint") != (mode.endpoint is not None):
                raise ValueError("a mode endpoint, and no other, needs endpoint: {url: …, model: …}")
        return value

    @field_validator("also")
    @classmethod
    def _also_on_the_hub(cls, value: list[str]) -> list[str]:
        for name in value:
            if not HUB_ID.fullmatch(name):
                raise ValueError(f"{shown(name)} is not owner/name on the Hugging Face Hub")
        return value

    @field_validator("mode")
    @classmethod
    def _mode_can_run(cls, value: ModeName | None, info: ValidationInfo) -> ModeName | None:
        runs = [name for name, mode in info.data.get("modes", {}).items() if not mode.why_not]
        if "modes" in info.data and (not runs if value is None else value not in runs):
            raise ValueError(f"one of the modes that can run is expected: {', '.join(runs) or 'there is none'}")
        return value or next(iter(runs), None)

    @field_validator("quantization")
    @classmethod
    def _quantization_listed(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not info.data.get("mode"):
            return value
        listed = list(info.data["modes"][info.data["mode"]].vram_gb) or ["none"]
        return one_of(value or listed[0], listed, "quantization of this mode")

    @field_validator("dtype")
    @classmethod
    def _dtype_listed(cls, value: str | None, info: ValidationInfo) -> str | None:
        dtypes = info.data.get("dtypes")
        return one_of(value or dtypes[0], dtypes, "dtype of this model") if dtypes else value

    @field_validator("source")
    @classmethod
    def _source_found(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            if any(mode not in ("embedded", "endpoint") for mode in info.data.get("modes", ())):
                raise ValueError("is missing: owner/name on the Hugging Face Hub, or a folder")
            return value
        folder = local_folder(value, context(info)["folder"])
        if folder:
            return check_folder(folder)
        if not HUB_ID.fullmatch(value):
            raise ValueError(f"{shown(value)} is neither owner/name on the Hugging Face Hub nor a folder")
        return value

    @field_validator("trust_remote_code")
    @classmethod
    def _no_foreign_code(cls, value: bool, info: ValidationInfo) -> bool:
        source = info.data.get("source", "")
        foreign = foreign_code(Path(source)) if value and is_local(source) else []
        if foreign:
            raise ValueError(f"config.json takes code from another repository: {', '.join(foreign)}")
        return value

    @field_validator("revision")
    @classmethod
    def _revision_pinned(cls, value: str, info: ValidationInfo) -> str:
        source = info.data.get("source")
        if source is None or is_local(source) or not source:
            return ""  # a folder or an engine of this program has none
        if not REVISION.fullmatch(value) or ".." in value:
            raise ValueError(f"{shown(value)} is no name of a commit, tag or branch")
        if info.data.get("trust_remote_code") and not COMMIT.fullmatch(value) and not value.startswith("pin:"):
            raise ValueError(
                f"{shown(value)} may change, and with trust_remote_code the model's code is run: "
                f"give a commit (40 hex digits), or pin:{value} to stay with what the first download brings"
            )
        return value


class TaskEntry(Strict):
    """See `arena.catalog.Task`."""

    id: Id
    like: Id | None = None
    version: int = Field(ge=1)
    titles: dict[Lang, Line]
    prompts: dict[Lang, Line]
    output: OutputKind = "text"
    metrics: list[Id] = []
    conversation: bool = False

    @field_validator("titles", "prompts")
    @classmethod
    def _in_every_language(cls, value: dict[str, str]) -> dict[str, str]:
        missing = [lang for lang in get_args(Lang) if lang not in value]
        if missing:
            raise ValueError(f"the text in {', '.join(missing)} is missing")
        return value


def is_local(source: str) -> bool:
    """Whether a checked source is a folder; such a source is absolute."""
    return Path(source).is_absolute()


def local_folder(source: str, beside: Path | None) -> Path | None:
    """The folder a source means, None when it means the Hub. `beside`: what relative paths start from."""
    path = Path(source).expanduser()
    if path.is_absolute():
        return path
    if beside and (source.startswith(".") or (beside / path).is_dir()):
        return (beside / path).resolve()
    return None


def check_folder(folder: Path) -> str:
    """The folder as text. Raises `ValueError` when it holds no model that may be opened."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    if not (folder / "config.json").is_file():
        raise ValueError(f"there is no config.json in {folder}")
    if not any(folder.glob("*.safetensors")):
        pickles = sorted(path.name for pattern in ("*.bin", "*.pt", "*.pth") for path in folder.glob(pattern))
        if pickles:
            raise ValueError(
                f"{folder} holds its weights only as {pickles[0]}: opening that form can run any code; "
                "convert them to safetensors"
            )
        raise ValueError(f"there are no *.safetensors in {folder}")
    return str(folder)


def foreign_code(folder: Path) -> list[str]:
    """Other repositories that the ``auto_map`` of a model's config.json would load code from."""
    try:
        auto_map = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("auto_map", {})
        names = [name for value in auto_map.values() for name in ([value] if isinstance(value, str) else value)]
    except (OSError, ValueError, AttributeError, TypeError):
        return ["an unreadable config.json"]
    return sorted({name.split("--")[0] for name in names if isinstance(name, str) and "--" in name})


def one_of(value: str, known: Iterable[str], what: str) -> str:
    """`value` if it is known. Raises `ValueError` with "did you mean" otherwise."""
    known = list(known)
    if value not in known:
        raise ValueError(f"unknown {what} {shown(value)}{did_you_mean(value, known)}")
    return value


def shown(text: str) -> str:
    """A text from outside in quotes: escaped, at most 80 characters, so that it can stand in a message."""
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def similar(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names most like a misspelt one, best first."""
    from rapidfuzz import fuzz, process

    found = process.extract(name[:80].lower(), list(known), scorer=fuzz.WRatio, limit=most, score_cutoff=65)
    return [match for match, _, _ in found]


def did_you_mean(name: str, known: list[str]) -> str:
    close = similar(name, known, most=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (known: {', '.join(known)})"


def explain(error: ValidationError) -> list[tuple[str, str]]:
    """(field, what is wrong with it) for every error pydantic found."""
    found = []
    for item in error.errors(include_url=False):
        where = [str(part) for part in item["loc"] if part != "[key]"]
        if item["type"] == "extra_forbidden":
            kind = ModeEntry if where[0] == "modes" else ModelEntry if error.title == "ModelEntry" else TaskEntry
            what = f"unknown field{did_you_mean(where[-1], list(kind.model_fields))}"
        elif item["type"] == "missing":
            what = "is missing"
        elif item["type"] == "literal_error":
            known = re.findall(r"'([^']*)'", item["ctx"]["expected"])
            value = item["input"]
            what = f"unknown value {shown(str(value))}{did_you_mean(str(value), known)}"
        elif item["type"] == "value_error":
            what = str(item["ctx"]["error"])
        elif item["type"] == "string_type" and isinstance(item["input"], int | float):
            what = f"a text is expected, not the number {item['input']!r}; put it in quotes"
        else:
            what = f"{item['msg']}, not {shown(str(item['input']))}"
        found.append((".".join(where), what))
    return found
