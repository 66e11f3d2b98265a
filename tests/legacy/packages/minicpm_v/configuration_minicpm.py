"""The configuration of the small MiniCPM-V of the tests."""

from transformers import LlamaConfig


class MiniCPMVConfig(LlamaConfig):
    model_type = "minicpmv"
