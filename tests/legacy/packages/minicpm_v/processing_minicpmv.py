"""The documented interface of MiniCPM-V's processor: the image's place is written ``(<image>./</image>)``."""

import numpy
import torch
import transformers
from transformers import BaseImageProcessor, BatchFeature, ProcessorMixin

PLACE, QUERIES = "(<image>./</image>)", 4


class MiniCPMVImageProcessor(BaseImageProcessor):
    model_input_names = ("pixel_values",)


transformers.MiniCPMVImageProcessor = MiniCPMVImageProcessor


class MiniCPMVProcessor(ProcessorMixin):
    attributes = ("image_processor", "tokenizer")
    image_processor_class = "MiniCPMVImageProcessor"
    tokenizer_class = "AutoTokenizer"

    def __call__(self, texts, images, max_slice_nums=None, return_tensors="pt", max_length=None):
        ids = self.tokenizer(texts[0].replace(PLACE, "<unk>" * QUERIES), return_tensors="pt").input_ids
        small = numpy.asarray(images[0][0].resize((28, 28)), dtype=numpy.float32) / 255
        pixels = torch.from_numpy(small).permute(2, 0, 1)[None]
        return BatchFeature({"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": pixels})
