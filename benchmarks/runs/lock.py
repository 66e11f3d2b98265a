"""A benchmark as a file that says all that a repetition elsewhere needs, and what differs when it is repeated.

The file names the dataset by its hash and every item with the hash of its prompt; the prompts stand once each. Models
are named with how they ran, their revision and the libraries that answered; so are the program and the machine.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from arena.core import Arena
from arena.errors import RunError
from arena.query import RunQuery
from benchmarks.datasets import Dataset, sha256
from benchmarks.datasets.items import Packed
from benchmarks.runs.plan import Plan, facts
from benchmarks.runs.runner import plan_of, program

FORM = 1  # of the file
SETTINGS = ("name", "task", "repeat", "warmup", "seed", "params", "item_seconds")
SET = ("mode", "quantization", "dtype")


@dataclass(frozen=True)
class Difference:
    """Something that is another now than when the file was written. what: as in the file, joined with dots."""

    what: str
    then: str
    now: str


def locked(arena: Arena, benchmark_id: str) -> dict[str, Any]:
    """The benchmark as plain values. Raises `RunError` (``bad_input``) when there is no such benchmark."""
    plan = plan_of(arena, benchmark_id)
    libraries = _libraries(arena, plan)
    prompts: dict[str, str] = {}
    items = {}
    for item in arena.benchmarks.items(benchmark_id):
        prompts[hashed(item.prompt)] = item.prompt
        items[item.item] = {"prompt": hashed(item.prompt), "image": item.image_sha256}
    return {
        "lock": FORM,
        "benchmark": {"id": plan.id} | {name: plan.to_dict()[name] for name in SETTINGS},
        "dataset": {"name": plan.dataset, "sha256": plan.dataset_sha256},
        "models": {model: {**plan.specs[model], "libraries": libraries.get(model, {})} for model in plan.models},
        "program": dict(plan.versions),
        "prompts": prompts,
        "items": items,
    }


def _libraries(arena: Arena, plan: Plan) -> dict[str, dict[str, str]]:
    """By model, the libraries of its newest answer."""
    found: dict[str, dict[str, str]] = {}
    names = {plan.side(model): model for model in plan.models}
    for run in arena.store.iterate(RunQuery(benchmark_id=plan.id)):
        if run.library_versions and run.cell.cached_from is None:
            found.setdefault(names[run.side], run.library_versions)
        if len(found) == len(names):
            break
    return found


def write(kept: Mapping[str, Any], path: Path) -> None:
    """As JSON where the name ends so, else as YAML. Raises `RunError` (``storage``)."""
    if path.suffix == ".json":
        text = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
    else:
        text = yaml.safe_dump(dict(kept), allow_unicode=True, sort_keys=False, width=120)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError("storage", key="cli.cannot_write", path=str(path), why=error.strerror) from error


def read(path: Path) -> dict[str, Any]:
    """A file that `write` wrote. Raises `RunError` (``bad_input``) for anything else."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if text.startswith("{") else yaml.load(text, loader)  # noqa: S506 - both are safe
        asked = {each["prompt"] for each in found["items"].values()}
        told = {name for name, prompt in found["prompts"].items() if hashed(prompt) == name}
        Plan(**{**found["benchmark"], "dataset": "", "dataset_sha256": "", "models": tuple(found["models"])})
        if found["lock"] != FORM or not asked <= told:
            raise ValueError(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise RunError("bad_input", key="bench.no_lock", path=str(path), why=str(error)[:200]) from error
    return dict(found)


def chosen(dataset: Dataset, kept: Mapping[str, Any]) -> Dataset:
    """Those items of the dataset that the file names, in its order; as many of them as there are."""
    plain = dataset.items.plain if isinstance(dataset.items, Packed) else dataset.items
    places = {item.id: at for at, item in enumerate(plain)}
    numbers = [places[name] for name in kept["items"] if name in places]
    items = dataset.items.chosen(numbers) if isinstance(dataset.items, Packed) else [plain[at] for at in numbers]
    return Dataset(dataset.name, items, dataset.source, dataset.licence)


def models_of(arena: Arena, kept: Mapping[str, Any]) -> list[str]:
    """The models by names that mean the same as then, whatever is preferred here. Raises `RunError` (``bad_input``)."""
    names = []
    for name, then in kept["models"].items():
        spec = arena.catalog.find(name)
        as_then = all(getattr(spec, each) == then[each] for each in SET)
        names.append(name if as_then else ":".join([spec.id, *(then[each] for each in SET)]))
    return names


def differences(arena: Arena, kept: Mapping[str, Any], dataset: Dataset, models: Sequence[str]) -> list[Difference]:
    """What is known to be another here and now, before anything is asked. A difference of the dataset comes first."""
    found = list(_compared("dataset.sha256", kept["dataset"]["sha256"], sha256(dataset)))
    found += _compared("items", len(kept["items"]), len(dataset.items))
    for model, (name, then) in zip(models, kept["models"].items(), strict=True):
        spec = arena.catalog.find(model)
        now = facts(spec)
        for each in ("source", "revision", "adapter", "key"):
            found += _compared(f"models.{name}.{each}", then[each], now[each])
        # Those of other interpreters, and what is no package, are known when the model has answered.
        for library, version in then["libraries"].items() if spec.interpreter == "main" else ():
            if version[:1].isdigit():
                found += _compared(f"models.{name}.libraries.{library}", version, installed(library) or version)
    for each, value in program(arena).items():
        found += _compared(f"program.{each}", kept["program"].get(each), value)
    return found


def answered_by(arena: Arena, kept: Mapping[str, Any], benchmark_id: str) -> list[Difference]:
    """Which libraries answered now that were others then, as far as the models have answered."""
    plan = plan_of(arena, benchmark_id)
    now = _libraries(arena, plan)
    found: list[Difference] = []
    for model, (name, then) in zip(plan.models, kept["models"].items(), strict=True):
        for library in sorted({*then["libraries"], *now.get(model, {})}) if model in now else ():
            what = f"models.{name}.libraries.{library}"
            found += _compared(what, then["libraries"].get(library), now[model].get(library))
    return found


def _compared(what: str, then: object, now: object) -> Iterator[Difference]:
    if then != now:
        yield Difference(what, "—" if then is None else str(then), "—" if now is None else str(now))


def installed(library: str) -> str | None:
    """The version of a package of this interpreter, None for what is no package; without importing it."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def hashed(prompt: str) -> str:
    """As in the rows."""
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()
