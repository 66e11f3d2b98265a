"""Which mode suits this machine, which models fit it, and what to take instead when memory is short.

The policy for the mode goes by the GPU's memory: below 6 GB quantized weights in transformers, up to 10 GB either,
above vLLM, which needs Docker; without a GPU the embedded engines and small models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

from arena.catalog import Catalog
from arena.entries import Quantization
from arena.errors import RunError
from arena.spec import OPTIONS, ModelSpec
from arena.status import Cards, ModelStatus, fit, need_gb, smaller_settings, spoken
from arena.strings import tr

Choice = Literal["no_gpu", "unknown", "transformers", "both", "both_no_docker", "vllm", "vllm_no_docker"]
# The modes that are tried, the preferred one first.
MODES: dict[Choice, tuple[str, ...]] = {
    "no_gpu": ("embedded", "transformers"),
    "unknown": ("transformers",),
    "transformers": ("transformers",),
    "both": ("transformers", "vllm"),
    "both_no_docker": ("transformers",),
    "vllm": ("vllm", "transformers"),
    "vllm_no_docker": ("transformers",),
}
LITTLE_GB, MUCH_GB = 6.0, 10.0
SMALL_GB = 2.0  # of weights: what answers without a GPU before one loses patience
NAMED = 5  # variants in a text


@dataclass(frozen=True)
class Advice:
    """What suits a machine. total_gb: of its GPU, in GB of 1024 MiB, None when there is none or it does not say.

    variants: names for `Catalog.find` of what fits, the best first.
    """

    choice: Choice
    total_gb: float | None
    variants: tuple[str, ...]

    def text(self, lang: str = "en") -> str:
        """The mode with its reason, and the first of the models."""
        said = tr(f"advice.mode.{self.choice}", lang, **spoken({"total": self.total_gb}, lang))
        if self.choice == "unknown":
            return said
        left = len(self.variants) - NAMED
        key = "none" if not self.variants else "some" if left > 0 else "all"
        return f"{said} {tr(f'advice.models.{key}', lang, models=', '.join(self.variants[:NAMED]), count=left)}"


@dataclass(frozen=True)
class Smaller:
    """What needs less memory than a model as it was set.

    settings: the same model, what takes most first; in the mode it was in, or else in transformers. other: another
    model. pixels: a smaller picture could do.
    """

    settings: tuple[ModelSpec, ...] = ()
    moved: bool = False  # the settings are those of transformers
    other: ModelSpec | None = None
    pixels: bool = False

    def text(self, lang: str = "en") -> str:
        """One sentence for each; "" when nothing is known to help."""
        parts = []
        if self.settings:
            key = "transformers" if self.moved else "settings"
            parts.append(tr(f"advice.smaller.{key}", lang, **spoken({"settings": self.settings}, lang)))
        if self.other:
            name = self.other.id if self.other.mode == "transformers" else f"{self.other.id}:{self.other.mode}"
            said = spoken({"title": self.other.title, "name": name, "need": need_gb(self.other)}, lang)
            parts.append(tr("advice.smaller.model", lang, **said))
        if self.pixels:
            parts.append(tr("advice.smaller.pixels", lang))
        return " ".join(parts)


class OutOfMemory(RunError):
    """An error of the kind ``out_of_memory`` that also says what to take instead."""

    def __init__(self, error: RunError, smaller: Smaller) -> None:
        self.error, self.smaller = error, smaller
        super().__init__(error.kind, "" if error.has_own_text else error.detail)

    def text(self, lang: str = "en") -> str:
        said = tr(self.error.key, lang, **self.error.params)
        return " ".join(filter(None, (said, self.smaller.text(lang), self._detail)))

    @property
    def detail(self) -> str:
        return self._detail or self.text()


def choice_for(gpus: Cards, docker: bool) -> Choice:
    """The policy above."""
    cards = gpus.devices()
    if not cards:
        return "no_gpu"
    total = cards[0].total_mb
    if not total:
        return "unknown"
    gb = round(total / 1024)  # a card of 6 GB reports a little less
    if gb < LITTLE_GB:
        return "transformers"
    if gb <= MUCH_GB:
        return "both" if docker else "both_no_docker"
    return "vllm" if docker else "vllm_no_docker"


def recommend(catalog: Catalog, gpus: Cards, docker: bool) -> Advice:
    """What suits a machine with these GPUs and, perhaps, a Docker Engine.

    What fits with room to spare comes first, then what fits at the limit, each in the order of the catalogue.
    """
    choice = choice_for(gpus, docker)
    first = next(iter(gpus.devices()), None)
    found = []
    for entry in catalog.visible(dev=False):
        settings = variants(entry, gpus, docker)
        found += settings if choice == "both" else settings[:1]
    if choice == "no_gpu":
        found = [spec for spec in found if spec.mode == "embedded" or (spec.size_gb or SMALL_GB + 1) <= SMALL_GB]
    found.sort(key=lambda spec: fit(spec, gpus).level == "tight")
    total = float(round(first.total_mb / 1024)) if first and first.total_mb else None
    return Advice(choice, total, tuple(name_of(spec, catalog) for spec in found))


def variants(entry: ModelSpec, gpus: Cards, docker: bool) -> list[ModelSpec]:
    """The model as it suits the machine, the preferred mode first: in each the weights as fine as fit.

    What the entry itself asks for goes before: another mode than its first, a stronger quantization.
    """
    offered = list(possible(entry))
    modes = [mode for mode in MODES[choice_for(gpus, docker)] if mode in offered]
    if entry.mode != offered[0] and entry.mode in modes:
        modes.sort(key=lambda mode: mode != entry.mode)
    return [best for mode in modes if (best := finest(entry, mode, gpus))]


def possible(entry: ModelSpec) -> Iterator[str]:
    return (mode.name for mode in entry.modes if not mode.why_not)


def finest(entry: ModelSpec, mode: str, gpus: Cards) -> ModelSpec | None:
    """The least quantized setting with room to spare, or else at the limit; None when the GPU is too small for all."""
    offered, order = entry.in_mode(mode).quantizations, get_args(Quantization)
    if mode == entry.mode:
        offered = tuple(name for name in offered if order.index(name) >= order.index(entry.quantization))
    settings = [entry.with_options(mode=mode, quantization=name) for name in order if name in offered]
    levels = [fit(each, gpus).level for each in settings]
    wanted = next((level for level in levels if level not in ("tight", "too_big")), "tight")
    return settings[levels.index(wanted)] if wanted in levels else None


def name_of(spec: ModelSpec, catalog: Catalog) -> str:
    """The shortest name by which `Catalog.find` gives this very spec: ``qwen2_vl_7b:4bit``."""
    usual = catalog.models[spec.id]
    if spec.mode != usual.mode:
        usual = usual.with_options(mode=spec.mode)
    told = [spec.mode] if spec.mode != catalog.models[spec.id].mode else []
    told += [getattr(spec, name) for name in OPTIONS if name != "mode" and getattr(spec, name) != getattr(usual, name)]
    return ":".join([spec.id, *told])


def smaller(spec: ModelSpec, catalog: Catalog, gpus: Cards) -> Smaller:
    """What to take when the memory did not do for `spec`, from the catalogue's estimates and the GPU's size."""
    settings, moved = smaller_settings(spec, gpus), False
    if not settings and spec.mode != "transformers" and "transformers" in possible(spec):
        settings, moved = smaller_settings(replace(spec, mode="transformers"), gpus, need_gb(spec)), True
    pixels = fit(spec, gpus).level != "too_big"
    return Smaller(settings, moved, smaller_model(spec, catalog, gpus), pixels)


def instead(status: ModelStatus, spec: ModelSpec, catalog: Catalog, gpus: Cards) -> Smaller:
    """What is to be said beside a status: nothing unless the model does not fit, and no setting named there already."""
    if status.code != "does_not_fit":
        return Smaller()
    found = replace(smaller(spec, catalog, gpus), pixels=False)
    return replace(found, settings=()) if status.params.get("smaller") else found


def smaller_model(spec: ModelSpec, catalog: Catalog, gpus: Cards) -> ModelSpec | None:
    """The first model of the catalogue that needs clearly less as it usually is, fits and does a task of this one's."""
    need = need_gb(spec)

    def candidates() -> Iterable[ModelSpec]:
        for other in catalog.visible(dev=False):
            if other.id != spec.id and spec.mode in possible(other) and set(other.tasks) & set(spec.tasks):
                yield other.with_options(mode=spec.mode)

    less = (other for other in candidates() if need and (need_gb(other) or need) < 0.9 * need)
    return next((other for other in less if fit(other, gpus).level not in ("too_big", "tight")), None)
