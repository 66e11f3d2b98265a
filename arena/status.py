"""Whether a model can run on this machine right now, and the one command that changes it; imports nothing heavy."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

import psutil

from adapters.base import Adapter, adapter_class
from arena import hub, pins
from arena.catalog import adapter_exists as adapter_exists
from arena.config import VLLM_IMAGE, Settings
from arena.errors import RunError
from arena.gpu import exists
from arena.runtimes.docker_host import State, docker_host
from arena.runtimes.process import Interpreters
from arena.spec import ModelSpec
from arena.strings import tr

Code = Literal[
    "ready", "needs_models", "needs_interpreter", "needs_engine", "needs_download", "needs_docker", "needs_key",
    "does_not_fit", "planned",
]  # fmt: skip
Level = Literal["fits", "tight", "too_big", "no_gpu", "unknown", "none_needed"]
PACKAGES = {"cv2": "opencv-python-headless", "PIL": "pillow"}  # where the package is not named like the module
QUICK_GIB = 0.1  # weights with which a processor answers within seconds


class Card(Protocol):
    """What is asked of a device of `arena.gpu`."""

    @property
    def total_mb(self) -> float | None: ...


class Cards(Protocol):
    """What is asked of `arena.gpu.Gpus` about a machine: its GPUs. Models run on the first."""

    def devices(self) -> Sequence[Card]: ...


class Watched(Cards, Protocol):
    """What is asked of it about this moment: MiB in use of a GPU, and by whom."""

    def used_mb(self, index: int) -> float | None: ...

    def processes(self, index: int) -> Mapping[int, float | None] | None: ...


@dataclass(frozen=True)
class Fit:
    """How a model's need compares with the GPU; all in GB of 1024 MiB, None where there is nothing to say.

    The display, the CUDA context and other programs take their part first: of 12 GB about 10 can be used and 8 are
    recommended. On other cards a sixth, at most 2 GB, is set aside once for the one and twice for the other.
    """

    level: Level
    need_gb: float | None = None
    total_gb: float | None = None
    available_gb: float | None = None
    recommended_gb: float | None = None

    def text(self, lang: str = "en") -> str:
        figures = {"need": self.need_gb, "available": self.available_gb, "recommended": self.recommended_gb}
        return tr(f"models.fit.{self.level}", lang, **spoken(figures, lang))


@dataclass(frozen=True)
class ModelStatus:
    """One model on this machine. command: what to type to change the status, "" when nothing to type would."""

    code: Code
    command: str = ""
    key: str = ""  # the text's, when it is not that of the code
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        return self.code == "ready"

    @property
    def warns(self) -> bool:
        """Whether it can run but may run out of memory."""
        return self.key in ("ready_tight", "ready_crowded")

    def label(self, lang: str = "en") -> str:
        """Two words for a badge."""
        return tr(f"models.badge.{self.code}", lang)

    def text(self, lang: str = "en") -> str:
        """One or two sentences: what is so, without the command."""
        return tr(f"models.status.{self.key or self.code}", lang, **spoken(self.params, lang))

    def advice(self, lang: str = "en") -> str:
        """The text and, where one helps, the command."""
        said = self.text(lang)
        return f"{said} {tr('models.run_this', lang, command=self.command)}" if self.command else said


# What a container lacks for its start, by what is known of the Docker Engine.
DOCKER_WANTING: dict[State, ModelStatus] = {
    "none": ModelStatus("needs_docker", "sudo apt-get install docker.io"),
    "closed": ModelStatus("needs_docker", "sudo usermod -aG docker $USER", key="docker_closed"),
    "silent": ModelStatus("needs_docker", "sudo systemctl start docker", key="docker_stopped"),
}


def spoken(params: dict[str, Any], lang: str) -> dict[str, str]:
    """Figures and settings as they are written in the language; ? for what nobody knows."""

    def word(value: Any) -> str:
        if isinstance(value, tuple):
            return ", ".join(setting(each, lang) for each in value)
        if isinstance(value, float):
            written = f"{value:.1f}".removesuffix(".0")
            return written.replace(".", ",") if lang == "ru" else written
        return "?" if value is None else str(value)

    return {name: word(value) for name, value in params.items()}


def setting(spec: ModelSpec, lang: str) -> str:
    """How finely the weights are kept and what that takes: "8-bit (4.6 GB)"."""
    params = spoken({"need": need_gb(spec)}, lang)
    return tr("advice.setting", lang, name=tr(f"advice.quantization.{spec.quantization}", lang), **params)


def model_status(
    spec: ModelSpec, settings: Settings, gpus: Watched, *, anyway: bool = False, ours: Collection[int] = ()
) -> ModelStatus:
    """The first thing that stands between this model and an answer; what no command can change comes first.

    anyway: the estimate of memory is left out. ours: processes of the loaded model, which is ended before.
    """
    if spec.mode == "embedded":
        return engine_status(adapter_class(spec.adapter)) if adapter_exists(spec.adapter) else ModelStatus("planned")
    too_big = None if anyway else memory_status(spec, gpus)
    if spec.mode == "vllm":
        found = too_big or container_status(spec, settings, gpus, anyway)
    elif not adapter_exists(spec.adapter):
        found = ModelStatus("planned")
    elif spec.mode == "endpoint":
        found = packages_status(spec) or endpoint_status(spec)
    else:
        found = too_big or packages_status(spec) or download_status(spec, settings) or ready(spec, gpus)
    return (found.ready and warning(spec, gpus, ours)) or found


def ready(spec: ModelSpec, gpus: Cards) -> ModelStatus:
    quick = gpus.devices() or (weights_gib(spec) or QUICK_GIB) < QUICK_GIB
    return ModelStatus("ready", key="" if quick else "ready_cpu")


def container_status(spec: ModelSpec, settings: Settings, gpus: Cards, anyway: bool) -> ModelStatus:
    """Of a model in vLLM's container. Whether its image is here would take a question to Docker: the start tells."""
    container = spec.in_mode(spec.mode).container
    image = (container and container.image) or settings.vllm_image
    if image == VLLM_IMAGE and not gpus.devices() and not anyway:  # made for CUDA; another one may be for a CPU
        return ModelStatus("does_not_fit", key="needs_gpu_image")
    if no_docker := DOCKER_WANTING.get(docker_host().state):
        return no_docker
    return packages_status(spec) or download_status(spec, settings) or ready(spec, gpus)


