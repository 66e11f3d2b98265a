"""How large the model is and how it is trained: one for two CPU cores, one for a GPU."""

from __future__ import annotations

from dataclasses import dataclass, field

CELL = 28  # pixels of one visual token: patches of 14, merged two by two


@dataclass(frozen=True)
class Shape:
    """A Qwen2-VL. Heads of the text are 32 or 64 wide: narrower ones vLLM does not take on a CPU."""

    eye_width: int
    eye_depth: int
    eye_heads: int
    width: int
    depth: int
    heads: int
    kv_heads: int
    inner: int


@dataclass(frozen=True)
class Recipe:
    """Everything the training depends on; saved with every checkpoint.

    steps: updates in all. groups: pictures of one size and kind, each a forward and backward pass, in one update.
    tokens: about so many tokens, seen and written, in a group. rate: peak of the learning rate, reached after
    `warmup` steps and falling over the last `cooldown` of all steps. aid: weight of the loss that tells every
    visual token what stands in it. guide: of the loss that tells a head of every layer but the first where the next
    token stands. smooth: of the running mean of the weights. eye: share of all steps in which the eye alone learns
    to name what it sees.
    """

    shape: Shape
    steps: int
    groups: int
    tokens: int
    rate: float
    warmup: int = 200
    cooldown: float = 0.3
    decay: float = 0.05
    eye: float = 0.1
    aid: float = 0.5
    guide: float = 0.5
    smooth: float = 0.999
    seed: int = 7
    fonts: tuple[str, ...] = field(default=())  # paths; empty: all of the training split


SMALL = Shape(eye_width=128, eye_depth=6, eye_heads=4, width=192, depth=4, heads=6, kv_heads=2, inner=512)
LARGE = Shape(eye_width=288, eye_depth=10, eye_heads=9, width=384, depth=4, heads=6, kv_heads=2, inner=1024)
RECIPES = {
    "cpu": Recipe(SMALL, steps=15_000, groups=3, tokens=800, rate=1e-3, eye=0.07),
    "gpu": Recipe(LARGE, steps=9_000, groups=6, tokens=24_000, rate=1.0e-3, warmup=400),
}
