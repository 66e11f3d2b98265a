"""Muon for the matrices of the layers, AdamW for everything else, as one optimiser.

Muon (K. Jordan, 2024): the momentum of a matrix is turned into the nearest matrix whose directions all weigh the same,
by five steps of Newton and Schulz, and scaled to what AdamW would move (J. Liu et al., 2025, arXiv:2502.16982). The one
of torch computes in bfloat16, which processors without such units do sixty times slower than in float32.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch  # noqa: TID253 - only the training imports this
from torch import Tensor, nn  # noqa: TID253

LAYERS = (".blocks.", ".layers.")  # what their names hold; the rest learns as well or faster with AdamW
MOMENTUM = 0.95
STEPS, A, B, C = 5, 3.4445, -4.775, 2.0315  # of the polynomial a·x + b·x³ + c·x⁵
LIKE_ADAMW = 0.2  # root of the mean square of what AdamW adds, in units of its rate


class Optimiser:
    """`step` moves what has a gradient."""

    def __init__(self, learner: nn.Module, rate: float, decay: float) -> None:
        # Those of one shape are turned together; the eye's apart, for it learns alone at first.
        matrices: dict[tuple[bool, torch.Size], list[Tensor]] = defaultdict(list)
        others: tuple[list[Tensor], list[Tensor]] = ([], [])
        for name, weight in learner.named_parameters():
            if weight.ndim == 2 and any(part in name for part in LAYERS):
                matrices[".visual." in name, weight.shape].append(weight)
            else:
                others[weight.ndim >= 2].append(weight)
        self._decay = decay
        self._matrices = list(matrices.values())
        self._momenta = [torch.zeros_like(torch.stack([each.data for each in alike])) for alike in self._matrices]
        self._adamw = torch.optim.AdamW(
            [{"params": others[1], "weight_decay": decay}, {"params": others[0], "weight_decay": 0.0}],
            lr=rate, betas=(0.9, 0.98), fused=True,
        )  # fmt: skip

    def set_rate(self, rate: float) -> None:
        for group in self._adamw.param_groups:
            group["lr"] = rate

    @torch.no_grad()
    def step(self) -> None:
        rate = self._adamw.param_groups[0]["lr"]
        self._adamw.step()
        for alike, momentum in zip(self._matrices, self._momenta, strict=True):
            if alike[0].grad is None:
                continue
            gradient = torch.stack([weight.grad for weight in alike if weight.grad is not None])
            momentum.lerp_(gradient, 1 - MOMENTUM)
            moves = even(thirds(gradient.lerp_(momentum, MOMENTUM)))
            by = rate * LIKE_ADAMW * max(moves.shape[-2:]) ** 0.5
            torch._foreach_mul_(alike, 1 - rate * self._decay)
            torch._foreach_add_(alike, list(moves.reshape(gradient.shape)), alpha=-by)

    def state_dict(self) -> dict[str, Any]:
        return {"adamw": self._adamw.state_dict(), "momenta": self._momenta}

    def load_state_dict(self, kept: dict[str, Any]) -> None:
        self._adamw.load_state_dict(kept["adamw"])
        for momentum, before in zip(self._momenta, kept["momenta"], strict=True):
            momentum.copy_(before)


def thirds(stack: Tensor) -> Tensor:
    """(n, 3·w, w), where queries, keys and values share one matrix, as (3·n, w, w); others as they are."""
    rows, columns = stack.shape[-2:]
    return stack.reshape(-1, columns, columns) if rows == 3 * columns else stack


def even(stack: Tensor) -> Tensor:
    """Every matrix of (n, r, c) with singular values of about 1 in the same directions."""
    x = stack.bfloat16() if stack.is_cuda else stack
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    if tall := x.shape[-2] > x.shape[-1]:
        x = x.mT
    for _ in range(STEPS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=B, alpha=C), x, beta=A)
    return (x.mT if tall else x).to(stack.dtype)
