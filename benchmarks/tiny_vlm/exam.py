"""Held-out questions in faces that the training never saw, and what the answers are worth, class by class."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from PIL import Image

from adapters.coordinates import boxes_in
from benchmarks.synthetic.fonts import faces
from benchmarks.synthetic.items import FAMILY, KINDS, item
from benchmarks.synthetic.truth import Edges, Item

SEED = 424242  # no training seed: those are "seed/step", this is "exam/seed/kind/number"
CLASSES = ("line en", "line ru", "lines en", "lines ru", "colour", "shape", "count", "describe", "where")


def size(rng: random.Random, kind: str) -> tuple[int, int]:
    """Any width and height in pixels, not only what suits the model's grid."""
    if kind == "line":
        return rng.randint(100, 440), rng.randint(28, 56)
    if kind == "lines":
        return rng.randint(180, 390), rng.randint(64, 210)
    return rng.randint(90, 220), rng.randint(90, 220)


def questions(each: int, fonts: Sequence[str] = (), seed: int = SEED) -> dict[str, list[Item]]:
    """`each` items of every class; reading in both languages.

    Every other one is asked as the application would, where it has words for it, and half of those to be read say their
    language.
    """
    found: dict[str, list[Item]] = {name: [] for name in CLASSES}
    for kind in KINDS:
        number = 0
        wanted = [name for name in CLASSES if name.split()[0] == kind]
        while any(len(found[name]) < each for name in wanted):
            rng = random.Random(f"exam/{seed}/{kind}/{number}")
            asking: dict[str, Any] = {"formal": number % 2 == 0, "told": 0.5}
            one = item(kind, rng, size(rng, kind), fonts or faces("test"), most=34 if kind == "lines" else 0, **asking)
            name = f"{kind} {one.language}" if len(wanted) > 1 else kind
            if len(found[name]) < each:
                found[name].append(one)
            number += 1
    return found


def answers(model: Any, processor: Any, items: Sequence[Item], most_tokens: int = 320, together: int = 16) -> list[str]:
    """What the model says, greedily, in the order of the items; pictures go through the processor like any user's."""
    import torch

    processor.tokenizer.padding_side = "left"
    order = sorted(range(len(items)), key=lambda index: len(items[index].answer))
    said = [""] * len(items)
    for first in range(0, len(order), together):
        part = order[first : first + together]
        talks = [
            [{"role": "user", "content": [
                {"type": "image", "image": Image.fromarray(items[index].picture.pixels)},
                {"type": "text", "text": items[index].question},
            ]}]
            for index in part
        ]  # fmt: skip
        inputs = processor.apply_chat_template(
            talks, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
            processor_kwargs={"padding": True},
        ).to(model.device)  # fmt: skip
        longest = max(len(items[index].answer) for index in part)
        with torch.no_grad():
            out = model.generate(**inputs, do_sample=False, max_new_tokens=min(most_tokens, longest + 20))
        texts = processor.tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        for index, text in zip(part, texts, strict=True):
            said[index] = text
    return said


def overlap(one: Edges, other: Edges) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared) if areas > shared else 0.0


def found(wanted: Sequence[Edges], answer: str, of: tuple[int, int]) -> float:
    """Mean overlap of the wanted boxes with the best of the answer's, a box too many counting as a miss."""
    left = [(box.x0, box.y0, box.x1, box.y1) for box in boxes_in(FAMILY, answer, of) if box]
    count = max(len(wanted), len(left))
    total = 0.0
    for one in wanted:
        best = max(left, key=lambda box: overlap(one, box), default=None)
        if best is not None:
            total += overlap(one, best)
            left.remove(best)
    return total / count


def worth(one: Item, answer: str) -> float:
    """The score of one answer: a character error rate (0 is best) for reading, else 0 to 1 (1 is best): the right word,
    all of a description, the overlap of the boxes."""
    if one.kind in ("line", "lines"):
        from benchmarks.metrics.text import character_error_rate

        return character_error_rate(answer, one.answer)
    if one.kind == "where":
        return found(one.facts["boxes"], answer, one.picture.size)  # type: ignore[arg-type]
    return float(answer.strip().rstrip(".").lower() == one.answer.rstrip(".").lower())


def told(one: Item, answer: str) -> float:
    """The share of a description that is in the answer: each thing with its place, and the ground."""
    facts = [part.strip(" .").lower() for part in one.answer.replace(". ", ", ").split(", ")]
    return sum(fact in answer.lower() for fact in facts) / len(facts)
