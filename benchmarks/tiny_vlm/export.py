"""From a checkpoint to the folder that is shipped: weights, processor, licence, how it was made, and the model card."""

from __future__ import annotations

import json
import platform
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.synthetic import fonts
from benchmarks.tiny_vlm import evaluation, model

FACTS = "training.json"
MOST_BYTES = 40_000_000
LICENCE = Path(__file__).parent.parent.parent / "LICENSE"


def export(checkpoint: Path, folder: Path, dtype: str, shard: str = "50GB") -> int:
    """Writes the running mean of a training's weights; the bytes of the folder.

    Raises `ValueError` when they are more than may be shipped.
    """
    import torch

    from benchmarks.tiny_vlm.checkpoint import load

    state = load(checkpoint, "cpu")
    state.mean.to(getattr(torch, dtype))
    state.mean.config.dtype = dtype
    folder.mkdir(parents=True, exist_ok=True)
    model.save(state.mean, folder, shard)
    recipe = asdict(state.recipe)
    recipe["fonts"] = list(state.recipe.fonts or fonts.names("train"))
    facts = {
        "steps": state.done, "seconds": round(state.seconds), "trained_on": state.trained_on,
        "moved": state.moved, "parameters": sum(weight.numel() for weight in state.mean.parameters()), "dtype": dtype,
        "torch": torch.__version__, "python": platform.python_version(), "recipe": recipe,
    }  # fmt: skip
    for weights in folder.glob("*.safetensors"):
        weights.chmod(0o644)  # they are written for their owner alone
    (folder / FACTS).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    shutil.copy(LICENCE, folder / "LICENSE")
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > MOST_BYTES:
        raise ValueError(f"{folder} has {size} bytes, {MOST_BYTES} at most may be shipped")
    return size


def card(folder: Path) -> str:
    """The model card: what it is, what it was measured to do, how it was made, what it cannot do."""
    facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    results = evaluation.load(folder)
    recipe, hours = facts["recipe"], facts["seconds"] / 3600
    moved = "".join(f" At step {step} its end was moved from step {end}." for step, end in facts["moved"])
    return f"""---
license: apache-2.0
language: [en, ru]
pipeline_tag: image-text-to-text
---
# tiny-vlm

A vision-language model of {facts["parameters"] / 1e6:.1f} million parameters that comes with this project. It reads a
few printed lines in English and Russian, says which colour, which shape and how many, describes a scene of coloured
shapes and gives boxes as JSON, in the language of the question. It is an ordinary Qwen2-VL, trained from random weights
with no other model behind it; transformers and vLLM open it as they open any Qwen2-VL.

It knows nothing else. Photographs, handwriting, tables, dense pages, other languages and general questions get wrong
answers, often with confidence; and where a figure below is poor, an answer is an attempt. It is there to try the
program and its tests with, not to work with.

## Measured

On held-out items drawn with faces that the training never saw ({", ".join(fonts.TEST)}), at sizes that do not suit its
grid, greedy answers, weights as they are here:

{evaluation.table(results)}

{evaluation.examples(results)}

## Made

- Data: drawn while training by `benchmarks/synthetic`, seed {recipe["seed"]}; nothing was collected. Half of the words
  are made up. {len(recipe["fonts"])} faces from Debian's packages.
- Training: {facts["steps"]} steps, {hours:.1f} hours on {facts["trained_on"]}; Muon and AdamW, peak rate
  {recipe["rate"]:g}.{moved}
  The loss counts the answers; beside it every visual token had to name the letters in it, by a layer that is not kept,
  and some heads of attention were told where the next letter stands.
  The weights are the running mean over the last steps, stored as {facts["dtype"]}.
- `training.json` has every setting; docs/tiny-vlm.md says how to train it again.

Licence: Apache-2.0, like the project.
"""
