"""Ratings with all their bootstraps, against evalica refitting one after the other and against one fit of arena-rank.

evalica stands in requirements/dev.txt. arena-rank pins numpy and jax to single releases and so needs an interpreter of
its own: ``python -m venv .venv-arena-rank && .venv-arena-rank/bin/pip install -r requirements/arena-rank.txt``.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.rating import Tally, rate
from arena.rating.tally import BOTH_BAD, TIE
from arena.votes import OUTCOMES
from benchmarks.speed.rows import Row, by_turns, paired, spread

ROOT = Path(__file__).parent.parent.parent
OTHER = ROOT / ".venv-arena-rank" / "bin" / "python"
SAMPLED = 3  # refits of a million votes that are timed; a hundred take minutes
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


def measure() -> list[Row]:
    return [*class_sized(), *arena_sized(), *beside_arena_rank()]


def class_sized() -> list[Row]:
    """What a class has after a lesson: seconds, and against evalica's own bootstrap."""
    votes = drawn(6, 200)
    evalica = importlib.import_module("evalica")
    xs, ys, winners = named(votes, evalica)

    def theirs() -> None:
        evalica.bootstrap(
            evalica.bradley_terry, xs, ys, winners, n_resamples=1000, bootstrap_method="percentile", random_state=1
        )

    rated(votes, 1000)
    other, ours = by_turns(3, theirs, lambda: rated(votes, 1000))
    name = "6 models, 200 votes, 1000 bootstraps"
    return [
        Row(f"ratings: {name}", "<= 0.5", tuple(ours), spread(ours), unit="s"),
        paired(f"evalica's bootstrap / ours: {name}", ">= 5", (other, ours)),
    ]


def arena_sized() -> list[Row]:
    """A hundred bootstraps of a million votes: each resampled and refitted, and refitted from added-up votes."""
    votes = drawn(150, 1_000_000)
    evalica = importlib.import_module("evalica")
    xs, ys, winners = named(votes, evalica)
    draws = np.random.default_rng(1).multinomial(len(xs), np.full(len(xs), 1 / len(xs)), SAMPLED).astype(float)
    refits = [partial(evalica.bradley_terry, xs, ys, winners, weights=weights) for weights in draws]
    rated(votes, 100)
    ours, added = by_turns(3, lambda: rated(votes, 100), lambda: refitted(votes, evalica, 100))
    plain = [100 * taken for (taken,) in by_turns(1, *refits)]
    name = "150 models, 1,000,000 votes, 100 bootstraps"
    return [
        paired(
            f"evalica refitting one by one / ours: {name}", ">= 5", (plain, ours), note="of single refits, times 100"
        ),
        paired(
            f"evalica refitting added-up votes one by one / ours: {name}",
            "",
            (added, ours),
            note="evalica has no parameter for ties and no prior",
        ),
    ]


def beside_arena_rank() -> list[Row]:
    """One fit of arena-rank with its usual intervals, against all our bootstraps."""
    rows = []
    for models, count, bootstraps in ((6, 200, 1000), (150, 1_000_000, 100)):
        name = f"arena-rank, one fit / ours: {models} models, {count:,} votes, {bootstraps} bootstraps"
        if not OTHER.exists():
            rows.append(Row(name, detail="arena-rank is not installed; requirements/arena-rank.txt says how it is"))
            continue
        votes = drawn(models, count)
        first, second = arena_rank(votes)
        rated(votes, bootstraps)
        ((ours,),) = by_turns(1, partial(rated, votes, bootstraps))
        rows.append(paired(name, "", ([second], [ours]), note=f"{first:.1f} s the first time, when it compiles"))
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
