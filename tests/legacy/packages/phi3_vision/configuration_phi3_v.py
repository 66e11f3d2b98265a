"""The configuration of the small Phi-3 Vision of the tests."""

from transformers import LlamaConfig


class Phi3VConfig(LlamaConfig):
    model_type = "phi3_v"
