"""The documented interface of InternVL2: ``chat`` over tiles, and ``generate`` from embeddings."""

import torch
from transformers import LlamaForCausalLM, PreTrainedModel

from .configuration_internvl_chat import InternVLChatConfig
from .rotary import Angles


class InternVLChatModel(PreTrainedModel):
    config_class = InternVLChatConfig
    main_input_name = "pixel_values"

    def __init__(self, config):
        super().__init__(config)
        self.num_image_token = 4
        side = config.vision_config.image_size // 2
        self.img_context_token_id = None
        self.vision_model = torch.nn.Conv2d(3, 16, side, side)
        self.angles = Angles(16)
        self.mlp1 = torch.nn.Linear(16, config.llm_config.hidden_size)
        self.language_model = LlamaForCausalLM(config.llm_config)
        self.post_init()

    def chat(self, tokenizer, pixel_values, question, generation_config, history=None, return_history=False):
        tiles = pixel_values.shape[0]
        image = "<img>" + "<IMG_CONTEXT>" * self.num_image_token * tiles + "</img>"
        self.img_context_token_id = tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>")
        turns = [*(history or []), (question, None)]
        query = "".join(
            f"<|im_start|>user\n{asked}<|im_end|><|im_start|>assistant\n" + (f"{said}<|im_end|>" if said else "")
            for asked, said in turns
        ).replace("<image>", image, 1)
        inputs = tokenizer(query, return_tensors="pt")
        generation_config["eos_token_id"] = tokenizer.convert_tokens_to_ids("<|im_end|>")
        answer = self.generate(
            pixel_values=pixel_values,
            input_ids=inputs["input_ids"].to(self.device),
            attention_mask=inputs["attention_mask"].to(self.device),
            **generation_config,
        )
        return tokenizer.batch_decode(answer, skip_special_tokens=True)[0].strip()

    @torch.no_grad()
    def generate(self, pixel_values=None, input_ids=None, attention_mask=None, **kwargs):
        seen = self.vision_model(pixel_values).flatten(2).transpose(1, 2)
        seen = self.mlp1(self.angles(seen)).flatten(0, 1)
        embeds = self.language_model.get_input_embeddings()(input_ids)
        embeds = embeds.masked_scatter((input_ids == self.img_context_token_id)[..., None], seen.to(embeds.dtype))
        return self.language_model.generate(
            inputs_embeds=embeds, attention_mask=attention_mask, use_cache=True, **kwargs
        )
