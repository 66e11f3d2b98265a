"""What a model says when its own call is used by hand: python direct.py FAMILY FOLDER IMAGE TOKENS."""

import json
import sys
from pathlib import Path

import torch
from PIL import Image
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

from adapters.internvl2 import grid, tensor, tiles
from adapters.remote_code import place_code

family, folder, page, tokens = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
image = Image.open(page).convert("RGB")
place_code(folder)
auto = AutoModel if family == "internvl2" else AutoModelForCausalLM
model = auto.from_pretrained(folder, trust_remote_code=True, torch_dtype=torch.float32).eval()
if family == "internvl2":
    pixels = tensor(tiles(image, *grid(*image.size, 12, 28), 28))
    words = AutoTokenizer.from_pretrained(folder, trust_remote_code=True, use_fast=False)
    text = model.chat(words, pixels, "<image>\nRead it.", {"max_new_tokens": tokens, "do_sample": False})
else:
    settings = {"max_tokens": tokens, "temperature": 0, "variant": None}
    text = model.query(image, "Read it.", settings=settings)["answer"]
print(json.dumps(text.strip()))
