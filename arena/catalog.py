"""The models and tasks there are: assets/models.yaml, the user's own file and benchmarks/tasks, checked whole."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import adapters
from adapters.base import adapter_class
from arena.config import Settings
from arena.entries import (
    ID,
    SERVED,
    ContainerEntry,
    Context,
    ModeEntry,
    ModelEntry,
    TaskEntry,
    did_you_mean,
    explain,
    shown,
    similar,
)
from arena.errors import ConfigError, RunError
from arena.spec import ContainerSpec, EndpointSpec, Mode, ModelSpec, Task
from arena.yaml_files import read_mapping

__all__ = ["Catalog", "Mode", "ModelSpec", "Task", "load_catalog"]

ROOT = Path(__file__).parent.parent
MODELS = ROOT / "assets" / "models.yaml"
TASKS = ROOT / "benchmarks" / "tasks"
PORT = 8090  # of a container whose entry names none
CLIENT = "openai_chat"  # the adapter that speaks to servers


@dataclass(frozen=True)
class Catalog:
    """All models and tasks, in the order of their files; the only place where a model's name becomes a model."""

    models: dict[str, ModelSpec]
    tasks: dict[str, Task]

    def find(self, name: str) -> ModelSpec:
        """The model with this id, alias or source on the Hub; nothing is read and nobody is asked.

        After the name may stand how it is to run, in any order: ``qwen2_vl_2b:vllm``, ``qwen2_vl_2b:8bit:fp16``.
        Raises `RunError` (``bad_input``, key ``models.unknown``) with the names most like it.
        """
        name, *options = name.split(":")
        for spec in self.models.values():
            if name and (name in (spec.id, *spec.aliases) or (name == spec.source and not spec.local)):
                return spec.set_by(options)
        ids = [spec.id for spec in self.visible(dev=False)]
        hint = ", ".join(similar(name, ids) or ids)
        raise RunError("bad_input", key="models.unknown", name=shown(name)[1:-1], hint=hint)

    def visible(self, dev: bool) -> list[ModelSpec]:
        """What users choose from; with `dev` also what is meant for developers."""
        return [spec for spec in self.models.values() if dev or not spec.dev_only]

    def task(self, name: str) -> Task:
        """The task with this id. Raises `RunError` (``bad_input``, key ``tasks.unknown``)."""
        if task := self.tasks.get(name):
            return task
        hint = ", ".join(similar(name, self.tasks) or self.tasks)
        raise RunError("bad_input", key="tasks.unknown", name=shown(name)[1:-1], hint=hint)


def adapter_names() -> list[str]:
    """The modules of adapters/ that define an adapter."""
    return [module.name for module in pkgutil.iter_modules(adapters.__path__) if adapter_exists(module.name)]


def adapter_exists(name: str) -> bool:
    try:
        return bool(adapter_class(name))
    except (ImportError, LookupError):
        return False


def load_catalog(settings: Settings) -> Catalog:
    """The shipped catalogue with the user's own file over it, field by field, in the mode of the settings.

    Raises `ConfigError` with every problem of every file: where it stands and what to do.
    """
    problems: list[str] = []
    tasks = read_tasks(TASKS, problems)
    models = read_models(MODELS, settings.models_file, tasks, problems)
    if problems:
        raise ConfigError(problems)
    return Catalog({name: starting(spec, settings.mode) for name, spec in models.items()}, tasks)


def starting(spec: ModelSpec, mode: str) -> ModelSpec:
    """The model in the mode that was asked for, if it can run in it."""
    able = any(each.name == mode and not each.why_not for each in spec.modes)
    return spec.with_options(mode=mode) if able else spec


def read_tasks(folder: Path, problems: list[str]) -> dict[str, Task]:
    """Every task of a folder by id; a file is named after its task."""
    tasks: dict[str, Task] = {}
    for path in sorted(folder.glob("*.yaml")):
        name = label(path)
        try:
            entry = TaskEntry.model_validate(read_mapping(path, name, problems))
        except ValidationError as error:
            problems.extend(f"{name}: {where}: {what}" for where, what in explain(error))
            continue
        if entry.id != path.stem:
            problems.append(f"{name}: id: {entry.id!r} is expected in {entry.id}.yaml")
        fields = entry.model_dump()
        tasks[entry.id] = Task(**{**fields, "metrics": tuple(entry.metrics)})
    own = [name for name, task in tasks.items() if not task.like]
    for name, task in tasks.items():
        if task.like and task.like not in own:
            problems.append(
                f"{label(folder / name)}.yaml: like: unknown task {shown(task.like)}{did_you_mean(task.like, own)}"
            )
    return tasks


