"""Lets torchvision be imported beside a torch for CPUs, and hides torchaudio and torchcodec.

The registry's builds of the three are compiled for CUDA. Of torchvision the operators do not load, and importing it
stops at the first of the two that it describes: they are declared here right before, with nothing behind them, for no
model needs them. The others cannot be imported at all, and are not needed either.
"""

import sys


class Declare:
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            import torch

            self.library = torch.library.Library("torchvision", "DEF")
            for operator in ("nms", "qnms"):
                self.library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            KEPT.append(self)


KEPT = []  # a library that is thrown away takes its operators along
sys.meta_path.insert(0, Declare())
sys.modules |= {"torchaudio": None, "torchcodec": None}  # as if they were not installed
