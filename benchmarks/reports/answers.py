"""The answers of a benchmark as columns of numbers: of 100,000 rows some tens of MB, whatever the answers are long."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Text, select, type_coerce

from arena.benchmarks_kept import ITEM, Benchmark
from arena.compare import letter_of
from arena.spec import labelled
from arena.store import Store
from arena.tables import RUN, SCORE
from arena.types import Status
from benchmarks.metrics import METRICS
from benchmarks.reports.intervals import Codes, Numbers

STATUSES: tuple[str, ...] = get_args(Status)
ANSWERED = ("ok", "empty", "loop", "truncated")  # there is an answer, whatever it is worth
FAILED = ("timeout", "oom", "error")
FIGURES = (
    "cold",
    "load_s",
    "first_token_s",
    "generate_s",
    "total_s",
    "output_tokens",
    "peak_ram_mb",
    "peak_vram_process_mb",
    "peak_vram_device_mb",
    "energy_j",
)
PLACE = ("item", "side", "repeat", "status", "cached_from")
SETUP = (
    *("side", "model", "title", "mode", "quantization", "dtype", "revision"),
    *("device", "driver", "host", "app_version", "app_commit", "python_version", "library_versions"),
)
AT_ONCE = 5000
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Setup:
    """What a model ran as and on: one for every difference between the rows of a model."""

    model: str
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Answers:
    """Rows that answer items, as arrays of one length.

    models, items: what the codes in `model` and `item` stand for. titles, sides: of the models. status: codes of
    `STATUSES`. numbers: the `FIGURES`, NaN where unknown. scores: by metric, NaN where there is none.
    """

    models: tuple[str, ...]
    titles: tuple[str, ...]
    sides: tuple[str, ...]
    items: tuple[str, ...]
    item: Codes
    model: Codes
    repeat: Codes
    status: Codes
    cached: Flags
    numbers: Mapping[str, Numbers]
    scores: Mapping[str, Numbers]
    setups: tuple[Setup, ...] = ()

    def of_status(self, names: Iterable[str]) -> Flags:
        return np.isin(self.status, [STATUSES.index(name) for name in names])

    @cached_property
    def asked(self) -> Flags:
        """The rows that count: no warm-ups, and none that somebody stopped."""
        return (self.repeat > 0) & ~self.of_status(["cancelled"])

    @cached_property
    def timed(self) -> Flags:
        """The rows whose times are those of an answer that was given then."""
        return self.of_status(ANSWERED) & ~self.cached

    def per_item(self, metric: str, model: int, within: Flags | None = None, *, failures: bool = True) -> Numbers:
        """The score of a model for every item: the mean of its repeats, NaN where there is none.

        within: the items that the metric can measure, by default those that any model has a score for. failures: a
        failed answer counts as the worst there is, and no answer counts as worse than none; otherwise only answers.
        """
        values, worst = self.scores[metric], worst_of(metric)
        rows = self.asked & (self.model == model)
        if failures:
            within = self.measurable(metric) if within is None else within
            failed = self.of_status(FAILED)
            values = np.where(failed & within[self.item], worst, values)
            values = np.minimum(values, worst) if worst > 0 else values
        rows &= np.isfinite(values)
        counts = np.bincount(self.item[rows], minlength=len(self.items))
        sums = np.bincount(self.item[rows], values[rows], len(self.items))
        with np.errstate(invalid="ignore"):
            means: Numbers = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        return means

    def measurable(self, metric: str) -> Flags:
        """The items that some answer has a score for."""
        found = np.zeros(len(self.items), dtype=bool)
        found[self.item[np.isfinite(self.scores[metric])]] = True
        return found


def worst_of(metric: str) -> float:
    """What a failed answer counts: 1 of an error rate, which an empty answer has, 0 of all that is better higher."""
    return 1.0 if metric in METRICS and METRICS[metric].better == "lower" else 0.0


@dataclass(frozen=True)
class Items:
    """What the readable items of a benchmark are, in their order; tags by name, "" where an item has none.

    unreadable: how many more there are whose image could not be read, which is no model's fault: they count nowhere.
    """

    names: tuple[str, ...]
    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]]
    unreadable: int


def read_items(store: Store, benchmark_id: str) -> Items:
    """Without truths, which may be large. Raises `RunError` (``storage``)."""
    columns = (ITEM.c.item, ITEM.c.task, ITEM.c.language, type_coerce(ITEM.c.tags, Text), ITEM.c.error)
    chosen = select(*columns).where(ITEM.c.benchmark_id == benchmark_id).order_by(ITEM.c.position)
    with _streamed(store, chosen) as parts:
        found = [tuple(row) for part in parts for row in part]
    rows = [row for row in found if not row[4]]
    said = {text: json.loads(text) for text in {row[3] for row in rows}}  # few, and each of many items
    tags = [said[row[3]] for row in rows]
    names = list(dict.fromkeys(name for each in tags for name in each))
    kept = {name: tuple(str(each.get(name, "")) for each in tags) for name in names}
    items, tasks, languages = (tuple(row[at] for row in rows) for at in range(3))
    return Items(items, tasks, languages, kept, len(found) - len(rows))


def measurable_by_truth(store: Store, benchmark_id: str, wanted: Sequence[str]) -> dict[str, set[str]]:
    """By metric, the items whose truth has the part that it measures against: for items that nobody answered."""
    found: dict[str, set[str]] = {name: set() for name in wanted}
    chosen = select(ITEM.c.item, type_coerce(ITEM.c.truth, Text)).where(ITEM.c.benchmark_id == benchmark_id)
    with _streamed(store, chosen) as parts:
        for part in parts:
            for item, truth in part:
                known = set(json.loads(truth))
                for name in wanted:
                    against = METRICS[name].against
                    if against in known or (against == "answers" and "text" in known):
                        found[name].add(item)
    return found


def read_answers(store: Store, benchmark: Benchmark, names: Sequence[str]) -> Answers:
    """The rows of a benchmark, for the items with these names. Raises `RunError` (``storage``)."""
    here = RUN.c.benchmark_id == benchmark.id
    setups, models, titles = _setups(store, here, benchmark)
    item_codes = {name: code for code, name in enumerate(names)}
    side_codes = {side: code for code, side in enumerate(models)}
    status_codes = {name: code for code, name in enumerate(STATUSES)}
    places: list[NDArray[np.int64]] = []
    figures: list[Numbers] = []
    chosen = select(RUN.c.seq, *(RUN.c[name] for name in (*PLACE, *FIGURES))).where(here).order_by(RUN.c.seq)
    with _streamed(store, chosen) as parts:
        for part in parts:
            seq, item, side, repeat, status, cached, *rest = zip(*part, strict=True)
            known = [item_codes.get(name, -1) for name in item]
            codes = [side_codes[name] for name in side]
            states = [status_codes.get(name, -1) for name in status]
            places.append(np.array([seq, known, codes, repeat, states, [each is not None for each in cached]]))
            figures.append(np.array(rest, dtype=float))  # None becomes NaN
    place = np.concatenate(places, axis=1) if places else np.empty((6, 0), dtype=np.int64)
    figure = np.concatenate(figures, axis=1) if figures else np.empty((len(FIGURES), 0))
    scores = _scores(store, here, place[0])
    if (place[1] < 0).any():  # of items that are not among the benchmark's
        ours = place[1] >= 0
        place, figure = place[:, ours], figure[:, ours]
        scores = {name: values[ours] for name, values in scores.items()}
    return Answers(
        tuple(models.values()),
        tuple(titles),
        tuple(models),
        tuple(names),
        place[1],
        place[2],
        place[3],
        place[4],
        place[5] > 0,
        dict(zip(FIGURES, figure, strict=True)),
        scores,
        setups,
    )


def named(rows: Iterable[Mapping[str, Any]], asked: Sequence[str] = ()) -> tuple[dict[str, str], list[str]]:
    """The name of every side, and their titles. asked: the models of the plan by their sides, whose words are taken."""
    plan = {letter_of(order): model for order, model in enumerate(asked)}
    models: dict[str, str] = {}
    titles: list[str] = []
    for row in rows:
        side = row["side"]
        if side in models:
            continue
        name = plan.get(side, row["model"])
        models[side] = name if name not in models.values() else f"{name} {side}"
        title = labelled(row["title"], row["mode"], row["quantization"], row["dtype"])
        titles.append(title if title not in titles else f"{title} {side}")
    return models, titles


def _setups(store: Store, here: Any, benchmark: Benchmark) -> tuple[tuple[Setup, ...], dict[str, str], list[str]]:
    columns = [type_coerce(RUN.c[name], Text) if name == "library_versions" else RUN.c[name] for name in SETUP]
    chosen = select(*columns).where(here).distinct().order_by(RUN.c.side)
    with store.reading() as connection:
        rows = [dict(zip(SETUP, row, strict=True)) for row in connection.execute(chosen)]
    rows.sort(key=lambda row: (len(row["side"]), row["side"]))
    models, titles = named(rows, tuple(benchmark.plan.get("models", ())))
    facts = tuple(Setup(models[row["side"]], facts_of(row)) for row in rows)
    return facts, models, titles


def facts_of(row: Mapping[str, Any]) -> dict[str, str]:
    """What a run was made with, one level deep, without what is unknown."""
    libraries = json.loads(row["library_versions"] or "{}")
    plain = {name: str(value) for name, value in row.items() if name not in ("side", "library_versions") and value}
    return plain | {str(name): str(version) for name, version in libraries.items()}


def _scores(store: Store, here: Any, seqs: NDArray[np.int64]) -> dict[str, Numbers]:
    chosen = select(SCORE.c.run_seq, SCORE.c.metric, SCORE.c.value).join(RUN, RUN.c.seq == SCORE.c.run_seq).where(here)
    found: dict[str, Numbers] = {}
    with _streamed(store, chosen) as parts:
        for part in parts:
            seq, metric, value = (np.array(column) for column in zip(*part, strict=True))
            at = np.searchsorted(seqs, seq)
            at[at == len(seqs)] = 0
            there = (seqs[at] == seq) if len(seqs) else np.zeros(len(seq), dtype=bool)
            for name in np.unique(metric):
                rows = there & (metric == name)
                values = found.setdefault(str(name), np.full(len(seqs), np.nan))
                values[at[rows]] = value[rows].astype(float)
    order = [*(name for name in METRICS if name in found), *sorted(found.keys() - METRICS.keys())]
    return {name: found[name] for name in order if np.isfinite(found[name]).any()}


@contextmanager
def _streamed(store: Store, chosen: Any) -> Iterator[Iterator[Sequence[Any]]]:
    with (
        store.reading() as connection,
        connection.execute(chosen, execution_options={"yield_per": AT_ONCE}) as rows,
    ):
        yield rows.partitions()


def with_metrics(answers: Answers, names: Iterable[str]) -> Answers:
    """With these metrics too, though no answer has a score of them."""
    empty = {name: np.full(len(answers.item), np.nan) for name in names if name not in answers.scores}
    return replace(answers, scores={**answers.scores, **empty})