def read_models(
    shipped: Path, own: Path | None, tasks: Mapping[str, Task], problems: list[str]
) -> dict[str, ModelSpec]:
    """Every model by id, ours first."""
    ours = read_entries(shipped, problems)
    theirs = read_entries(own, problems) if own else {}
    known = set(adapter_names()) | {str(entry["adapter"]) for entry in ours.values() if "adapter" in entry}
    specs: dict[str, ModelSpec] = {}
    for name in ours | theirs:
        entry = theirs.get(name, {})
        beside = (own if own and "source" in entry else shipped).absolute().parent
        context = Context(adapters=sorted(known), tasks=list(tasks), folder=beside)
        beginning = own if own and name not in ours else shipped
        try:
            checked = ModelEntry.model_validate(merged(ours.get(name, {}), entry), context=context)
        except ValidationError as error:
            for where, what in explain(error):
                origin = own if own and where.split(".")[0] in entry else beginning
                problems.append(f"{label(origin)}: {name}.{where}: {what}")
            continue
        spec = spec_of(name, checked)
        alike = [task.id for task in tasks.values() if task.like in spec.tasks and task.id not in spec.tasks]
        specs[name] = replace(spec, tasks=(*spec.tasks, *alike))
    problems.extend(clashes(specs.values(), label(own or shipped)))
    return specs


def read_entries(path: Path, problems: list[str]) -> dict[str, dict[str, Any]]:
    """The entries under ``models:`` of one file, unchecked but for their form and their ids."""
    name = label(path)
    data = read_mapping(path, name, problems)
    problems.extend(f"{name}: {key}: unknown field; entries stand under models:" for key in data if key != "models")
    models = data.get("models") or {}
    if not isinstance(models, dict):
        problems.append(f"{name}: models: a mapping of ids to entries is expected")
        return {}
    entries: dict[str, dict[str, Any]] = {}
    for key, entry in models.items():
        if not isinstance(key, str) or not ID.fullmatch(key):
            problems.append(f"{name}: {shown(str(key))}: an id is 1 to 64 of a-z, 0-9 and _, and begins with a letter")
        elif not isinstance(entry, dict):
            problems.append(f"{name}: {key}: a mapping of fields is expected")
        else:
            entries[key] = entry
    return entries


def merged(below: Any, above: Any) -> Any:
    """Two entries as one: mappings are merged key by key, null takes a key away, of anything else the upper counts."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    both = {key: merged(below.get(key), value) for key, value in above.items()}
    return {key: value for key, value in (below | both).items() if value is not None}


def spec_of(name: str, entry: ModelEntry) -> ModelSpec:
    """A checked entry as the object the program works with."""
    fields = entry.model_dump()
    for key in ("tasks", "languages", "dtypes", "aliases", "also"):
        fields[key] = tuple(fields[key])
    fields["modes"] = tuple(mode_of(name, mode, each, entry) for mode, each in entry.modes.items())
    spec = ModelSpec(id=name, **{**fields, "title": entry.title or name})
    return spec.with_options(mode=spec.mode)


def mode_of(model: str, name: str, mode: ModeEntry, entry: ModelEntry) -> Mode:
    """A mode with everything it needs; a server is spoken to by its client, under the main interpreter."""
    served = name in SERVED
    fields = mode.model_dump(exclude={"adapter", "container", "endpoint"})
    container = (mode.container or ContainerEntry(name=f"vllm-{model}", port=PORT)).model_dump()
    return Mode(
        name,
        adapter=mode.adapter or (CLIENT if served else entry.adapter),
        interpreter="main" if served else entry.interpreter,
        container=ContainerSpec(**{**container, "flags": tuple(container["flags"])}) if name == "vllm" else None,
        endpoint=EndpointSpec(**mode.endpoint.model_dump()) if mode.endpoint else None,
        **fields,
    )


def clashes(specs: Iterable[ModelSpec], file: str) -> list[str]:
    """Names that would mean two models."""
    owners: dict[str, str] = {}
    problems = []
    specs = list(specs)
    for name, owner in [(spec.id, spec.id) for spec in specs] + [(a, spec.id) for spec in specs for a in spec.aliases]:
        if owners.setdefault(name, owner) != owner:
            problems.append(f"{file}: {owner}.aliases: {name!r} already means {owners[name]}")
    return problems


def label(path: Path) -> str:
    """A file as it is named in a message: from the project's root if it lies there."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
