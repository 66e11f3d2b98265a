"""The documented interface of Phi-3 Vision: a language model whose negative ids are places of an image."""

import torch
from transformers import LlamaForCausalLM

from .configuration_phi3_v import Phi3VConfig


class Phi3VForCausalLM(LlamaForCausalLM):
    config_class = Phi3VConfig

    def __init__(self, config):
        super().__init__(config)
        self.model.vision_embed_tokens = torch.nn.Linear(3, config.hidden_size)
        self.post_init()

    def forward(
        self, input_ids=None, attention_mask=None, pixel_values=None, image_sizes=None, inputs_embeds=None, **kwargs
    ):
        if inputs_embeds is None:
            inputs_embeds = self.model.embed_tokens(input_ids.clamp_min(0))
            if pixel_values is not None:
                count = int((input_ids < 0).sum())
                columns = torch.nn.functional.adaptive_avg_pool2d(pixel_values, (1, count))[0, :, 0].T
                seen = self.model.vision_embed_tokens(columns.to(inputs_embeds.dtype))
                inputs_embeds = inputs_embeds.masked_scatter((input_ids < 0)[..., None], seen)
        return super().forward(inputs_embeds=inputs_embeds, attention_mask=attention_mask, **kwargs)

    def prepare_inputs_for_generation(self, input_ids, pixel_values=None, image_sizes=None, **kwargs):
        inputs = super().prepare_inputs_for_generation(input_ids, **kwargs)
        if inputs["input_ids"] is not None and bool((inputs["input_ids"] < 0).any()):
            inputs |= {"pixel_values": pixel_values, "image_sizes": image_sizes}
        return inputs
