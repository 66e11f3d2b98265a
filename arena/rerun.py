"""The same comparison once more: the request made again from its stored runs, and whether the answers are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein

from arena.compare import Request, Side
from arena.core import Arena
from arena.errors import RunError
from arena.images import StoredImage
from arena.params import PAGES
from arena.spec import ModelSpec, labelled
from arena.types import Run

MOST_EDITS = 10_000  # more are not counted: the texts have nothing in common
MOST_SHOWN = 8  # places of difference that are shown
COMPARED = 4_000  # characters between the equal beginning and the equal end in which the places are looked for
AROUND = 12  # equal characters shown on each side of a difference
TIMES = ("load_s", "first_token_s", "generate_s", "total_s")


@dataclass(frozen=True)
class Place:
    """Where the texts part: what one has and the other has instead, with the equal text around it.

    at: characters of the first text before it."""

    at: int
    left: str
    before: str
    after: str
    right: str


@dataclass(frozen=True)
class Change:
    """Something that was another when the run was repeated; `fact` names a text ``benchmark.fact.<fact>``, or is the
    name of a library."""

    fact: str
    before: str
    after: str


@dataclass(frozen=True)
class Outcome:
    """One side, before and after.

    same: the same text and the same status. edits: the least number of characters to insert, delete or replace, one
    more than `MOST_EDITS` for more. places: the first of them. drawn: answers were drawn at random without a seed.
    """

    before: Run
    after: Run
    same: bool
    edits: int
    places: tuple[Place, ...]
    changes: tuple[Change, ...]
    drawn: bool

    @property
    def times(self) -> tuple[tuple[str, float | None, float | None], ...]:
        """Seconds, before and after, of the stages that happened at least once."""
        pairs = ((name, getattr(self.before.timeline, name), getattr(self.after.timeline, name)) for name in TIMES)
        return tuple(pair for pair in pairs if pair[1:] != (None, None))


def recorded(arena: Arena, comparison_or_run: str) -> list[Run]:
    """The runs of a comparison in their order, or the one run with this id. Raises `RunError` (``bad_input``)."""
    runs = arena.store.comparison(comparison_or_run)
    if not runs and (run := arena.store.get(comparison_or_run)):
        runs = [run]
    if not runs:
        raise RunError("bad_input", key="report.unknown", name=comparison_or_run[:80])
    return runs


def again(arena: Arena, comparison_or_run: str) -> Request:
    """The request that these runs came from: models as they were set, image, prompt, task, language, parameters.

    Raises `RunError` (``bad_input``) saying what is no longer there: the runs, the image, a model, the way it ran.
    """
    runs = recorded(arena, comparison_or_run)
    first, image = runs[0], image_of(arena, runs[0])
    if first.task not in arena.catalog.tasks:
        raise RunError("bad_input", key="report.again.task_gone", task=first.task)
    return Request(
        sides=tuple(Side(spec_of(arena, run), params_of(run, image)) for run in runs),
        image=image,
        task=arena.catalog.tasks[first.task],
        prompt=first.prompt,
        language=first.language,
        reference=first.reference,
    )


def image_of(arena: Arena, run: Run) -> StoredImage | None:
    """The very image of the run, with the size of its upload. Raises `RunError` when it is no longer kept."""
    if run.image_sha256 is None:
        return None
    image = arena.images.get(run.image_sha256)
    if image is None:
        raise RunError("bad_input", key="report.again.image_gone")
    return replace(
        image,
        original_width=run.original_width or image.width,
        original_height=run.original_height or image.height,
    )


def spec_of(arena: Arena, run: Run) -> ModelSpec:
    """The model set as it was. Raises `RunError` when the catalogue has it no more, or not in this way."""
    try:
        entry = arena.catalog.find(run.model)
    except RunError as error:
        raise RunError("bad_input", key="report.again.model_gone", title=run.title, name=run.model) from error
    try:
        return entry.with_options(mode=run.mode, quantization=run.quantization, dtype=run.dtype)
    except RunError as error:
        how = labelled(run.title, run.mode, run.quantization, run.dtype)
        raise RunError("bad_input", key="report.again.variant_gone", how=how) from error


def params_of(run: Run, image: StoredImage | None) -> dict[str, Any]:
    """The parameters of the run; its further pages are files beside the image and must still be there."""
    pages = run.params.get(PAGES) or ()
    if image and not all((image.path.parent / Path(str(page))).is_file() for page in pages):
        raise RunError("bad_input", key="report.again.image_gone")
    return dict(run.params)


def reproduces(before: Sequence[Run], after: Sequence[Run]) -> tuple[Outcome, ...]:
    """Each side before and after, as far as both ran."""
    return tuple(_outcome(one, other) for one, other in zip(before, after, strict=False))


def _outcome(before: Run, after: Run) -> Outcome:
    edits = Levenshtein.distance(before.text, after.text, score_cutoff=MOST_EDITS)
    temperature = after.params.get("temperature")
    return Outcome(
        before,
        after,
        same=edits == 0 and before.status == after.status,
        edits=edits,
        places=tuple(_places(before.text, after.text)) if edits else (),
        changes=tuple(_changes(before, after)),
        drawn=isinstance(temperature, (int, float)) and temperature > 0 and after.seed is None,
    )


def _places(one: str, other: str) -> Iterator[Place]:
    """The first places where the texts differ; those close together are one."""
    start = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    start = min(len(one), len(other)) if start is None else start
    mine, theirs = one[start : start + COMPARED], other[start : start + COMPARED]
    found: list[tuple[int, int, int, int]] = []
    for step in Levenshtein.opcodes(mine, theirs):
        if step.tag == "equal":
            continue
        if found and step.src_start - found[-1][1] <= AROUND // 3:
            found[-1] = (found[-1][0], step.src_end, found[-1][2], step.dest_end)
        else:
            found.append((step.src_start, step.src_end, step.dest_start, step.dest_end))
    for begin, end, there, till in found[:MOST_SHOWN]:
        at, to = start + begin, start + end
        yield Place(at, one[max(0, at - AROUND) : at], mine[begin:end], theirs[there:till], one[to : to + AROUND])


def _changes(before: Run, after: Run) -> Iterator[Change]:
    """What could explain a difference: the program, the libraries, the machine, the model's own version."""
    for fact in ("source", "revision", "adapter", "device", "driver"):
        yield from _change(fact, getattr(before, fact), getattr(after, fact))
    yield from _change("program", _program(before), _program(after))
    for name in sorted({*before.library_versions, *after.library_versions}):
        yield from _change(name, before.library_versions.get(name), after.library_versions.get(name))
    for name in sorted({*before.params, *after.params}):
        yield from _change(f"params.{name}", before.params.get(name), after.params.get(name))


def _change(fact: str, before: object, after: object) -> Iterator[Change]:
    if before != after:
        yield Change(fact, "" if before is None else str(before), "" if after is None else str(after))


def _program(run: Run) -> str:
    return " ".join(filter(None, [run.app_version, run.app_commit, "Python", run.python_version]))
