"""The documented interface of dots.ocr: Qwen2 with patches of an image in the place of their tokens."""

import torch
from flash_attn import flash_attn_varlen_func
from transformers.models.qwen2 import Qwen2ForCausalLM

from .configuration_dots import DotsOCRConfig


class Vision(torch.nn.Module):
    def __init__(self, config, width):
        super().__init__()
        assert config.attn_implementation != "flash_attention_2" or flash_attn_varlen_func
        self.patch = torch.nn.Linear(config.patch_size**2 * 3, width)
        self.register_buffer("inv_freq", 10000.0 ** -(torch.arange(width).float() / width), persistent=False)

    def forward(self, pixels):
        merged = pixels.to(self.patch.weight).unflatten(0, (-1, 4)).mean(1)  # 2 x 2 patches are one token
        return self.patch(merged) + self.inv_freq.to(self.patch.weight)


class DotsOCRForCausalLM(Qwen2ForCausalLM):
    config_class = DotsOCRConfig

    def __init__(self, config):
        super().__init__(config)
        self.vision_tower = Vision(config.vision_config, config.hidden_size)
        self.post_init()

    def forward(
        self, input_ids, attention_mask=None, pixel_values=None, image_grid_thw=None, inputs_embeds=None, **kwargs
    ):
        embeds = self.get_input_embeddings()(input_ids)
        if pixel_values is not None:
            places = (input_ids == self.config.image_token_id)[..., None]
            embeds = embeds.masked_scatter(places, self.vision_tower(pixel_values).to(embeds.dtype))
        return super().forward(inputs_embeds=embeds, attention_mask=attention_mask, **kwargs)

    def prepare_inputs_for_generation(self, input_ids, pixel_values=None, cache_position=None, **kwargs):
        inputs = super().prepare_inputs_for_generation(input_ids, cache_position=cache_position, **kwargs)
        if cache_position is not None and cache_position[0] == 0:
            inputs["pixel_values"] = pixel_values
        return inputs
