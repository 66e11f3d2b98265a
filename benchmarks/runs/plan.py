"""What a benchmark asks, and in which order: a plan, its cells, and the place that each of them has in the table.

Model after model, so that each is loaded once. The items of a pass are in an order drawn from the seed; the next pass,
of this model or the next one, takes them backwards: what drifts while a machine warms up falls on all alike.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ulid import ULID

from arena.catalog import Catalog, ModelSpec
from arena.compare import letter_of

GENERIC = ("max_new_tokens", "temperature", "top_p", "repetition_penalty", "seed")  # any model may be given them


@dataclass(frozen=True)
class Plan:
    """What a benchmark asks; its items are kept beside it.

    models: in the order they run, by name, after which may stand how one is to run: ``qwen2_vl_2b:8bit``.
    specs: by the same names, what they were when it began; see `facts`. task: of the items that have none of their own.
    repeat: how often every item is answered. warmup: answers before them that no figure of warm
    runs counts. seed: of the order, and of sampling where a ``temperature`` asks for it. params: of
    generation, for all models, or for one as ``ID.NAME``. item_seconds: the most that one answer may take. cached: take
    answers over that the same model gave in an earlier benchmark. anyway: run also what is estimated not to fit.
    versions: of the program and of Python, the commit, the machine.
    """

    id: str
    name: str
    dataset: str
    dataset_sha256: str
    models: tuple[str, ...]
    task: str = "ocr"
    repeat: int = 1
    warmup: int = 1
    seed: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)
    item_seconds: float | None = None
    cached: bool = False
    anyway: bool = False
    specs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    versions: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"models": list(self.models)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Raises `TypeError` for a field there is not."""
        return cls(**{**data, "models": tuple(data["models"])})

    def size(self, items: int) -> int:
        """How many cells there are with so many items."""
        return len(self.models) * (items * self.repeat + min(items, self.warmup))

    def order(self, model: str) -> int:
        """Its place among the models, from 0."""
        return self.models.index(model)

    def side(self, model: str) -> str:
        """The letter of its runs."""
        return letter_of(self.order(model))

    def spec(self, catalog: Catalog, model: str) -> ModelSpec:
        """The model, set as it was when the benchmark began, whatever the settings prefer by now.

        Raises `RunError` (``bad_input``) when the catalogue has it no more, or not in this way."""
        spec, then = catalog.find(model), self.specs.get(model)
        if not then:
            return spec
        wanted = {name: then[name] for name in ("mode", "quantization", "dtype") if then[name] != getattr(spec, name)}
        return spec.with_options(**wanted) if wanted else spec

    def params_for(self, spec: ModelSpec, repeat: int) -> dict[str, Any]:
        """What this model is given at this repetition; each samples with a seed of its own."""
        mine = {name: value for name, value in self.params.items() if "." not in name}
        for name, value in self.params.items():
            model, _, own = name.partition(".")
            if own and model == spec.id:
                mine[own] = value
        if (spec.params | mine).get("temperature"):
            mine.setdefault("seed", self.seed + max(repeat - 1, 0))
        return mine

    def comparison(self, item: str, repeat: int) -> str:
        """The id under which the answers of all models to one item stand side by side: a ULID with the time of the
        benchmark, the same whoever makes it."""
        named = hashlib.sha256(f"{self.id}\n{repeat}\n{item}".encode("utf-8", "surrogatepass")).digest()
        return str(ULID.from_bytes(bytes(ULID.from_str(self.id))[:6] + named[:10]))


@dataclass(frozen=True)
class Ask:
    """A cell to fill: one model's answer to one item. repeat: 0 for a warm-up, then 1, 2, …"""

    model: str
    side: str
    item: str
    repeat: int

    @property
    def place(self) -> tuple[str, str, int]:
        """As `Benchmarks.filled` tells it."""
        return self.item, self.side, self.repeat


def asks(plan: Plan, items: Iterable[str]) -> list[Ask]:
    """Every cell of the plan in the order they are filled; items: their ids."""
    forwards = list(items)
    random.Random(plan.seed).shuffle(forwards)
    found: list[Ask] = []
    for order, model in enumerate(plan.models):
        for repeat in range(1, plan.repeat + 1):
            chosen = forwards if (order + repeat) % 2 else forwards[::-1]
            # The warm-ups take what comes last, so that no cache of the model's still holds what is measured first.
            warmups = chosen[::-1][: plan.warmup] if repeat == 1 else []
            found += [Ask(model, plan.side(model), item, 0) for item in warmups]
            found += [Ask(model, plan.side(model), item, repeat) for item in chosen]
    return found


def facts(spec: ModelSpec) -> dict[str, str]:
    """What tells whether a later run asks the same model: kept in the plan. key: a hash of all that it is loaded with,
    which a row does not say."""
    said = {name: str(getattr(spec, name)) for name in ("id", "title", "source", "revision", "adapter", "mode")}
    key = hashlib.sha256(spec.key.encode()).hexdigest()[:16]
    return {**said, "quantization": spec.quantization, "dtype": spec.dtype, "key": key}
