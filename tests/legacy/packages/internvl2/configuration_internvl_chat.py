"""The configuration of the small InternVL2 of the tests."""

from transformers import LlamaConfig, PretrainedConfig


class InternVLChatConfig(PretrainedConfig):
    model_type = "internvl_chat"
    is_composition = True

    def __init__(self, vision_config=None, llm_config=None, force_image_size=None, **kwargs):
        super().__init__(**kwargs)
        self.vision_config = PretrainedConfig(**(vision_config or {}))
        self.llm_config = LlamaConfig(**(llm_config or {}))
        self.force_image_size = force_image_size

    def to_dict(self):
        return super().to_dict() | {
            "vision_config": self.vision_config.to_dict(),
            "llm_config": self.llm_config.to_dict(),
            "model_type": self.model_type,
        }
