"""The documented interface of DeepSeek-VL2: embeddings of words and image first, then ``generate`` with both."""

import torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
from xformers.ops import memory_efficient_attention


class DeepseekVLV2Config(LlamaConfig):
    model_type = "deepseek_vl_v2"


class DeepseekVLV2ForCausalLM(LlamaForCausalLM):
    config_class = DeepseekVLV2Config

    def __init__(self, config):
        super().__init__(config)
        self.vision = torch.nn.Linear(3, config.hidden_size)
        self.post_init()

    def prepare_inputs_embeds(
        self, input_ids, images=None, images_seq_mask=None, images_spatial_crop=None, attention_mask=None
    ):
        words = self.get_input_embeddings()(input_ids)
        seen = self.vision(images.flatten(1, 2))[:, :, None]
        seen = memory_efficient_attention(seen, seen, seen, p=0.0)[:, :, 0]
        return words.masked_scatter(images_seq_mask[..., None], seen)

    def prepare_inputs_for_generation(
        self, input_ids, inputs_embeds=None, images=None, images_seq_mask=None, images_spatial_crop=None, **kwargs
    ):
        return super().prepare_inputs_for_generation(input_ids, inputs_embeds=inputs_embeds, **kwargs)


AutoConfig.register("deepseek_vl_v2", DeepseekVLV2Config)
AutoModelForCausalLM.register(DeepseekVLV2Config, DeepseekVLV2ForCausalLM)
