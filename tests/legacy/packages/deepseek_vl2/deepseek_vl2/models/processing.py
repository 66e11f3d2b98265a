"""The documented interface of DeepSeek-VL2's processor: conversations with images to one batch."""

import numpy
import torch
from transformers import AutoTokenizer, BatchFeature

TOKENS = 6


class DeepseekVLV2Processor:
    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    @classmethod
    def from_pretrained(cls, folder):
        return cls(AutoTokenizer.from_pretrained(folder))

    def __call__(self, conversations, images, force_batchify=True, system_prompt=""):
        assert [turn["role"] for turn in conversations] == ["<|User|>", "<|Assistant|>"] * (len(conversations) // 2)
        ends = {"<|User|>": "\n\n", "<|Assistant|>": "<｜end▁of▁sentence｜>"}
        said = "".join(f"{turn['role']}: {turn['content']}{ends[turn['role']]}" for turn in conversations[:-1])
        before, after = f"{said}<|Assistant|>:".split("<image>")
        first, last = self.tokenizer.encode(before), self.tokenizer.encode(after)
        ids = torch.tensor([[*first, *[0] * TOKENS, *last]])
        pixels = numpy.asarray(images[0].resize((TOKENS, 1)), dtype=numpy.float32) / 255
        mask = torch.tensor([[False] * len(first) + [True] * TOKENS + [False] * len(last)])
        return BatchFeature(
            {
                "input_ids": ids,
                "attention_mask": torch.ones_like(ids),
                "images": torch.from_numpy(pixels)[None],
                "images_seq_mask": mask,
                "images_spatial_crop": torch.tensor([[[1, 1]]]),
            }
        )
