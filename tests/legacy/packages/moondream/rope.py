"""Rotary angles, two imports away from the file that the checkpoint names."""

import torch


def angles(width, context):
    steps = 1.0 / (1500000.0 ** (torch.arange(width, dtype=torch.float32) / width))
    return torch.outer(torch.arange(context, dtype=torch.float32), steps).cos()
