"""A copy of a checkpoint without one tensor: python without.py FOLDER COPY TENSOR."""

import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file

folder, copy, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
shutil.copytree(folder, copy)
tensors = load_file(copy / "model.safetensors")
del tensors[name]
save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
