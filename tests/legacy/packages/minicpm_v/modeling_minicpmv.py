"""The documented interface of MiniCPM-V 2.6: ``chat`` with messages; beams by default, a stream only when sampling."""

import torch
from transformers import LlamaForCausalLM, PreTrainedModel

from .configuration_minicpm import MiniCPMVConfig
from .processing_minicpmv import PLACE, QUERIES


class Resampler(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("pos_embed", torch.linspace(0, 1, QUERIES)[:, None].repeat(1, width), persistent=False)

    def forward(self, states):
        return states + self.pos_embed.to(states.dtype)


class MiniCPMV(PreTrainedModel):
    config_class = MiniCPMVConfig
    _supports_sdpa = True

    def __init__(self, config):
        super().__init__(config)  # and no post_init(), like the real one
        self.llm = LlamaForCausalLM(config)
        self.vpm = torch.nn.Conv2d(3, config.hidden_size, 14, 14)
        self.resampler = Resampler(config.hidden_size)

    def chat(self, image, msgs, tokenizer, processor=None, sampling=True, stream=False, max_slice_nums=None, **kwargs):
        assert sampling or not stream
        content = msgs[0]["content"]
        images = [part for part in content if not isinstance(part, str)]
        words = "\n".join(part if isinstance(part, str) else PLACE for part in content)
        prompt = f"<|im_start|>user\n{words}<|im_end|>\n<|im_start|>assistant\n"
        inputs = processor([prompt], [images], max_slice_nums=max_slice_nums).to(self.device)
        with torch.inference_mode():
            seen = self.resampler(self.vpm(inputs["pixel_values"].to(self.dtype)).flatten(2).transpose(1, 2))
            embeds = self.llm.get_input_embeddings()(inputs["input_ids"])
            places = (inputs["input_ids"] == tokenizer.convert_tokens_to_ids("<unk>"))[..., None]
            found = self.llm.generate(
                inputs_embeds=embeds.masked_scatter(places, seen),
                attention_mask=inputs["attention_mask"],
                pad_token_id=0,
                eos_token_id=[tokenizer.convert_tokens_to_ids("<|im_end|>")],
                **({"do_sample": True, "top_p": 0.8} if sampling else {"num_beams": 3, "repetition_penalty": 1.2}),
            )
        return tokenizer.decode(found[0]).strip()
