"""The loop: step after step until the last one or until time is up, with a checkpoint, curves and a held-out exam."""

from __future__ import annotations

import contextlib
import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch  # noqa: TID253 - only the command that trains imports this

from benchmarks.synthetic.truth import Item
from benchmarks.tiny_vlm import checkpoint, curves, exam, model
from benchmarks.tiny_vlm.batches import stream
from benchmarks.tiny_vlm.checkpoint import State
from benchmarks.tiny_vlm.sizes import Recipe


@dataclass(frozen=True)
class Pace:
    """When to stop and how often to look up. Minutes; 0 is never.

    processes: that draw the pictures, 0 for this one. note: steps between two rows of the curves.
    exam_items: held-out items a class.
    """

    minutes: float = 0
    save_minutes: float = 5
    exam_minutes: float = 10
    exam_items: int = 8
    exam_fonts: tuple[str, ...] = ()
    processes: int = 0
    note: int = 20


def rate(recipe: Recipe, step: int) -> float:
    """The learning rate: up, level, then down to nothing as 1 - √x over the last part, so that the end can be moved.

    It starts anew where the text model begins to learn.
    """
    looking = recipe.eye * recipe.steps
    since = step - looking if step >= looking else step
    last = recipe.steps * recipe.cooldown
    into = max(0.0, step - (recipe.steps - last)) / last
    return float(recipe.rate * min(1.0, (since + 1) / recipe.warmup) * (1 - into**0.5))


def update(state: State, groups: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """One step of the optimiser over all groups; every group's losses and shares, as tensors."""
    recipe, device = state.recipe, next(state.learner.parameters()).device
    state.optimiser.set_rate(rate(recipe, state.done))
    totals: dict[str, list[Any]] = defaultdict(list)
    half = torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else contextlib.nullcontext()
    for group in groups:
        beside = {name: group[name] for name in ("turns", "labels", "looks")}
        tensors = {name: group[name].to(device, non_blocking=True) for name in ("pixels", "ids", "seen")}
        with half:
            losses = state.learner(**tensors, **beside)
        loss = losses["named"]
        if "answer" in losses:
            loss = losses["answer"] + recipe.aid * losses["named"] + recipe.guide * losses["looked"]
        (loss / len(groups)).backward()
        for name, value in losses.items():
            totals[name].append(value.detach())
        if "right" in losses:
            totals[f"right {group['kind']}"].append(losses["right"])
    norm = torch.nn.utils.clip_grad_norm_(state.learner.parameters(), 1.0)
    if torch.isfinite(norm):
        state.optimiser.step()
    state.learner.zero_grad()
    state.done += 1
    keep = min(recipe.smooth, (1 + state.done) / (10 + state.done))
    with torch.no_grad():
        mine = list(state.learner.model.parameters())
        torch._foreach_lerp_(list(state.mean.parameters()), mine, 1 - keep)
    return totals


def examine(state: State, questions: Mapping[str, Sequence[Item]]) -> dict[str, float]:
    """The mean score of every class, from the running mean of the weights."""
    processor = model.processor()
    scores = {}
    for name, items in questions.items():
        said = exam.answers(state.mean, processor, items)
        scores[name] = fmean(exam.worth(one, answer) for one, answer in zip(items, said, strict=True))
    return scores


def train(state: State, folder: Path, pace: Pace, say: Callable[[str], None] = print) -> bool:
    """Goes on from `state` and leaves a checkpoint and curves in `folder`; True when the last step was done."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (curves.STEPS, curves.EXAMS):
        curves.cut(folder / name, state.done)
    recipe, questions = state.recipe, exam.questions(pace.exam_items, pace.exam_fonts) if pace.exam_minutes else {}
    begun, before, started, seen = time.monotonic(), state.seconds, state.done, 0
    saved = examined = begun
    noted: dict[str, list[Any]] = defaultdict(list)
    state.learner.train()

    def keep() -> None:
        state.seconds = before + time.monotonic() - begun
        checkpoint.save(state, folder)
        curves.draw(folder)

    for groups in stream(recipe, state.done, pace.processes):
        for name, losses in update(state, groups).items():
            noted[name] += losses
        seen += sum(len(group["ids"]) for group in groups)
        now = time.monotonic()
        state.seconds = before + now - begun
        if state.done % pace.note == 0:
            row = {name: float(torch.stack(values).float().mean()) for name, values in noted.items()}
            first = {name: row.get(name, math.nan) for name in ("answer", "named", "looked", "right", "found", "there")}
            noted.clear()
            curves.add(
                folder / curves.STEPS,
                {"step": state.done, "seconds": state.seconds, "rate": rate(recipe, state.done - 1), **first},
            )
            left = (recipe.steps - state.done) * (now - begun) / (state.done - started)
            say(progress(state, row, seen / (now - begun), left))
        if pace.exam_minutes and now - examined > pace.exam_minutes * 60 and state.done > recipe.eye * recipe.steps:
            scores = examine(state, questions)
            curves.add(folder / curves.EXAMS, {"step": state.done, "seconds": state.seconds, **scores})
            say("exam " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))
            examined = time.monotonic()
        if pace.save_minutes and now - saved > pace.save_minutes * 60:
            keep()
            saved = time.monotonic()
        if pace.minutes and now - begun > pace.minutes * 60:
            break
    keep()
    return state.done >= recipe.steps


def progress(state: State, row: Mapping[str, float], a_second: float, left: float) -> str:
    kinds = " ".join(f"{name.removeprefix('right ')} {row[name]:.2f}" for name in sorted(row) if " " in name)
    return (
        f"step {state.done}/{state.recipe.steps}, {state.seconds / 60:.1f} min, {left / 60:.0f} min left, "
        f"{a_second:.0f} pictures/s, loss {row.get('answer', math.nan):.3f}, naming {row['named']:.3f}, "
        f"letters {row['found']:.3f}, looking {row.get('there', math.nan):.3f}, tokens right: {kinds}"
    )