def endpoint_status(spec: ModelSpec) -> ModelStatus:
    """Of a service elsewhere: whether its key is there. Whether it answers is not asked when models are listed."""
    place = spec.elsewhere
    if place and place.key_variable and not os.environ.get(place.key_variable):
        params = {"variable": place.key_variable}
        return ModelStatus("needs_key", f"export {place.key_variable}=…", params=params)
    return ModelStatus("ready", key="ready_elsewhere", params={"host": place.host if place else ""})


def engine_status(adapter: type[Adapter]) -> ModelStatus:
    """Of an engine that brings its weights along."""
    if absent := absent_modules(adapter):
        packages = " ".join(PACKAGES.get(module, module) for module in absent)
        return ModelStatus("needs_engine", f"{sys.executable} -m pip install {packages}", params={"missing": packages})
    if missing := adapter.missing():
        what, _, command = missing.rpartition(": ")
        return ModelStatus("needs_engine", command, params={"missing": what or command})
    return ModelStatus("ready")


def absent_modules(adapter: type[Adapter]) -> list[str]:
    return [module for module in adapter.requires if find_spec(module) is None]


def packages_status(spec: ModelSpec) -> ModelStatus | None:
    """Whether the model's interpreter is there with what the adapter imports."""
    if spec.interpreter != "main":
        try:
            Interpreters(warm=False).command(spec.interpreter)
        except RunError:
            params = {"interpreter": spec.interpreter}
            return ModelStatus("needs_interpreter", "make models-legacy", params=params)
        return None  # what is in there cannot be seen from here
    absent = absent_modules(adapter_class(spec.adapter))
    return ModelStatus("needs_models", "make models", params={"missing": ", ".join(absent)}) if absent else None


def download_status(spec: ModelSpec, settings: Settings) -> ModelStatus | None:
    """Whether the weights are on this machine, whole."""
    if spec.local or all(pins.files(each, pins.revision(each, settings.home)) for each in spec.repositories):
        return None
    login = "hf auth login && " if spec.gated else ""
    return ModelStatus(
        "needs_download",
        f"{login}python -m arena models download {spec.id}",
        key="needs_download_gated" if spec.gated else "",
        params={"size": spec.size_gb},
    )


def memory_status(spec: ModelSpec, gpus: Cards) -> ModelStatus | None:
    """Whether the memory could hold the model at all: the GPU's, or without one what is free of the machine's."""
    if spec.mode == "endpoint":
        return None
    room = fit(spec, gpus)
    if room.level == "too_big":
        smaller = smaller_settings(spec, gpus)
        params = {"need": room.need_gb, "total": room.total_gb, "available": room.available_gb, "smaller": smaller}
        return ModelStatus("does_not_fit", key="does_not_fit_smaller" if smaller else "", params=params)
    if room.total_gb is None:
        weights, free = weights_gib(spec), free_gib()
        if weights is not None and weights > free and weights > (free := free + workers_gib()):
            return ModelStatus("does_not_fit", key="does_not_fit_ram", params={"need": weights, "free": free})
    return None


