"""Answers that were given before: the same model, set and parametrised in the same way, on the same image and prompt.

They are copied into rows of their own that name where they are from. Nothing was measured, so no time and no memory
stands in them; the scores are computed anew, for a truth may have been corrected.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from arena.benchmarks_kept import KeptItem
from arena.core import Arena
from arena.record import new_id
from arena.score import score
from arena.types import Cell, Memory, Run, Timeline
from benchmarks.metrics.truth import Truth
from benchmarks.runs.plan import Ask, Plan


class Earlier:
    """The earlier answers of one model. What it runs on is known from its first answer here, which is always a real
    one: nobody can tell the versions of its libraries without bringing it up."""

    def __init__(self, arena: Arena, plan: Plan, model: str) -> None:
        self._arena, self._plan, self._model = arena, plan, model
        self._spec = plan.spec(arena.catalog, model)
        self._real: Run | None = None
        self._keys: dict[str, set[str]] = {}  # by benchmark, what its models were loaded with

    def learn(self, run: Run) -> None:
        """A run that has just ended; the model answered it if that took any time."""
        if run.timeline.generate_s is not None:
            self._real = run

    def answer(self, ask: Ask, item: KeptItem) -> Run | None:
        """The cell's run, saved, if there is such an answer; never for a warm-up."""
        if not self._plan.cached or not ask.repeat or self._real is None or not item.image_sha256:
            return None
        real, params = self._real, self._spec.params | self._plan.params_for(self._spec, ask.repeat)
        like = {name: getattr(real, name) for name in ("model", "source", "revision", "adapter", "mode")}
        like |= {name: getattr(real, name) for name in ("quantization", "dtype", "device", "app_version")}
        like |= {"image_sha256": item.image_sha256, "task": item.task, "language": item.language}
        like["prompt_sha256"] = hashlib.sha256(item.prompt.encode("utf-8", "surrogatepass")).hexdigest()
        for run_id in self._arena.benchmarks.answered(like, without=self._plan.id):
            found = self._arena.store.get(run_id)
            if found and self._same(found, real) and deciding(found.params) == deciding(params):
                return self._arena.save(self._copied(found, ask, item))
        return None

    def _same(self, found: Run, real: Run) -> bool:
        """Whether the model was loaded with the same, by the same libraries."""
        before = found.cell.benchmark_id or ""
        if before not in self._keys:
            kept = self._arena.benchmarks.get(before)
            specs = Plan.from_dict(kept.plan).specs.values() if kept else ()
            self._keys[before] = {each["key"] for each in specs}
        key = self._plan.specs[self._model]["key"]
        return key in self._keys[before] and found.library_versions == real.library_versions

    def _copied(self, found: Run, ask: Ask, item: KeptItem) -> Run:
        truth = Truth.from_dict(item.truth)
        return replace(
            found,
            run_id=new_id(),
            comparison_id=self._plan.comparison(item.item, ask.repeat),
            side=ask.side,
            order=self._plan.order(ask.model),
            created_at=datetime.now(UTC),
            tokens_per_s=None,
            characters_per_s=None,
            reference=truth.shown,
            timeline=Timeline(),
            memory=Memory(),
            energy_j=None,
            cell=Cell(self._plan.id, item.item, ask.repeat, found.cell.host, found.run_id),
            scores=score(found.text, found.boxes, truth, self._arena.catalog.task(item.task).metrics),
        )


def deciding(params: dict[str, object]) -> dict[str, object]:
    """What of the parameters decides on the answer: the seed only where it is sampled."""
    return params if params.get("temperature") else {name: each for name, each in params.items() if name != "seed"}
