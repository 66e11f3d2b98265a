"""A table that no checkpoint holds, reached by an import of an import."""

import torch

from .angle import STEP


class Angles(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("inv_freq", STEP ** -(torch.arange(width).float() / width), persistent=False)

    def forward(self, states):
        return states + self.inv_freq.to(states.dtype)
