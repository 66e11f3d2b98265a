"""The tokenizer: one token a letter, one token a word of the questions and answers, bytes for all the rest.

What is read off a picture is always spelled, letter by letter, so that every letter is a token the eye can find; only
prompts and the answers to questions use whole words.
"""

from __future__ import annotations

import functools
from typing import Any

from benchmarks.synthetic.items import prompts
from benchmarks.synthetic.words import ALPHABET

SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
    "<|video_pad|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>",
]  # fmt: skip
ROLES = ["system", "user", "assistant"]
# The image stands where the message has it; a message may also be plain text.
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if 'image' in part['type'] %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in part %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tokenizer() -> Any:
    """A fast tokenizer of about a thousand tokens; every text can be written in it and read back unchanged."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    vocab = {name: index for index, name in enumerate([*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    merges: list[tuple[str, str]] = []
    for letter in sorted(set(ALPHABET)):
        ((whole, _),) = split.pre_tokenize_str(letter)
        for end in range(2, len(whole) + 1):
            if whole[:end] not in vocab:
                vocab[whole[:end]] = len(vocab)
                merges.append((whole[: end - 1], whole[end - 1]))
    for text in [*ROLES, *prompts()]:
        for whole, _ in split.pre_tokenize_str(text):
            vocab.setdefault(whole, len(vocab))
    # A word that is in the vocabulary is one token; any other falls apart into its letters, for nothing else merges.
    words = Tokenizer(models.BPE(vocab, merges, ignore_merges=True))
    words.pre_tokenizer = split
    words.decoder = decoders.ByteLevel()
    words.add_special_tokens(SPECIAL)
    ends = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    return PreTrainedTokenizerFast(tokenizer_object=words, **ends)  # type: ignore[no-untyped-call]


@functools.lru_cache(1)
def shared() -> Any:
    """The tokenizer of this process; do not change it."""
    return tokenizer()


def encoded(text: str) -> list[int]:
    ids: list[int] = shared().encode(text, add_special_tokens=False)
    return ids


@functools.lru_cache(1000)
def letter(one: str) -> tuple[int, ...]:
    return tuple(encoded(one))


@functools.lru_cache(2000)
def word(token: int) -> str:
    """The text of one token."""
    return str(shared().decode([token]))


def spelled(text: str) -> list[int]:
    """The text letter by letter."""
    return [token for one in text for token in letter(one)]


def end() -> int:
    return int(shared().eos_token_id)


def pad() -> int:
    return int(shared().pad_token_id)
