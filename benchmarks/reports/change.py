"""A benchmark against an earlier one: what became better or worse on the items they share, and what else changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from arena.core import Arena
from arena.errors import RunError
from arena.export import plain
from benchmarks.metrics import METRICS, Better
from benchmarks.reports.answers import (
    FAILED,
    FIGURES,
    SETUP,
    STATUSES,
    Answers,
    Flags,
    Setup,
    facts_of,
    named,
    read_answers,
    read_items,
)
from benchmarks.reports.intervals import Codes, Estimate, Numbers, known, mean
from benchmarks.reports.needs import needed

if TYPE_CHECKING:
    from pandas import DataFrame

FAILING, TIME = "failed", "generate_s"  # what is compared beside the metrics
SLOWER = 1.05  # a time that changes by less is none to speak of, however sure it is
LOCK = "benchmark.lock.json"


@dataclass(frozen=True)
class Saved:
    """A benchmark as it was kept. about: what is not in its rows, as far as it is known: the dataset and its hash."""

    name: str
    answers: Answers
    about: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """One figure of one model, means over the n common items. difference: after minus before, of a time the ratio of
    the two (geometric mean over items), with the interval over items."""

    model: str
    title: str
    metric: str
    before: float
    after: float
    difference: Estimate
    better: Better

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``same``: a change counts when its whole interval lies on one side."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return "same"
        down, up = (1 / SLOWER, SLOWER) if self.metric == TIME else (0.0, 0.0)
        none = 1.0 if self.metric == TIME else 0.0
        middle = self.difference.value or none
        if high < none and middle < down:
            return "better" if self.better == "lower" else "worse"
        if low > none and middle > up:
            return "worse" if self.better == "lower" else "better"
        return "same"


@dataclass(frozen=True)
class Comparison:
    """changes: of what both have. others: facts that differ: their name with the model's, before, after."""

    before: str
    after: str
    changes: tuple[Change, ...]
    others: tuple[tuple[str, str, str], ...]

    @property
    def regressions(self) -> list[Change]:
        return [each for each in self.changes if each.verdict == "worse"]


def compared(before: Saved, after: Saved) -> Comparison:
    """The later one against the earlier, model by model, on the items that both asked it."""
    one, two = before.answers, after.answers
    there = {name: at for at, name in enumerate(two.items)}
    shared = [(at, there[name]) for at, name in enumerate(one.items) if name in there]
    places = np.array(shared, dtype=int).reshape(-1, 2).T
    changes = [
        change
        for at, model in enumerate(one.models)
        if model in two.models
        for change in _changes(one, two, at, two.models.index(model), places)
    ]
    return Comparison(before.name, after.name, tuple(changes), tuple(_others(before, after)))


def _changes(one: Answers, two: Answers, first: int, second: int, places: Codes) -> Iterator[Change]:
    model, title = one.models[first], two.titles[second]
    metrics = [name for name in one.scores if name in two.scores and name in METRICS]
    for metric in metrics:
        values = one.per_item(metric, first)[places[0]], two.per_item(metric, second)[places[1]]
        yield from _change(model, title, metric, METRICS[metric].better, *values)
    failing = (_failing(each, at)[where] for each, at, where in ((one, first, places[0]), (two, second, places[1])))
    yield from _change(model, title, FAILING, "lower", *failing)
    yield from _slower(model, title, _seconds(one, first)[places[0]], _seconds(two, second)[places[1]])


def _change(model: str, title: str, metric: str, better: Better, was: Numbers, now: Numbers) -> Iterator[Change]:
    both = np.isfinite(was) & np.isfinite(now)
    if both.any():
        means = float(was[both].mean()), float(now[both].mean())
        yield Change(model, title, metric, *means, mean(now[both] - was[both]), better)


def _slower(model: str, title: str, was: Numbers, now: Numbers) -> Iterator[Change]:
    both = (was > 0) & (now > 0)
    if both.any():
        found = mean(np.log(now[both] / was[both]))
        ratio, low, high = (
            None if each is None else float(np.exp(each)) for each in (found.value, found.low, found.high)
        )
        medians = float(np.median(was[both])), float(np.median(now[both]))
        yield Change(model, title, TIME, *medians, Estimate(ratio, low, high, found.n), "lower")


def _failing(answers: Answers, model: int) -> Numbers:
    """The share of an item's answers that failed."""
    return _per_item(answers, answers.of_status(FAILED).astype(float), answers.asked & (answers.model == model))


def _seconds(answers: Answers, model: int) -> Numbers:
    """The mean time of an item's warm answers."""
    warm = answers.timed & (answers.repeat > 0) & (answers.numbers["cold"] != 1) & (answers.model == model)
    return _per_item(answers, answers.numbers[TIME], warm)


