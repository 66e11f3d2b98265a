"""How long each model's container took to be ready, and what that says about the next start."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

import yaml

from arena.spec import ContainerSpec

FILE = "starts.yaml"
KEPT = 5
PATIENCE = 3.0  # a start that takes this many times the slowest so far is not coming


def seen(home: Path, model: str) -> list[float]:
    """Seconds of the last starts, the latest last; none where the file cannot be read: it is an estimate only."""
    return _read(home).get(model, [])


def note(home: Path, model: str, seconds: float) -> None:
    starts = _read(home)
    starts[model] = [*starts.get(model, []), round(seconds, 1)][-KEPT:]
    home.mkdir(parents=True, exist_ok=True)
    unfinished = home / f"{FILE}.{os.getpid()}"
    unfinished.write_text(yaml.safe_dump(starts), encoding="utf-8")
    unfinished.replace(home / FILE)


def expected(home: Path, model: str, container: ContainerSpec) -> float:
    """Seconds a start usually takes: the median of the last ones, before the first one what the catalogue says."""
    return statistics.median(seen(home, model) or [container.start_budget_s])


def limit(home: Path, model: str, container: ContainerSpec, least: float) -> float:
    """Seconds a start may take: `least`, the catalogue's figure or `PATIENCE` times the slowest seen, whichever is
    most."""
    return max(least, container.start_budget_s, PATIENCE * max(seen(home, model), default=0.0))


def _read(home: Path) -> dict[str, list[float]]:
    try:
        told = yaml.safe_load((home / FILE).read_text(encoding="utf-8"))
        return {str(model): [float(s) for s in times] for model, times in (told or {}).items()}
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError):
        return {}
