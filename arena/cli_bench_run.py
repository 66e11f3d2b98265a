"""``python -m arena bench run`` and ``resume``: a benchmark filled before one's eyes, and stopped by Ctrl+C."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from statistics import median
from typing import TYPE_CHECKING, Any

from arena.config import Settings
from arena.core import Arena, arena_of
from arena.errors import RunError
from arena.numbers import number
from arena.strings import tr
from arena.terminal import interruptible, print_table, say, tell_stage

if TYPE_CHECKING:
    from benchmarks.datasets import Dataset
    from benchmarks.engines import Engine
    from benchmarks.runs.lock import Difference
    from benchmarks.runs.plan import Plan
    from benchmarks.runs.runner import Beat

QUIET_S = 10.0  # between two lines where nobody sees a line being replaced


def start(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    from arena.cli import PARAMS
    from arena.params import read_value
    from benchmarks.runs import lock
    from benchmarks.runs.runner import begin

    params = {name: getattr(options, name) for name in PARAMS if name != "seed" and getattr(options, name) is not None}
    for given in options.param:
        name, sign, said = given.partition("=")
        if not sign or not name:
            raise RunError("bad_input", key="params.form", given=given[:80], models=", ".join(options.models))
        params[name] = read_value(said)
    engine = engine_of(options)
    with arena_of(settings) as arena:
        asked: dict[str, Any] = {name: getattr(options, name) for name in ("name", "task", "repeat", "warmup", "seed")}
        asked |= {"params": params, "item_seconds": options.item_seconds}
        dataset, models = dataset_of(options, settings, lang), options.models
        if options.lock:
            dataset, models, asked = as_locked(arena, options, dataset, lang)
        plan = begin(
            arena,
            dataset,
            models,
            **asked,
            cached=options.cached,
            anyway=options.anyway or options.engine == "ray",
            told=lambda done, total: told_keeping(done, total, lang),
        )
        say(tr("bench.cli.begun", lang, name=plan.name, id=plan.id))
        code = fill(arena, plan, engine, options, lang)
        if options.lock:
            say_differences(lock.answered_by(arena, lock.read(options.lock), plan.id), lang)
        return code


def say_differences(found: Iterable[Difference], lang: str) -> None:
    for each in found:
        say(tr("bench.cli.differs", lang, what=each.what, then=each.then, now=each.now))


def dataset_of(options: argparse.Namespace, settings: Settings, lang: str) -> Dataset:
    """Raises `RunError` (``bad_input``) saying what is wrong with it."""
    from benchmarks.datasets import DatasetError, load_dataset

    limit = None if options.lock else options.limit
    try:
        return load_dataset(options.dataset, limit=limit, split=options.split, folders=(settings.datasets,))
    except DatasetError as error:
        raise RunError("bad_input", key=f"datasets.{error.key}", **error.params) from error


def as_locked(
    arena: Arena, options: argparse.Namespace, dataset: Dataset, lang: str
) -> tuple[Dataset, list[str], dict[str, Any]]:
    """What the lock file asks, after what differs was said. Raises `RunError` for another dataset, unless anyway."""
    from benchmarks.runs import lock

    kept = lock.read(options.lock)
    dataset, models = lock.chosen(dataset, kept), lock.models_of(arena, kept)
    found = lock.differences(arena, kept, dataset, models)
    say_differences(found, lang)
    if not found:
        say(tr("bench.cli.as_locked", lang))
    if not options.anyway and any(each.what in ("dataset.sha256", "items") for each in found):
        raise RunError("bad_input", key="bench.other_dataset", name=kept["dataset"]["name"])
    asked = {name: kept["benchmark"][name] for name in lock.SETTINGS}
    prompts = {item: kept["prompts"][each["prompt"]] for item, each in kept["items"].items()}
    return dataset, models, asked | {"prompts": prompts}


def told_keeping(done: int, total: int, lang: str) -> None:
    if sys.stderr.isatty() or done == total:
        tell_stage(tr("bench.cli.keeping", lang, done=done, total=total), over=done == total)


def engine_of(options: argparse.Namespace) -> Engine | None:
    if options.engine == "local":
        return None
    from benchmarks.engines.ray import Ray

    return Ray(address=options.address)


def resume(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    from benchmarks.runs.runner import plan_of

    with arena_of(settings) as arena:
        open_ones = (each.id for each in arena.benchmarks.newest(1000) if each.state != "done")
        benchmark_id = options.id or next(open_ones, None)
        if benchmark_id is None:
            raise RunError("bad_input", key="bench.nothing_open")
        return fill(arena, plan_of(arena, benchmark_id), engine_of(options), options, lang)


def fill(arena: Arena, plan: Plan, engine: Engine | None, options: argparse.Namespace, lang: str) -> int:
    """Carry on until it is done or Ctrl+C, then say how it ended."""
    from arena.cancel import Cancel
    from benchmarks.runs.runner import carry_on

    cancel, voice, beat = Cancel(), Voice(lang), None
    with interruptible(cancel.set):
        for beat in carry_on(arena, plan.id, cancel, engine):
            voice.tell(beat)
    voice.end()
    kept = arena.benchmarks.get(plan.id)
    state = kept.state if kept else "stopped"
    models = ended(arena, plan)
    if options.json:
        counts = {"done": beat.done, "total": beat.total} if beat else {}
        print(json.dumps({"benchmark_id": plan.id, "state": state, **counts, "models": models}))
    else:
        show(models, lang)
    say(tr(f"bench.cli.{state}", lang, id=plan.id))
    return 0 if state == "done" else 1


class Voice:
    """What is said while it runs: one line that is replaced in a terminal, elsewhere a line now and then."""

    def __init__(self, lang: str) -> None:
        self._lang, self._model, self._said = lang, "", 0.0

    def tell(self, beat: Beat) -> None:
        tty = sys.stderr.isatty()
        if beat.run and beat.run.status != "ok":
            said = beat.run.error_text.get(self._lang) or beat.run.error_detail or ""
            status = tr(f"statuses.{beat.run.status}", self._lang)
            why = said.splitlines()[0] if said else ""
            tell_stage(f"{beat.model} {beat.item}: {'; '.join(filter(None, [status, why]))}", over=True)
        new = beat.model != self._model or beat.done == beat.total
        if tty or new or time.monotonic() - self._said > QUIET_S:
            self._model, self._said = beat.model, time.monotonic()
            left = tr("bench.cli.left", self._lang, left=clock(beat.left_s)) if beat.left_s is not None else ""
            note = beat.note.text(self._lang) if beat.note else ""
            tell_stage("  ".join(filter(None, [f"{beat.done}/{beat.total}", left, beat.model, beat.item, note])))

    def end(self) -> None:
        if sys.stderr.isatty():
            say("")


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, as short as may be.

    >>> clock(5.4), clock(65), clock(7325)
    ('0:05', '1:05', '2:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ended(arena: Arena, plan: Plan) -> list[dict[str, Any]]:
    """Every model with how its answers ended, warm-ups left out."""
    statuses: dict[str, Counter[str]] = {plan.side(model): Counter() for model in plan.models}
    took: dict[str, list[float]] = {side: [] for side in statuses}
    cached = Counter[str]()
    for side, status, copied, seconds in arena.benchmarks.ends(plan.id):
        statuses[side][status] += 1
        cached[side] += copied
        took[side] += [seconds] if seconds is not None else []
    return [
        {"model": model, "side": side, "statuses": dict(statuses[side]), "cached": cached[side]}
        | {"median_s": median(took[side]) if took[side] else None}
        for model in plan.models
        for side in [plan.side(model)]
    ]


def show(models: list[dict[str, Any]], lang: str) -> None:
    heads = [tr(f"bench.cli.column.{name}", lang) for name in ("model", "ok", "other", "cached", "median_s")]
    rows = [heads]
    for each in models:
        others = (f"{tr(f'statuses.{name}', lang)} {count}" for name, count in each["statuses"].items() if name != "ok")
        counts = [str(each["statuses"].get("ok", 0)), ", ".join(others) or "—", str(each["cached"])]
        rows.append([each["model"], *counts, number(each["median_s"], lang, 2)])
    print_table(rows)