def _per_item(answers: Answers, values: Numbers, rows: Flags) -> Numbers:
    rows = rows & np.isfinite(values)
    counts = np.bincount(answers.item[rows], minlength=len(answers.items))
    sums = np.bincount(answers.item[rows], values[rows], len(answers.items))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _others(before: Saved, after: Saved) -> Iterator[tuple[str, str, str]]:
    """What differs of the setups and of what is known about the two."""
    for name in before.about.keys() & after.about.keys():
        if before.about[name] != after.about[name]:
            yield name, before.about[name], after.about[name]
    for model in before.answers.models:
        was, now = (_known_of(each.answers.setups, model) for each in (before, after))
        for name in [name for name in was if now and was[name] != now.get(name, was[name])]:
            yield f"{model} {name}", was[name], now[name]


def _known_of(setups: tuple[Setup, ...], model: str) -> dict[str, str]:
    """Every fact of a model; of several values all."""
    found: dict[str, dict[str, None]] = {}
    for each in setups:
        if each.model == model:
            for name, value in each.facts.items():
                found.setdefault(name, {})[value] = None
    return {name: ", ".join(values) for name, values in found.items()}


def saved(arena: Arena, name: str) -> Saved:
    """A benchmark by its id, or the folder of a report. Raises `RunError` (``bad_input``) for neither."""
    folder = Path(name)
    if folder.is_dir():
        return from_folder(folder)
    benchmark = arena.benchmarks.get(name)
    if benchmark is None:
        raise RunError("bad_input", key="bench.unknown", id=name)
    answers = read_answers(arena.store, benchmark, read_items(arena.store, name).names)
    about = {"dataset": benchmark.dataset, "dataset_sha256": benchmark.dataset_sha256}
    return Saved(benchmark.name or name, answers, about)


def from_folder(folder: Path) -> Saved:
    """The rows of a report that need not be in any database any more. Raises `RunError` (``bad_input``)."""
    import pandas

    wanted = ["item", "repeat", "status", "cached_from", *SETUP, *FIGURES[1:], *METRICS]
    parquet, rows = folder / "rows.parquet", folder / "rows.csv"
    if parquet.exists():
        needed("pyarrow")
        frame = pandas.read_parquet(parquet)
    elif rows.exists():
        frame = pandas.read_csv(rows, encoding="utf-8-sig", keep_default_na=False, na_values=[""], low_memory=False)
        for column in frame.select_dtypes(["object", "string"]):
            frame[column] = frame[column].map(plain, na_action="ignore")
    else:
        raise RunError("bad_input", key="bench_report.bad_folder", path=str(folder))
    for column in [name for name in ("item", "side", "status") if name not in frame]:
        raise RunError("bad_input", key="bench_report.bad_rows", path=str(folder), column=column)
    frame = frame[[name for name in (*wanted, "cold") if name in frame]].dropna(subset=["item", "side", "status"])
    about, models = _about(folder / LOCK)
    return Saved(folder.name, _answers(frame, models), about)


def _answers(frame: DataFrame, asked: tuple[str, ...]) -> Answers:
    texts = frame[[name for name in SETUP if name in frame]].drop_duplicates().astype(object)
    setups = texts.where(texts.notna(), None).to_dict("records")
    setups.sort(key=lambda row: (len(row["side"]), row["side"]))
    models, titles = named(setups, asked)
    items, item = np.unique(frame["item"].astype(str), return_inverse=True)
    sides = {side: at for at, side in enumerate(models)}

    def column(name: str) -> Numbers:
        if name not in frame:
            return np.full(len(frame), np.nan)
        return np.asarray(frame[name].astype(float), dtype=float)

    return Answers(
        tuple(models.values()),
        tuple(titles),
        tuple(models),
        tuple(items.tolist()),
        item,
        frame["side"].map(sides).to_numpy(dtype=int),
        np.nan_to_num(column("repeat"), nan=1).astype(int),
        frame["status"].map(lambda name: STATUSES.index(name) if name in STATUSES else -1).to_numpy(dtype=int),
        frame["cached_from"].notna().to_numpy(),
        {name: column(name) for name in FIGURES},
        {name: column(name) for name in METRICS if len(known(column(name)))},
        tuple(Setup(models[row["side"]], facts_of(row)) for row in setups),
    )


def _about(lock: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """The dataset, and the models in their order; nothing where the file is not there or not readable."""
    try:
        kept = json.loads(lock.read_text(encoding="utf-8"))
        about = {name: str(kept["dataset"][key]) for name, key in (("dataset", "name"), ("dataset_sha256", "sha256"))}
        return about, tuple(map(str, kept["models"]))
    except (OSError, ValueError, KeyError, TypeError):
        return {}, ()
