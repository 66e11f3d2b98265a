"""The configuration of the small DeepSeek-OCR of the tests."""

from transformers import LlamaConfig


class DeepseekOCRConfig(LlamaConfig):
    model_type = "DeepseekOCR"