def smaller_settings(spec: ModelSpec, gpus: Cards, below: float | None = None) -> tuple[ModelSpec, ...]:
    """The same model in the same mode where it takes less (than `below` GB) and fits, what takes most first."""
    need, dtype = below or need_gb(spec), "auto" if spec.dtype == "fp32" else spec.dtype
    listed = [replace(spec, quantization=name, dtype=dtype) for name in spec.in_mode(spec.mode).vram_gb]
    fitting = [each for each in listed if fit(each, gpus).level != "too_big"]
    less = [each for each in fitting if need and (need_gb(each) or need) < need]
    return tuple(sorted(less, key=lambda each: -(need_gb(each) or 0)))


def warning(spec: ModelSpec, gpus: Watched, ours: Collection[int]) -> ModelStatus | None:
    """Of a model that may run: whether it could run out of the GPU's memory, by its size or by what others hold."""
    room = fit(spec, gpus)
    if room.level not in ("fits", "tight") or not room.need_gb:
        return None
    free = free_gb(gpus, ours)
    params = {"need": room.need_gb, "available": room.available_gb, "recommended": room.recommended_gb, "free": free}
    if free is not None and room.need_gb > free:
        return ModelStatus("ready", key="ready_crowded", params=params)
    return ModelStatus("ready", key="ready_tight", params=params) if room.level == "tight" else None


def free_gb(gpus: Watched, ours: Collection[int] = ()) -> float | None:
    """What programs other than ours leave of the GPU, in GB of 1024 MiB; None when it cannot be told."""
    used, total = gpus.used_mb(0), next((card.total_mb for card in gpus.devices()), None)
    holders = gpus.processes(0) if ours else {}
    if used is None or total is None or holders is None:
        return None
    own = [mb for pid, mb in holders.items() if pid in ours or parents(pid) & set(ours)]
    # Seen from inside a container our own model may stand there under a pid that is nobody's here.
    if None in own or any(pid not in ours and not exists(pid) for pid in holders):
        return None
    return max(total - used + sum(mb or 0.0 for mb in own), 0.0) / 1024


def free_gib() -> float:
    return float(psutil.virtual_memory().available) / 2**30


def workers_gib() -> float:
    """What our own processes hold: the model before is ended first, so its memory is as good as free."""
    held = 0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            held += process.memory_info().rss
    return held / 2**30


def weights_gib(spec: ModelSpec) -> float | None:
    """The weights in memory as they are set, in GiB; None when nobody knows. fp32 doubles what is stored in bf16."""
    size = (bytes_on_disk(spec) if spec.local else (spec.size_gb or 0) * 1e9) / 2**30
    listed = spec.in_mode(spec.mode).vram_gb
    if "none" in listed and spec.quantization in listed:
        size *= listed[spec.quantization] / listed["none"]
    return (size * 2 if spec.dtype == "fp32" else size) or None


def parents(pid: int) -> set[int]:
    """The processes that a process descends from; none for one that has ended."""
    try:
        return {process.pid for process in psutil.Process(pid).parents()}
    except (psutil.Error, OverflowError):
        return set()


def need_gb(spec: ModelSpec) -> float | None:
    """The GPU's memory it takes as it is set, in GB of 1024 MiB; fp32 doubles the weights. None when nobody knows."""
    need = spec.vram_gb
    return need + (weights_gib(spec) or 0.0) / 2 if need and spec.dtype == "fp32" else need


def fit(spec: ModelSpec, gpus: Cards) -> Fit:
    """An estimate whether the model fits the GPU as it is set, were nothing else there."""
    need = need_gb(spec)
    if spec.mode == "embedded":
        return Fit("none_needed", need)
    cards = gpus.devices()
    if not cards and need is not None:
        return Fit("no_gpu", need)
    total = cards[0].total_mb if cards else None
    if need is None or not total:  # a GPU that shares the machine's memory tells no total
        return Fit("unknown", need)
    nominal = float(round(total / 1024))  # a card of 12 GB reports a little less
    aside = min(nominal / 6, 2.0)
    available, recommended = nominal - aside, nominal - 2 * aside
    level: Level = "fits" if need <= recommended else "tight" if need <= available else "too_big"
    return Fit(level, need, nominal, available, recommended)


def bytes_on_disk(spec: ModelSpec) -> int:
    """Bytes that the model's files take on this machine, unfinished downloads included; 0 when there are none."""
    if not spec.source:
        return 0
    if spec.local:
        return hub.bytes_on_disk(Path(spec.source))
    return sum(hub.bytes_on_disk(hub.repository(source)) for source in (spec.source, *spec.also))
