"""Tiny random checkpoints of the real architectures, built on the spot: mechanics, never meaning."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path

SENTENCES = [
    "The quick brown fox jumps over the lazy dog. 0123456789",
    "Съешь же ещё этих мягких французских булок.",
] * 20
QWEN_TOKENS = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>",
    "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>",
    "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>",
]  # fmt: skip
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

IDEFICS_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
LLAMA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<|image|>{% else %}{{ part['text'] }}"
    "{% endif %}{% endfor %}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)


@functools.cache
def built(build: Callable[[Path], Path]) -> Path:
    """The checkpoint, built once in this process, which then computes on one thread: for so little work the waiting of
    threads for each other costs ten times the work."""
    import torch

    torch.set_num_threads(1)
    return build(Path(os.environ["HOME"]) / "tiny" / build.__name__)


def tokenizer(special: list[str], **named: str):
    """A byte-level BPE with these special tokens, trained on a handful of sentences."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=500, initial_alphabet=alphabet, special_tokens=special, show_progress=False
    )
    bpe.train_from_iterator(SENTENCES, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=bpe, **named)


def text_model(words, **more) -> dict:
    """The fields that shrink a language model of the Llama and Qwen kind."""
    return {
        "vocab_size": len(words), "hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 4096,
        "eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id, "bos_token_id": words.bos_token_id,
        "initializer_range": 0.5, **more,
    }  # fmt: skip


def saved(model, words, folder: Path) -> None:
    """The weights, with the tokens that end an answer."""
    from transformers.utils import logging

    model.generation_config.eos_token_id = words.eos_token_id
    model.generation_config.pad_token_id = words.pad_token_id
    logging.disable_progress_bar()
    model.save_pretrained(folder)


def qwen2_vl(folder: Path, seed: int = 0, **text: int) -> Path:
    """A Qwen2-VL of about 1 MB, or more with larger fields of `text`."""
    import torch
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLProcessor
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    words = tokenizer(QWEN_TOKENS, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    ids = {name: words.convert_tokens_to_ids(name) for name in QWEN_TOKENS}
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6]}
    config = Qwen2VLConfig(
        text_config=text_model(words, rope_parameters=rope, tie_word_embeddings=True, **text),
        vision_config={
            "depth": 2, "embed_dim": 64, "hidden_size": 128, "num_heads": 2, "patch_size": 14, "mlp_ratio": 2,
        },
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(seed)
    saved(Qwen2VLForConditionalGeneration(config), words, folder)
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 64}
    Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        tokenizer=words,
        video_processor=Qwen2VLVideoProcessor(size=size),
        chat_template=QWEN_TEMPLATE,
    ).save_pretrained(folder)
    return folder


def qwen3_vl(folder: Path, seed: int = 0) -> Path:
    """A Qwen3-VL of about 1 MB."""
    import torch
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration, Qwen3VLProcessor
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
    from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor

    words = tokenizer(QWEN_TOKENS, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    ids = {name: words.convert_tokens_to_ids(name) for name in QWEN_TOKENS}
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [8, 4, 4], "mrope_interleaved": True}
    config = Qwen3VLConfig(
        text_config=text_model(words, head_dim=32, num_hidden_layers=3, rope_parameters=rope),
        vision_config={
            "depth": 3, "hidden_size": 64, "intermediate_size": 64, "num_heads": 2, "patch_size": 16,
            "out_hidden_size": 128, "num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1, 2],
        },
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(seed)
    saved(Qwen3VLForConditionalGeneration(config), words, folder)
    size = {"shortest_edge": 64 * 64, "longest_edge": 32 * 32 * 64}
    Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size, patch_size=16),
        tokenizer=words,
        video_processor=Qwen3VLVideoProcessor(size=size),
        chat_template=QWEN_TEMPLATE,
    ).save_pretrained(folder)
    return folder


def got_ocr(folder: Path, seed: int = 0) -> Path:
    """A GOT-OCR 2.0 of about 1 MB that looks at 256 x 256 pixels instead of 1024 x 1024."""
    import torch
    from transformers import GotOcr2Config, GotOcr2ForConditionalGeneration, GotOcr2Processor
    from transformers.models.got_ocr2.image_processing_got_ocr2 import GotOcr2ImageProcessor

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<imgpad>"]
    words = tokenizer(special, eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    config = GotOcr2Config(
        text_config={"model_type": "qwen2"} | text_model(words, tie_word_embeddings=True),
        vision_config={
            "hidden_size": 32, "output_channels": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_dim": 64,
            "image_size": 256, "patch_size": 16, "window_size": 4, "global_attn_indexes": [1],
        },
        image_token_index=words.convert_tokens_to_ids("<imgpad>"),
        image_seq_length=16,
    )  # fmt: skip
    torch.manual_seed(seed)
    saved(GotOcr2ForConditionalGeneration(config), words, folder)
    images = GotOcr2ImageProcessor(size={"height": 256, "width": 256})
    GotOcr2Processor(image_processor=images, tokenizer=words).save_pretrained(folder)
    return folder


def idefics3(folder: Path, seed: int = 0) -> Path:
    """An Idefics3, the class of both SmolVLM, of about 1 MB, with tiles of 64 pixels."""
    import torch
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor
    from transformers.models.idefics3.image_processing_idefics3 import Idefics3ImageProcessor

    tiles = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    special = ["<pad>", "<|im_start|>", "<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
    words = tokenizer([*special, *tiles], eos_token="<end_of_utterance>", pad_token="<pad>")
    config = Idefics3Config(
        text_config={"model_type": "llama"} | text_model(words),
        vision_config={
            "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_size": 64, "patch_size": 8,
        },
        scale_factor=2,
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pad_token_id=words.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(seed)
    saved(Idefics3ForConditionalGeneration(config), words, folder)
    Idefics3Processor(
        image_processor=Idefics3ImageProcessor(size={"longest_edge": 128}, max_image_size={"longest_edge": 64}),
        tokenizer=words,
        image_seq_len=16,
        chat_template=IDEFICS_TEMPLATE,
    ).save_pretrained(folder)
    return folder


def mllama(folder: Path, seed: int = 0) -> Path:
    """A Llama 3.2 Vision of about 1 MB, with up to four tiles of 56 pixels."""
    import torch
    from transformers import MllamaConfig, MllamaForConditionalGeneration, MllamaProcessor
    from transformers.models.mllama.image_processing_mllama import MllamaImageProcessor

    special = ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|pad|>"]
    words = tokenizer(special, eos_token="<|eot_id|>", pad_token="<|pad|>", bos_token="<|begin_of_text|>")
    count = len(words)
    words.add_special_tokens({"additional_special_tokens": ["<|image|>"]})  # beyond the output layer, as in Llama
    config = MllamaConfig(
        text_config=text_model(words)
        | {
            "vocab_size": count, "num_hidden_layers": 3, "cross_attention_layers": [1],
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        },
        vision_config={
            "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_global_layers": 1,
            "attention_heads": 2, "image_size": 56, "patch_size": 14, "intermediate_layers_indices": [0, 1],
            "vision_output_dim": 192, "max_num_tiles": 4,
            "supported_aspect_ratios": [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2], [3, 1], [4, 1]],
        },
        image_token_index=count,
    )  # fmt: skip
    torch.manual_seed(seed)
    saved(MllamaForConditionalGeneration(config), words, folder)
    MllamaProcessor(
        image_processor=MllamaImageProcessor(size={"height": 56, "width": 56}, max_image_tiles=4),
        tokenizer=words,
        chat_template=LLAMA_TEMPLATE,
    ).save_pretrained(folder)
    return folder
