"""The model and its processor as transformers has them: a Qwen2-VL with this project's tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.tiny_vlm import words
from benchmarks.tiny_vlm.sizes import CELL, Shape

FEWEST, MOST = 2, 192  # visual tokens of a picture; smaller ones are enlarged, larger ones reduced


def build(shape: Shape, seed: int) -> Any:
    """A model with random weights."""
    import torch
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    tokenizer = words.shared()
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in words.SPECIAL}
    half = shape.width // shape.heads // 2
    sections = [half - 2 * (half * 3 // 8), half * 3 // 8, half * 3 // 8]
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": shape.width, "intermediate_size": shape.inner,
            "num_hidden_layers": shape.depth, "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.kv_heads, "max_position_embeddings": 4096, "tie_word_embeddings": True,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": sections},
            "bos_token_id": words.pad(), "eos_token_id": words.end(), "pad_token_id": words.pad(),
        },
        vision_config={
            "depth": shape.eye_depth, "embed_dim": shape.eye_width, "hidden_size": shape.width,
            "num_heads": shape.eye_heads, "patch_size": CELL // 2, "mlp_ratio": 4,
        },
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = Qwen2VLForConditionalGeneration(config)
    begin(model, shape)
    model.generation_config.eos_token_id = words.end()
    model.generation_config.pad_token_id = words.pad()
    return model


def begin(model: Any, shape: Shape) -> None:
    """Random weights that suit a narrow model: a spread of 1/√inputs, where transformers gives 0.02 to every width, and
    less for what is added to the stream, by 1/√(2·layers)."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim < 2:
                continue
            spread = weight[0].numel() ** -0.5
            if name.endswith(("attn.proj.weight", "fc2.weight", "o_proj.weight", "down_proj.weight")):
                spread *= (2 * (shape.eye_depth if ".visual." in name else shape.depth)) ** -0.5
            weight.normal_(0.0, spread)


def processor() -> Any:
    """From pictures and messages to tensors."""
    from transformers import Qwen2VLProcessor
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    size = {"shortest_edge": FEWEST * CELL**2, "longest_edge": MOST * CELL**2}
    return Qwen2VLProcessor(  # type: ignore[no-untyped-call]
        image_processor=Qwen2VLImageProcessor(size=size),
        tokenizer=words.tokenizer(),
        video_processor=Qwen2VLVideoProcessor(size=size),
        chat_template=words.TEMPLATE,
    )


def save(model: Any, folder: Path, shard: str = "50GB") -> None:
    """A folder that transformers and vLLM open; weights in files of at most `shard`."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model.save_pretrained(folder, max_shard_size=shard)
    processor().save_pretrained(folder)
