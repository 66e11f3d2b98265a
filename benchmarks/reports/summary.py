"""From the rows of a benchmark to its report: the figures of every model, the tests between them, the worst answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from sqlalchemy import select

from arena.core import Arena
from arena.errors import RunError
from arena.tables import RUN
from benchmarks.metrics import METRICS, Better
from benchmarks.reports.answers import (
    FAILED,
    STATUSES,
    Answers,
    Flags,
    Items,
    measurable_by_truth,
    read_answers,
    read_items,
    with_metrics,
)
from benchmarks.reports.figures import Example, ModelFigures, Pace, Report, Score, Slice, SlicePair
from benchmarks.reports.intervals import Codes, Numbers, known, mean, median, spread, wilson
from benchmarks.reports.paired import Paired, holm, paired

FLAWED = ("empty", "loop", "truncated")
CLEAN = ("", "none", "clean")  # degradations that are none
SOURCE = "source"  # the tag that says which items were made of one picture
MOST_VALUES = 30  # of a tag that the report still groups by
WORST = 3  # answers that are shown of every model
MOST_EXAMPLES = 12
Groups = dict[str, dict[tuple[str, str], Flags]]


def summarise(arena: Arena, benchmark_id: str) -> Report:
    """The report of a benchmark, finished or not. Raises `RunError`: ``bad_input`` when there is none of that id."""
    benchmark = arena.benchmarks.get(benchmark_id)
    if benchmark is None:
        raise RunError("bad_input", key="bench.unknown", id=benchmark_id)
    items = read_items(arena.store, benchmark_id)
    answers = read_answers(arena.store, benchmark, items.names)
    answers, within = _measurable(arena, benchmark_id, items, answers)
    metrics = _ordered(arena, items, within)
    clusters = _clusters(items)
    scores = {
        name: [answers.per_item(name, model, within[name]) for model in range(len(answers.models))] for name in metrics
    }
    groups = _groups(items)
    pairs = [
        paired(
            answers.models[one],
            answers.models[other],
            name,
            _better(name),
            (scores[name][one], scores[name][other]),
            clusters,
        )
        for name in metrics
        for one, other in combinations(range(len(answers.models)), 2)
    ]
    first = metrics[0] if metrics else ""
    return Report(
        benchmark=benchmark,
        items=len(items.names),
        unreadable=items.unreadable,
        metrics=metrics,
        models=tuple(_model(answers, at, metrics, scores, clusters) for at in range(len(answers.models))),
        pairs=tuple(adjusted(pairs)),
        slices=tuple(_slices(answers, groups, scores, clusters)),
        slice_pairs=tuple(_slice_pairs(answers, groups, first, scores.get(first, []), clusters)),
        examples=_examples(arena, benchmark_id, items, answers, scores.get(first, []), first),
        setups=answers.setups,
    )


def adjusted(pairs: Sequence[Paired]) -> list[Paired]:
    """The tests of one family, a metric's, corrected for their number."""
    found: list[Paired] = []
    for name in dict.fromkeys(pair.metric for pair in pairs):
        family = [pair for pair in pairs if pair.metric == name]
        corrected = holm([pair.p for pair in family])
        found += [replace(pair, adjusted=p) for pair, p in zip(family, corrected, strict=True)]
    return found


def _better(metric: str) -> Better:
    return METRICS[metric].better if metric in METRICS else "higher"


def _measurable(arena: Arena, benchmark_id: str, items: Items, answers: Answers) -> tuple[Answers, dict[str, Flags]]:
    """Which items each metric measures: those that some answer has a score for, and of those that nobody answered the
    ones whose task asks for the metric and whose truth has its part."""
    within = {name: answers.measurable(name) for name in answers.scores}
    scored = np.zeros(len(items.names), dtype=bool)
    for flags in within.values():
        scored |= flags
    failed = np.zeros(len(items.names), dtype=bool)
    failed[answers.item[answers.asked & answers.of_status(FAILED)]] = True
    silent = np.flatnonzero(failed & ~scored)
    if len(silent):
        tasks = {task: arena.catalog.tasks[task].metrics for task in set(items.tasks) if task in arena.catalog.tasks}
        wanted = [name for name in METRICS if any(name in metrics for metrics in tasks.values())]
        by_truth = measurable_by_truth(arena.store, benchmark_id, wanted)
        for name in wanted:
            there = [at for at in silent if items.names[at] in by_truth[name] and name in tasks[items.tasks[at]]]
            if there:
                within.setdefault(name, np.zeros(len(items.names), dtype=bool))[there] = True
    return with_metrics(answers, within), within


