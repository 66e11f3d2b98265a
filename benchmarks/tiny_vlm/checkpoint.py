"""The state of a training as one file: weights, their running mean, the optimiser, and how far it has come."""

from __future__ import annotations

import copy
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch  # noqa: TID253 - only the training imports this

from benchmarks.tiny_vlm import model, words
from benchmarks.tiny_vlm.learning import Learner
from benchmarks.tiny_vlm.optimiser import Optimiser
from benchmarks.tiny_vlm.sizes import Recipe, Shape

NAME = "checkpoint.pt"


@dataclass
class State:
    """A training between two steps. There is no other state: what a step sees follows from its number.

    mean: the model with the running mean of the weights, which is the one that answers.
    seconds: of training so far. trained_on: the machine, in words. moved: when its end was moved, the step and how many
    steps it was to have before.
    """

    recipe: Recipe
    learner: Learner
    mean: Any
    optimiser: Optimiser
    done: int = 0
    seconds: float = 0.0
    trained_on: str = ""
    moved: list[tuple[int, int]] = field(default_factory=list)

    def end_at(self, steps: int) -> None:
        """Gives the training another end; the steps in which the eye learns alone stay as many as they were."""
        if self.done and steps != self.recipe.steps:
            self.moved.append((self.done, self.recipe.steps))
            self.recipe = replace(self.recipe, eye=self.recipe.eye * self.recipe.steps / steps)
        self.recipe = replace(self.recipe, steps=steps)


def begin(recipe: Recipe, device: str) -> State:
    """Random weights by the recipe's seed."""
    torch.manual_seed(recipe.seed)
    learner = Learner(model.build(recipe.shape, recipe.seed)).to(device)
    optimiser = Optimiser(learner, recipe.rate, recipe.decay)
    mean = copy.deepcopy(learner.model).requires_grad_(False).eval()
    return State(recipe, learner, mean, optimiser, trained_on=machine(device))


def adopt(state: State, folder: Path) -> None:
    """Begins from the weights of an exported model of the same shape instead of random ones; the optimiser is new."""
    from transformers import Qwen2VLForConditionalGeneration

    weights = Qwen2VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).state_dict()
    state.learner.model.load_state_dict(weights)
    state.mean.load_state_dict(weights)


def machine(device: str) -> str:
    """The device in words, for the model card."""
    if device.startswith("cuda"):
        return f"one {torch.cuda.get_device_name()}"
    return f"{os.cpu_count()} CPU cores"


def save(state: State, folder: Path) -> None:
    """Whole or not at all."""
    part = folder / f"{NAME}.part"
    torch.save(
        {
            "recipe": asdict(state.recipe), "words": words.shared().get_vocab(), "done": state.done,
            "seconds": state.seconds, "learner": state.learner.state_dict(), "mean": state.mean.state_dict(),
            "optimiser": state.optimiser.state_dict(), "trained_on": state.trained_on, "moved": state.moved,
        },
        part,
    )  # fmt: skip
    part.replace(folder / NAME)


def load(folder: Path, device: str) -> State:
    """Where the training in `folder` stopped. Raises `ValueError` when the words of the questions have changed since,
    for the weights belong to the tokens they were trained with."""
    kept = torch.load(folder / NAME, map_location=device, weights_only=True)
    if kept["words"] != words.shared().get_vocab():
        raise ValueError(f"{folder / NAME} was trained with other words; begin anew in another folder")
    given = kept["recipe"]
    recipe = Recipe(**{**given, "shape": Shape(**given["shape"]), "fonts": tuple(given["fonts"])})
    state = begin(recipe, device)
    state.learner.load_state_dict(kept["learner"])
    state.mean.load_state_dict(kept["mean"])
    state.optimiser.load_state_dict(kept["optimiser"])
    state.done, state.seconds = kept["done"], kept["seconds"]
    state.trained_on, state.moved = kept["trained_on"], kept["moved"]
    return state
