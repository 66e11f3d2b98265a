"""The documented interface of Phi-3 Vision's processor: numbered places for images, which become negative ids."""

import re

import numpy
import torch
import transformers
from transformers import BaseImageProcessor, BatchFeature, ProcessorMixin

SIDE, TOKENS = 336, 4  # of a crop: pixels across, tokens


class Phi3VImageProcessor(BaseImageProcessor):
    model_input_names = ("pixel_values",)

    def __init__(self, num_crops=1, **kwargs):
        super().__init__(**kwargs)
        self.num_crops = num_crops

    def preprocess(self, images, return_tensors=None):
        pixels, sizes = [], []
        for image in images:
            columns = max(1, min(self.num_crops, round(image.width / SIDE)))
            whole = numpy.asarray(image.resize((columns * SIDE, SIDE)), dtype=numpy.float32) / 255
            pixels.append(torch.from_numpy(whole).permute(2, 0, 1))
            sizes.append([SIDE, columns * SIDE])
        counts = [width // SIDE * TOKENS for _, width in sizes]
        return BatchFeature({"pixel_values": pixels[0][None], "image_sizes": torch.tensor(sizes), "counts": counts})


transformers.Phi3VImageProcessor = Phi3VImageProcessor


class Phi3VProcessor(ProcessorMixin):
    attributes = ("image_processor", "tokenizer")
    image_processor_class = "Phi3VImageProcessor"
    tokenizer_class = "AutoTokenizer"

    def __call__(self, text, images, return_tensors="pt"):
        seen = self.image_processor.preprocess(images)
        ids = []
        for part in re.split(r"(<\|image_\d+\|>)", text):
            if place := re.fullmatch(r"<\|image_(\d+)\|>", part):
                ids += [-int(place[1])] * seen["counts"][int(place[1]) - 1]
            else:
                ids += self.tokenizer(part, add_special_tokens=False).input_ids
        tensor = torch.tensor([ids])
        return BatchFeature(
            {
                "input_ids": tensor,
                "attention_mask": torch.ones_like(tensor),
                "pixel_values": seen["pixel_values"],
                "image_sizes": seen["image_sizes"],
            }
        )