def _ordered(arena: Arena, items: Items, within: dict[str, Flags]) -> tuple[str, ...]:
    """What most items are measured by first, then as the tasks name them."""
    tasks = [task for task in dict.fromkeys(items.tasks) if task in arena.catalog.tasks]
    wanted = [*dict.fromkeys(name for task in tasks for name in arena.catalog.tasks[task].metrics), *METRICS]
    return tuple(sorted(within, key=lambda name: (-int(within[name].sum()), wanted.index(name))))


def _clusters(items: Items) -> Codes | None:
    sources = items.tags.get(SOURCE)
    if sources is None:
        return None
    named = [source or f"\0{item}" for source, item in zip(sources, items.names, strict=True)]
    return np.unique(named, return_inverse=True)[1]


def _model(
    answers: Answers, model: int, metrics: Sequence[str], scores: dict[str, list[Numbers]], clusters: Codes | None
) -> ModelFigures:
    mine = answers.model == model
    asked = mine & answers.asked
    rows = mine & (answers.repeat > 0)
    timed, cold = mine & answers.timed, answers.numbers["cold"] == 1
    warm = timed & (answers.repeat > 0) & ~cold
    generate = answers.numbers["generate_s"]
    generated = float(np.nansum(generate[warm]))
    tokens = answers.numbers["output_tokens"]
    counted = warm & np.isfinite(tokens) & np.isfinite(generate)
    process, device = (answers.numbers[f"peak_vram_{name}_mb"][mine] for name in ("process", "device"))
    vram_of = "process" if np.isfinite(process).any() else "device"
    energy = known(answers.numbers["energy_j"][timed & (answers.repeat > 0)])
    return ModelFigures(
        model=answers.models[model],
        title=answers.titles[model],
        rows=int(rows.sum()),
        cached=int((rows & answers.cached).sum()),
        statuses={name: int((rows & answers.of_status([name])).sum()) for name in STATUSES},
        failed=wilson(int((asked & answers.of_status(FAILED)).sum()), int(asked.sum())),
        flawed=wilson(int((asked & answers.of_status(FLAWED)).sum()), int(asked.sum())),
        scores={
            name: Score(
                mean(scores[name][model], clusters),
                median(scores[name][model]),
                mean(answers.per_item(name, model, failures=False), clusters),
            )
            for name in metrics
        },
        cold=_pace(answers, timed & cold),
        warm=_pace(answers, warm),
        answers_per_min=60 * int(np.isfinite(generate[warm]).sum()) / generated if generated else None,
        tokens_per_s=float(tokens[counted].sum() / generate[counted].sum()) if counted.any() else None,
        peak_ram_mb=_largest(answers.numbers["peak_ram_mb"][mine]),
        peak_vram_mb=_largest(process if vram_of == "process" else device),
        vram_of=vram_of,
        energy_j=float(energy.mean()) if len(energy) else None,
        energy_n=len(energy),
        scores_drawn=known(scores[metrics[0]][model]) if metrics else np.empty(0),
        seconds_drawn=known(generate[warm]),
    )


def _pace(answers: Answers, rows: Flags) -> Pace:
    return Pace(*(spread(answers.numbers[f"{name}_s"][rows]) for name in ("load", "first_token", "generate", "total")))


def _largest(values: Numbers) -> float | None:
    values = known(values)
    return float(values.max()) if len(values) else None


