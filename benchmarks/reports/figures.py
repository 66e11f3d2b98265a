"""What a report says, as frozen values: the writers of every format read these and compute nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from arena.benchmarks_kept import Benchmark
from benchmarks.reports.answers import Setup
from benchmarks.reports.intervals import Estimate, Numbers, Share, Spread
from benchmarks.reports.paired import Paired


@dataclass(frozen=True)
class Score:
    """One metric of one model.

    headline: the mean over every item asked, a failed answer counted as the worst value and none as worse than that,
    so that failing never pays. median: of the same. answered: the mean over the answers there are, as they are.
    """

    headline: Estimate
    median: Estimate
    answered: Estimate


@dataclass(frozen=True)
class Pace:
    """Seconds of answers that were given then: a cached one has no time. load: the weights, known of cold runs only."""

    load: Spread
    first_token: Spread
    generate: Spread
    total: Spread


@dataclass(frozen=True)
class ModelFigures:
    """One model. statuses: rows by status, warm-ups left out. failed: timeout, oom and error. flawed: empty, loop and
    truncated. cold: loaded for the run; warm: not, and no warm-up. answers_per_min, tokens_per_s: of warm answers, one
    after the other. peak_ram_mb, peak_vram_mb: the largest of all. vram_of: ``process``, or ``device`` where the driver
    does not tell processes apart. energy_j: mean per answer of the whole GPU, energy_n of them.
    scores_drawn: headline value of the first metric per item; seconds_drawn: of every warm answer; both for plots.
    """

    model: str
    title: str
    rows: int
    cached: int
    statuses: Mapping[str, int]
    failed: Share
    flawed: Share
    scores: Mapping[str, Score]
    cold: Pace
    warm: Pace
    answers_per_min: float | None
    tokens_per_s: float | None
    peak_ram_mb: float | None
    peak_vram_mb: float | None
    vram_of: str
    energy_j: float | None
    energy_n: int
    scores_drawn: Numbers = field(repr=False)
    seconds_drawn: Numbers = field(repr=False)


@dataclass(frozen=True)
class Slice:
    """The headline score of a model over the items of one kind. group: a tag, ``language`` or ``task``; value: of it;
    level: of a degradation, else ""."""

    group: str
    value: str
    level: str
    model: str
    metric: str
    score: Estimate


@dataclass(frozen=True)
class SlicePair:
    """A paired test within one slice."""

    group: str
    value: str
    level: str
    pair: Paired


@dataclass(frozen=True)
class Example:
    """One of the worst answers. score: of the first metric, the mean of its repeats. image: a file, None when gone."""

    model: str
    item: str
    score: float
    status: str
    text: str
    reference: str
    image: Path | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Report:
    """metrics: the first is that of plots and tests in slices: most items have it. items: that could be read."""

    benchmark: Benchmark
    items: int
    unreadable: int
    metrics: tuple[str, ...]
    models: tuple[ModelFigures, ...]
    pairs: tuple[Paired, ...]
    slices: tuple[Slice, ...]
    slice_pairs: tuple[SlicePair, ...]
    examples: tuple[Example, ...]
    setups: tuple[Setup, ...]

    @property
    def rows(self) -> int:
        return sum(model.rows for model in self.models)

    def title(self, model: str) -> str:
        return next(each.title for each in self.models if each.model == model)
