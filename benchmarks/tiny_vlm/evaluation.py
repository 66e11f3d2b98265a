"""What a saved model can do on held-out items, class by class, with examples: `evaluation.json` and the model card."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.synthetic.truth import Item
from benchmarks.tiny_vlm import exam

FILE = "evaluation.json"
GOOD = {"line": 0.05, "lines": 0.1, "where": 0.6}  # at what score an answer counts as right; others must be exact
TITLES = {
    "line en": "One printed line, English: character error rate",
    "line ru": "One printed line, Russian: character error rate",
    "lines en": "Several lines, English: character error rate",
    "lines ru": "Several lines, Russian: character error rate",
    "colour": "What colour: right answers",
    "shape": "Which shape: right answers",
    "count": "How many: right answers",
    "describe": "Descriptions right in every word",
    "described": "Things, places and grounds named in descriptions",
    "where": "Boxes: mean overlap (IoU)",
}


@dataclass(frozen=True)
class Example:
    """A question, what would have been right and what was said."""

    question: str
    wanted: str
    said: str
    score: float


@dataclass(frozen=True)
class Result:
    """The score of one class over `count` items; for reading lower is better. An example is None if there was none."""

    name: str
    count: int
    score: float
    right: float
    good: Example | None
    bad: Example | None


def is_right(one: Item, score: float) -> bool:
    if one.kind in ("line", "lines"):
        return score <= GOOD[one.kind]
    return score >= GOOD.get(one.kind, 1.0)


def judged(name: str, items: Sequence[Item], said: Sequence[str]) -> list[Result]:
    """The result of one class; descriptions have two."""
    scores = [exam.worth(one, answer) for one, answer in zip(items, said, strict=True)]
    right = [is_right(one, score) for one, score in zip(items, scores, strict=True)]

    def example(wanted: bool) -> Example | None:
        for one, answer, score, good in zip(items, said, scores, right, strict=True):
            if good is wanted:
                return Example(one.question, one.answer, answer, round(score, 3))
        return None

    share = sum(right) / len(right)
    results = [Result(name, len(items), fmean(scores), share, example(True), example(False))]
    if name == "describe":
        told = fmean(exam.told(one, answer) for one, answer in zip(items, said, strict=True))
        results.append(Result("described", len(items), told, share, None, None))
    return results


def evaluate(
    folder: Path,
    each: int,
    fonts: Sequence[str] = (),
    say: Callable[[str], None] = print,
    seed: int = exam.SEED,
) -> list[Result]:
    """Asks the model in `folder` about `each` held-out items of every class, as transformers loads it."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype="auto")
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    processor: Any = AutoProcessor.from_pretrained(folder)  # type: ignore[no-untyped-call]
    results: list[Result] = []
    for name, items in exam.questions(each, fonts, seed).items():
        begun = time.monotonic()
        results += judged(name, items, exam.answers(model, processor, items))
        say(f"{TITLES[name]}: {results[-1].score:.3f} ({time.monotonic() - begun:.0f} s)")
    return results


def save(results: Sequence[Result], folder: Path) -> None:
    text = json.dumps([asdict(result) for result in results], ensure_ascii=False, indent=1)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def load(folder: Path) -> list[Result]:
    results = []
    for one in json.loads((folder / FILE).read_text(encoding="utf-8")):
        for side in ("good", "bad"):
            one[side] = Example(**one[side]) if one[side] else None
        results.append(Result(**one))
    return results


def figure(result: Result) -> str:
    """The score as it stands in a table: overlaps as a number, the rest as a share."""
    return f"{result.score:.2f}" if result.name == "where" else f"{result.score:.1%}"


def table(results: Sequence[Result]) -> str:
    """The Markdown table of the model card."""
    rows = [f"| {TITLES[result.name]} | {result.count} | {figure(result)} |" for result in results]
    return "\n".join(["| What | Items | Measured |", "|---|---:|---:|", *rows])


def examples(results: Sequence[Result]) -> str:
    """One right and one wrong answer of every class, as Markdown."""

    def cell(text: str) -> str:
        return text.replace("|", "\\|").replace("\n", " ⏎ ")

    rows = ["| Class | Question | Right | Said |", "|---|---|---|---|"]
    for result in results:
        for one in (result.good, result.bad):
            if one:
                mark = "✓" if one is result.good else "✗"
                rows.append(f"| {result.name} {mark} | {cell(one.question)} | {cell(one.wanted)} | {cell(one.said)} |")
    return "\n".join(rows)
