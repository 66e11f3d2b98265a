"""The measures of an answer against the truth: every module here that uses `metric` adds to `METRICS`.

A metric is a pure function ``(output, part) -> float | None`` of what a model said and of the part of the truth that it
measures against; its name is the column in table and CSV. None where this answer and this truth give it nothing to say.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from benchmarks.metrics.truth import Said, Truth

Part = Literal["text", "answers", "table", "formula", "regions", "facts"]
Measure = Callable[[Any, Any], float | None]
Better = Literal["lower", "higher"]
M = TypeVar("M", bound=Measure)


@dataclass(frozen=True)
class Metric:
    """A registered measure.

    better: whether a ``lower`` or a ``higher`` value is the better one. against: the part of the truth that `measure`
    gets second; the first is the answer's text, or its regions for ``regions``. source: where the definition is from.
    """

    name: str
    better: Better
    measure: Measure
    against: Part
    source: str


METRICS: dict[str, Metric] = {}


def metric(name: str, *, better: Better, against: Part, source: str) -> Callable[[M], M]:
    """Register the decorated function as the metric `name`. Raises `ValueError` when the name is taken."""

    def register(measure: M) -> M:
        if name in METRICS:
            raise ValueError(f"two metrics are named {name!r}")
        METRICS[name] = Metric(name, better, measure, against, source)
        return measure

    return register


def measured(said: Said, truth: Truth, wanted: Collection[str]) -> dict[str, float | None]:
    """The wanted metrics whose part of the truth is known, in the order of `METRICS`.

    A question whose right answers are not listed is measured against the text.
    """
    parts: dict[str, Any] = {
        "text": truth.text if truth.text and truth.text.split() else None,
        "answers": truth.answers or ((truth.text,) if truth.text and truth.text.split() else ()),
        "table": truth.table,
        "formula": truth.formula,
        "regions": truth.regions,
        "facts": truth.facts,
    }
    return {
        name: each.measure(said.regions if each.against == "regions" else said.text, parts[each.against])
        for name, each in METRICS.items()
        if name in wanted and parts[each.against]
    }


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
