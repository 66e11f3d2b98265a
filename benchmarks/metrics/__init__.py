"""The measures of an answer against a reference: every module here that uses `metric` adds to `METRICS`.

A metric is a pure function ``(output, reference) -> float`` of two texts; its name is the column in table and CSV.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Measure = Callable[[str, str], float]


@dataclass(frozen=True)
class Metric:
    """A registered measure. better: whether a ``lower`` or a ``higher`` value is the better one."""

    name: str
    better: Literal["lower", "higher"]
    measure: Measure


METRICS: dict[str, Metric] = {}


def metric(name: str, *, better: Literal["lower", "higher"]) -> Callable[[Measure], Measure]:
    """Register the decorated function as the metric `name`. Raises `ValueError` when the name is taken."""

    def register(measure: Measure) -> Measure:
        if name in METRICS:
            raise ValueError(f"two metrics are named {name!r}")
        METRICS[name] = Metric(name, better, measure)
        return measure

    return register


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