def _groups(items: Items) -> Groups:
    """By tag, and within it by value and level, the items that share them; only tags that tell items apart."""
    groups: Groups = {}
    levels = items.tags.get("level", ("",) * len(items.names))
    columns = {"language": items.languages, "task": items.tasks, **items.tags}
    for name, values in columns.items():
        told = [value for value in dict.fromkeys(values) if value]
        if name in (SOURCE, "level", "degradation") or not 1 < len(told) <= MOST_VALUES:
            continue
        array = np.array(values)
        groups[name] = {(value, ""): array == value for value in told}
    degradations = items.tags.get("degradation")
    if degradations:
        kinds = np.array(["" if each in CLEAN else each for each in degradations])
        steps = np.array(["" if kind == "" else level for kind, level in zip(kinds, levels, strict=True)])
        found = sorted(set(zip(kinds.tolist(), steps.tolist(), strict=True)), key=_by_level)
        if len(found) > 1:
            groups["degradation"] = {(kind, level): (kinds == kind) & (steps == level) for kind, level in found}
    return groups


def _by_level(kind: tuple[str, str]) -> tuple[str, float, str]:
    """Numbers by their size, and the picture as it is (no degradation) first."""
    name, level = kind
    try:
        return name, float(level or 0), level
    except ValueError:
        return name, 0.0, level


def _parts(groups: Groups) -> Iterator[tuple[str, str, str, Flags]]:
    for group, parts in groups.items():
        for (value, level), flags in parts.items():
            yield group, value, level, flags


def _slices(
    answers: Answers, groups: Groups, scores: dict[str, list[Numbers]], clusters: Codes | None
) -> Iterator[Slice]:
    for group, value, level, flags in _parts(groups):
        for metric, values in scores.items():
            for at, model in enumerate(answers.models):
                found = mean(values[at][flags], None if clusters is None else clusters[flags])
                if found.n:
                    yield Slice(group, value, level, model, metric, found)


def _slice_pairs(
    answers: Answers, groups: Groups, metric: str, scores: Sequence[Numbers], clusters: Codes | None
) -> Iterator[SlicePair]:
    """Corrected for all tests of a group together."""
    for group, parts in groups.items():
        tests = []
        for (value, level), flags in parts.items():
            within = None if clusters is None else clusters[flags]
            for one, other in combinations(range(len(scores)), 2):
                names = answers.models[one], answers.models[other]
                found = paired(*names, metric, _better(metric), (scores[one][flags], scores[other][flags]), within)
                if found.difference.n:
                    tests.append(SlicePair(group, value, level, found))
        corrected = holm([test.pair.p for test in tests])
        yield from (
            replace(test, pair=replace(test.pair, adjusted=p)) for test, p in zip(tests, corrected, strict=True)
        )


def _examples(
    arena: Arena, benchmark_id: str, items: Items, answers: Answers, scores: Sequence[Numbers], metric: str
) -> tuple[Example, ...]:
    """The worst items of every model; of an item that several models fail at, each has its answer shown once."""
    sign = -1 if metric and _better(metric) == "lower" else 1
    shown: list[Example] = []
    each = max(1, min(WORST, MOST_EXAMPLES // max(1, len(answers.models))))
    for model, values in enumerate(scores):
        there = np.flatnonzero(np.isfinite(values))
        worst = there[np.argsort(sign * values[there], kind="stable")][:each]
        shown += [_example(arena, benchmark_id, items, answers, model, int(at), float(values[at])) for at in worst]
    return tuple(shown)


def _example(
    arena: Arena, benchmark_id: str, items: Items, answers: Answers, model: int, item: int, score: float
) -> Example:
    rows = answers.asked & (answers.model == model) & (answers.item == item)
    repeat = int(answers.repeat[rows].min())
    columns = (RUN.c.status, RUN.c.text, RUN.c.reference, RUN.c.image_sha256)
    place = (RUN.c.benchmark_id == benchmark_id, RUN.c.item == items.names[item], RUN.c.repeat == repeat)
    with arena.store.reading() as connection:
        found = connection.execute(select(*columns).where(*place, RUN.c.side == answers.sides[model])).one()
    image = arena.images.get(found.image_sha256 or "")
    tags = {name: values[item] for name, values in items.tags.items() if values[item]}
    return Example(
        answers.models[model],
        items.names[item],
        score,
        found.status,
        found.text,
        found.reference or "",
        image.path if image else None,
        tags,
    )
