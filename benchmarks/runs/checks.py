"""What is checked before a benchmark begins, so that nothing of this kind is found out after hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arena.catalog import ModelSpec, Task
from arena.core import Arena
from arena.errors import RunError
from arena.params import check
from benchmarks.datasets import Dataset
from benchmarks.datasets.items import Packed
from benchmarks.runs.plan import GENERIC


def checked_models(arena: Arena, models: Sequence[str], *, anyway: bool) -> list[ModelSpec]:
    """The models by their names. Raises `RunError` for one there is not, one that is there twice, and unless `anyway`
    for one that cannot run here."""
    specs = [arena.catalog.find(model) for model in models]
    if not specs:
        raise RunError("bad_input", key="bench.no_models")
    for at, spec in enumerate(specs):
        if spec.variant in (other.variant for other in specs[:at]):
            raise RunError("bad_input", key="bench.twice", title=spec.label)
        if not anyway:
            arena.check(spec)
    return specs


def checked_tasks(arena: Arena, dataset: Dataset, task: str, specs: Sequence[ModelSpec]) -> dict[str, Task]:
    """The tasks of the items. Raises `RunError` for one there is not, for items that cannot be told apart or are none,
    and for a model that can do none of what is asked."""
    items = dataset.items.plain if isinstance(dataset.items, Packed) else dataset.items
    names, seen = {item.task or task for item in items}, set[str]()
    for item in items:
        if item.id in seen:
            raise RunError("bad_input", key="bench.same_items", item=item.id[:80])
        seen.add(item.id)
    if not names:
        raise RunError("bad_input", key="bench.no_items", dataset=dataset.name)
    tasks = {name: arena.catalog.task(name) for name in sorted(names)}
    if talk := next((each for each in tasks.values() if each.conversation), None):
        raise RunError("bad_input", key="bench.conversation", task=talk.id)
    for spec in specs:
        if not names & set(spec.tasks):
            raise RunError("bad_input", key="models.no_task", model=spec.id, task=", ".join(sorted(names)))
    return tasks


def checked_param(specs: Sequence[ModelSpec], given: str, value: Any) -> None:
    """A parameter that is meant for all models or, as ``ID.NAME``, for one. Raises `RunError` (``bad_input``)."""
    model, _, name = given.rpartition(".")
    meant = [spec for spec in specs if model in ("", spec.id)]
    if not meant:
        raise RunError("bad_input", key="params.form", given=given[:80], models=", ".join(spec.id for spec in specs))
    for spec in meant if model or name not in GENERIC else ():
        check(spec, name, value)
