"""Ratings with all their bootstraps, against evalica refitting one after the other and against one fit of arena-rank.

evalica stands in requirements/dev.txt. arena-rank pins numpy and jax to single releases and so needs an interpreter of
its own: ``python -m venv .venv-arena-rank && .venv-arena-rank/bin/pip install -r requirements/arena-rank.txt``.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.rating import Tally, rate
from arena.rating.tally import BOTH_BAD, TIE
from arena.votes import OUTCOMES

ROOT = Path(__file__).parent.parent.parent
OTHER = ROOT / ".venv-arena-rank" / "bin" / "python"
SAMPLED = 5  # refits of a million votes that are timed; a hundred take minutes
Votes = tuple[list[str], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
# What arena-rank is asked for, in its own process: ratings with its usual intervals, which need no bootstrap; twice, as
# the first call compiles. Its bootstrap forks a process that has threads, and came to a standstill.
ARENA_RANK = """
import json, sys, time
import numpy as np, pandas as pd
from arena_rank.models.bradley_terry import BradleyTerry
from arena_rank.utils.data_utils import PairDataset
votes = np.load(sys.argv[1])
names = np.array(["model_a", "model_b", "tie", "both_bad"])
frame = pd.DataFrame({"model_a": votes["a"], "model_b": votes["b"], "winner": names[votes["outcome"]]})
seconds = []
for _ in range(2):
    started = time.perf_counter()
    data = PairDataset.from_pandas(frame)
    found = BradleyTerry(n_competitors=len(data.competitors)).compute_ratings_and_cis(data)
    np.asarray(found["rating_upper"])
    seconds.append(time.perf_counter() - started)
print(json.dumps(seconds))
"""


def measure() -> list[dict[str, Any]]:
    return [*class_sized(), *arena_sized(), *beside_arena_rank()]


def class_sized() -> list[dict[str, Any]]:
    """What a class has after a lesson: seconds, and against evalica's own bootstrap."""
    votes = drawn(6, 200)
    ours = best(lambda: rated(votes, 1000), 5)
    evalica = importlib.import_module("evalica")
    xs, ys, winners = named(votes, evalica)

    def theirs() -> None:
        evalica.bootstrap(
            evalica.bradley_terry, xs, ys, winners, n_resamples=1000, bootstrap_method="percentile", random_state=1
        )

    other = best(theirs, 2)
    name = "6 models, 200 votes, 1000 bootstraps"
    detail = f"{1000 * ours:.0f} ms against {1000 * other:.0f} ms"
    return [
        {"name": f"seconds of ratings: {name}", "ratio": ours, "goal": "<= 0.5", "detail": ""},
        {"name": f"evalica's bootstrap / ours: {name}", "ratio": other / ours, "goal": ">= 5", "detail": detail},
    ]


def arena_sized() -> list[dict[str, Any]]:
    """A hundred bootstraps of a million votes: each resampled and refitted, and refitted from added-up votes."""
    votes = drawn(150, 1_000_000)
    ours = best(lambda: rated(votes, 100), 3)
    evalica = importlib.import_module("evalica")
    xs, ys, winners = named(votes, evalica)
    weights = np.random.default_rng(1).multinomial(len(xs), np.full(len(xs), 1 / len(xs)), SAMPLED).astype(float)
    plain = best(lambda: [evalica.bradley_terry(xs, ys, winners, weights=each) for each in weights], 1)
    plain *= 100 / SAMPLED
    added = best(lambda: refitted(votes, evalica, 100), 1)
    name = "150 models, 1,000,000 votes, 100 bootstraps"
    return [
        {
            "name": f"evalica refitting one by one / ours: {name}",
            "ratio": plain / ours,
            "goal": ">= 5",
            "detail": f"{ours:.2f} s against {plain:.0f} s, from {SAMPLED} refits",
        },
        {
            "name": f"evalica refitting added-up votes one by one / ours: {name}",
            "ratio": added / ours,
            "goal": "",
            "detail": f"{ours:.2f} s against {added:.1f} s; evalica has no parameter for ties and no prior",
        },
    ]


