"""The documented interface of dots.ocr's configuration and processor."""

from transformers import PretrainedConfig, Qwen2_5_VLProcessor
from transformers.models.qwen2 import Qwen2Config


class DotsVisionConfig(PretrainedConfig):
    model_type = "dots_vit"

    def __init__(self, patch_size=14, attn_implementation="flash_attention_2", **kwargs):
        super().__init__(**kwargs)
        self.patch_size = patch_size
        self.attn_implementation = attn_implementation


class DotsOCRConfig(Qwen2Config):
    model_type = "dots_ocr"

    def __init__(self, image_token_id=151665, vision_config=None, **kwargs):
        super().__init__(**kwargs)
        self.image_token_id = image_token_id
        self.vision_config = DotsVisionConfig(**(vision_config or {}))


class DotsVLProcessor(Qwen2_5_VLProcessor):
    attributes = ("image_processor", "tokenizer")

    def __init__(self, image_processor=None, tokenizer=None, chat_template=None, **kwargs):
        super().__init__(image_processor, tokenizer, chat_template=chat_template)
        self.image_token = "<|imgpad|>"
