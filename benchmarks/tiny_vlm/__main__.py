"""Trains, examines and saves the small model: ``python -m benchmarks.tiny_vlm train|evaluate|export --help``."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from benchmarks.tiny_vlm.sizes import RECIPES


def home() -> Path:
    """Where trainings live unless told otherwise: in the application's data folder."""
    from arena.config import load_settings

    return load_settings().home / "tiny-vlm"


def train(given: argparse.Namespace) -> None:
    import torch

    from benchmarks.tiny_vlm import checkpoint
    from benchmarks.tiny_vlm.training import Pace
    from benchmarks.tiny_vlm.training import train as go

    device = given.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if given.threads:
        torch.set_num_threads(given.threads)
    folder = given.resume or given.out or home()
    if given.resume or (folder / checkpoint.NAME).exists():
        state = checkpoint.load(folder, device)
        print(f"going on at step {state.done} in {folder}")
    else:
        recipe = RECIPES[given.recipe or ("gpu" if device == "cuda" else "cpu")]
        state = checkpoint.begin(replace(recipe, seed=given.seed), device)
        if given.weights:
            state.recipe = replace(state.recipe, eye=0.0)
            checkpoint.adopt(state, given.weights)
    if given.steps:
        state.end_at(given.steps)
    count = sum(weight.numel() for weight in state.learner.model.parameters())
    print(f"{count / 1e6:.1f}M parameters on {device}, {state.recipe}", flush=True)
    pace = Pace(
        minutes=given.minutes, processes=given.processes, exam_minutes=given.exam_minutes, exam_items=given.exam_items
    )
    done = go(state, folder, pace, lambda text: print(text, flush=True))
    print("done" if done else "stopped", f"at step {state.done}; train --resume {folder} goes on from here")


def export(given: argparse.Namespace) -> None:
    from benchmarks.tiny_vlm.export import export as write

    print(f"{given.to}: {write(given.checkpoint or home(), given.to, given.dtype, given.shard) / 1e6:.1f} MB")


def evaluate(given: argparse.Namespace) -> None:
    import torch

    from benchmarks.tiny_vlm import evaluation
    from benchmarks.tiny_vlm.export import FACTS, card

    if given.threads:
        torch.set_num_threads(given.threads)
    results = evaluation.evaluate(given.model, given.each, say=lambda text: print(text, flush=True))
    print(evaluation.table(results), evaluation.examples(results), sep="\n\n")
    evaluation.save(results, given.model)
    if (given.model / FACTS).exists():
        (given.model / "README.md").write_text(card(given.model), encoding="utf-8")


def main() -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tiny_vlm", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    learn = commands.add_parser("train", help="train from random weights, or go on from a checkpoint")
    learn.add_argument("--recipe", choices=RECIPES, help="by default the one of the device")
    learn.add_argument("--out", type=Path, help="folder of the checkpoint and the curves")
    learn.add_argument("--resume", type=Path, metavar="DIR", help="go on from the checkpoint in this folder")
    learn.add_argument("--weights", type=Path, metavar="FOLDER", help="begin from the weights of an exported model")
    learn.add_argument("--minutes", type=float, default=0, help="stop after so many, with a checkpoint")
    learn.add_argument("--steps", type=int, default=0, help="steps in all, another end than the recipe's")
    learn.add_argument("--seed", type=int, default=7)
    learn.add_argument("--device", help="cpu or cuda; by default what there is")
    learn.add_argument("--threads", type=int, default=0, help="of the processor, for the arithmetic")
    learn.add_argument("--processes", type=int, default=0, help="that draw the pictures; 0: the one that trains")
    learn.add_argument("--exam-minutes", type=float, default=10, help="between two looks at held-out items, 0 for none")
    learn.add_argument("--exam-items", type=int, default=8, help="held-out items a class")
    learn.set_defaults(run=train)

    write = commands.add_parser("export", help="the running mean of a training as a folder for transformers and vLLM")
    write.add_argument("to", type=Path, metavar="FOLDER")
    write.add_argument("--checkpoint", type=Path, metavar="DIR", help="folder of the training")
    write.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="bfloat16")
    write.add_argument("--shard", default="50GB", metavar="SIZE", help="most of one file of weights, for instance 15MB")
    write.set_defaults(run=export)

    ask = commands.add_parser("evaluate", help="ask an exported model held-out questions; writes its model card")
    ask.add_argument("model", type=Path, metavar="FOLDER")
    ask.add_argument("--each", type=int, default=100, metavar="N", help="items of each of the nine classes")
    ask.add_argument("--threads", type=int, default=0)
    ask.set_defaults(run=evaluate)

    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