def beside_arena_rank() -> list[dict[str, Any]]:
    """One fit of arena-rank with its usual intervals, against all our bootstraps."""
    rows: list[dict[str, Any]] = []
    for models, count, bootstraps in ((6, 200, 1000), (150, 1_000_000, 100)):
        name = f"arena-rank, one fit / ours: {models} models, {count:,} votes, {bootstraps} bootstraps"
        if not OTHER.exists():
            rows.append({"name": name, "ratio": None, "goal": "", "detail": "not installed, see benchmarks/speed"})
            continue
        votes = drawn(models, count)
        first, second = arena_rank(votes)
        ours = best(functools.partial(rated, votes, bootstraps), 3)
        detail = f"{ours:.2f} s against {second:.2f} s, {first:.1f} s the first time, when it compiles"
        rows.append({"name": name, "ratio": second / ours, "goal": "", "detail": detail})
    return rows


def drawn(models: int, count: int) -> Votes:
    """Votes as Davidson's model has them; a twentieth of them say that both are bad."""
    chance = np.random.default_rng(1)
    first = chance.integers(0, models, count)
    second = (first + chance.integers(1, models, count)) % models
    strengths = chance.normal(0, 0.8, models)
    half = (strengths[first] - strengths[second]) / 2
    whole = np.exp(half) + np.exp(-half) + 0.5
    number = chance.random(count) * whole
    decided = np.where(number < np.exp(half), 0, np.where(number < np.exp(half) + 0.5, TIE, 1))
    outcomes = np.where(chance.random(count) < 0.05, BOTH_BAD, decided)
    return [f"model-{index:03d}" for index in range(models)], first, second, outcomes


def rated(votes: Votes, bootstraps: int) -> None:
    rate(Tally.of_arrays(*votes), bootstraps)


def named(votes: Votes, evalica: Any) -> tuple[list[str], list[str], list[Any]]:
    """As evalica takes them; what says nothing of the better is left out."""
    models, first, second, outcomes = votes
    winners = (evalica.Winner.X, evalica.Winner.Y, evalica.Winner.Draw)
    kept = [
        (models[a], models[b], winners[outcome])
        for a, b, outcome in zip(first, second, outcomes, strict=True)
        if outcome != BOTH_BAD
    ]
    return [row[0] for row in kept], [row[1] for row in kept], [row[2] for row in kept]


def refitted(votes: Votes, evalica: Any, bootstraps: int) -> None:
    """The quickest way there is with it: one row for each pair and outcome, weighted anew for each refit."""
    models, first, second, outcomes = votes
    size = len(models)
    cells = np.bincount((first * size + second) * len(OUTCOMES) + outcomes)
    cells = cells * (np.arange(len(cells)) % len(OUTCOMES) != BOTH_BAD)
    (present,) = np.nonzero(cells)
    pairs, outcome = np.divmod(present, len(OUTCOMES))
    a, b = np.divmod(pairs, size)
    xs, ys, winners = named((models, a, b, outcome), evalica)
    counts = cells[present]
    chance = np.random.default_rng(1)
    for _ in range(bootstraps):
        evalica.bradley_terry(xs, ys, winners, weights=chance.multinomial(counts.sum(), counts / counts.sum()))


def arena_rank(votes: Votes) -> list[float]:
    """Seconds of its first and of its second call."""
    with tempfile.TemporaryDirectory(prefix="arena-bench-") as folder:
        path = Path(folder) / "votes.npz"
        np.savez(path, a=votes[1], b=votes[2], outcome=votes[3])
        environ = os.environ | {"JAX_PLATFORMS": "cpu"}
        done = subprocess.run([OTHER, "-c", ARENA_RANK, path], capture_output=True, text=True, check=True, env=environ)
    seconds: list[float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def best(work: Callable[[], object], rounds: int) -> float:
    """The fewest seconds of several rounds: a busy machine only adds to them."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
