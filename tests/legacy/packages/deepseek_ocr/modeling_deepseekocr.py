"""The documented interface of DeepSeek-OCR: ``infer`` from a file, on CUDA, writing where it is told to."""

import os

import numpy
import torch
from addict import Dict
from PIL import Image
from transformers import LlamaForCausalLM

from .configuration_deepseek_ocr import DeepseekOCRConfig


class DeepseekOCRForCausalLM(LlamaForCausalLM):
    config_class = DeepseekOCRConfig

    def __init__(self, config):
        super().__init__(config)
        self.model.projector = torch.nn.Linear(3, config.hidden_size)
        self.post_init()

    def forward(self, input_ids, attention_mask=None, images=None, images_seq_mask=None, inputs_embeds=None, **kwargs):
        inputs_embeds = self.get_input_embeddings()(input_ids)
        if images is not None and input_ids.shape[1] > 1:
            inputs_embeds = inputs_embeds.masked_scatter(images_seq_mask[..., None], self.model.projector(images))
        return super().forward(inputs_embeds=inputs_embeds, attention_mask=attention_mask, **kwargs)

    def prepare_inputs_for_generation(self, input_ids, images=None, images_seq_mask=None, **kwargs):
        inputs = super().prepare_inputs_for_generation(input_ids, **kwargs)
        return inputs | {"images": images, "images_seq_mask": images_seq_mask}

    def infer(
        self, tokenizer, prompt="", image_file="", output_path="", base_size=1024, image_size=640, crop_mode=True,
        test_compress=False, save_results=False, eval_mode=False,
    ):  # fmt: skip
        os.makedirs(f"{output_path}/images", exist_ok=True)
        size = Dict(base=base_size // 64, tile=image_size // 64)
        tokens = size.base + (size.tile if crop_mode else 0)
        image = numpy.asarray(Image.open(image_file).convert("RGB").resize((tokens, 1)), dtype=numpy.float32)
        before, after = prompt.split("<image>")
        ids = [*tokenizer.encode(before), *[0] * tokens, *tokenizer.encode(after)]
        mask = [False] * len(tokenizer.encode(before)) + [True] * tokens + [False] * len(tokenizer.encode(after))
        with torch.no_grad():
            found = self.generate(
                torch.tensor([ids]).cuda(),
                images=torch.from_numpy(image / 255).to(self.dtype).cuda(),
                images_seq_mask=torch.tensor([mask]).cuda(),
                temperature=0.0,
                eos_token_id=tokenizer.eos_token_id,
                max_new_tokens=8192,
                no_repeat_ngram_size=35 if eval_mode else 20,
                use_cache=True,
            )
        return tokenizer.decode(found[0, len(ids) :])
