"""The documented names of DeepSeek-VL2."""

from .modeling import DeepseekVLV2ForCausalLM
from .processing import DeepseekVLV2Processor

__all__ = ["DeepseekVLV2ForCausalLM", "DeepseekVLV2Processor"]
