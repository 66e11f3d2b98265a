"""The chat adapter says what transformers itself says, token for token, and nothing else, for every architecture."""

from __future__ import annotations

import copy
import json
import shutil
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from adapters.base import AdapterError, Job, Output, adapter_class
from adapters.prompts import asked
from adapters.torch_generation import Answer, Text
from adapters.transformers_chat import conversation, parts, system_form
from tests import tiny

FAMILIES = [tiny.qwen2_vl, tiny.qwen3_vl, tiny.idefics3, tiny.mllama]
SEEN = {  # of a picture of 300 x 200: width, height, visual tokens
    "qwen2_vl": (252, 168, 54),
    "qwen3_vl": (288, 192, 54),
    "idefics3": (128, 128, 80),
    "mllama": (112, 74, 68),
}
TOKENS = 24


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "page.png"
    image = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(image).text((20, 50), "Hello 2026", fill="black", font_size=40)
    image.save(path)
    return path


def loaded(source, **model):
    adapter = adapter_class("transformers_chat")()
    adapter.load({"id": "tiny", "source": str(source), **model})
    return adapter


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda build: build.__name__)
def family(request):
    """The architecture's name, the adapter with a checkpoint of it, and transformers with the same one."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    folder = tiny.built(request.param)
    direct = AutoModelForImageTextToText.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    return request.param.__name__, loaded(folder), direct


@pytest.fixture(scope="module")
def qwen():
    return loaded(tiny.built(tiny.qwen2_vl))


def job(picture, prompt="What is written here?", **params):
    return Job(str(picture), prompt, "question", params={"max_new_tokens": TOKENS, **params})


def ask(adapter, *arguments, **params):
    return list(adapter.predict(job(*arguments, **params)))


def tokens_of(adapter, asked):
    from adapters.transformers_chat import opened

    answer = Answer(
        adapter._model, adapter._processor.tokenizer, adapter._inputs(asked, opened(asked.image)), asked.params
    )
    assert list(answer)
    return answer.tokens


def direct_tokens(direct, picture, messages=None, seed=None, **arguments):
    """What somebody's own script would get; `messages` without the image."""
    import torch

    model, processor = direct
    messages = messages or [("user", "What is written here?")]
    chat = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in messages]
    first = next(message for message in chat if message["role"] == "user")
    first["content"].insert(0, {"type": "image", "image": Image.open(picture)})
    inputs = processor.apply_chat_template(
        chat, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    if seed is not None:
        torch.manual_seed(seed)
    out = model.generate(**inputs, **{"max_new_tokens": TOKENS, "do_sample": False, **arguments})
    return out[0, inputs["input_ids"].shape[1] :].tolist()


def test_greedy_tokens_are_those_of_transformers(family, picture):
    _, adapter, direct = family
    tokens = direct_tokens(direct, picture)
    assert len(set(tokens)) > 3  # an answer that could differ
    assert tokens_of(adapter, job(picture)) == tokens
    *pieces, output = ask(adapter, picture)
    text = direct[1].tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert "".join(pieces) == output.text == text
    assert len(pieces) > 3 and output.output_tokens == len(tokens)
    assert ask(adapter, picture)[-1] == output  # and the same again


def test_sampled_tokens_are_those_of_transformers(family, picture):
    _, adapter, direct = family
    wishes = {"temperature": 1.5, "top_p": 0.9, "repetition_penalty": 1.3}
    tokens = direct_tokens(direct, picture, seed=7, do_sample=True, top_k=0, **wishes)
    assert tokens_of(adapter, job(picture, seed=7, **wishes)) == tokens
    assert tokens_of(adapter, job(picture, seed=8, **wishes)) != tokens


def test_earlier_turns_are_told(family, picture):
    _, adapter, direct = family
    messages = [("user", "What is it?"), ("assistant", "A page."), ("user", "Which?")]
    told = job(picture, "Which?", history=[["What is it?", "A page."]])
    assert tokens_of(adapter, told) == direct_tokens(direct, picture, messages)


def test_what_is_told_before_all_stands_where_the_template_has_a_place_for_it(family, picture):
    _, adapter, direct = family
    told = job(picture, "Which?", system="Answer briefly.", history=[["What is it?", "A page."]])
    rest = [("assistant", "A page."), ("user", "Which?")]
    apart = [("system", "Answer briefly."), ("user", "What is it?"), *rest]
    assert tokens_of(adapter, told) == direct_tokens(direct, picture, apart)
    adapter._system, kept = None, adapter._system
    try:  # as with a template that knows no such role
        inside = [("user", "Answer briefly.\n\nWhat is it?"), *rest]
        assert tokens_of(adapter, told) == direct_tokens(direct, picture, inside)
    finally:
        adapter._system = kept


@pytest.mark.parametrize(
    ("template", "form"),
    [
        ("{{ message['content'] }}", str),
        ("{% for part in message['content'] %}{{ part['text'] }}{% endfor %}", parts),
        ("{% if message['role'] == 'user' %}{{ message['content'] }}{% endif %}", None),
        ("{% if message['role'] == 'system' %}{{ raise_exception('no such role') }}{% endif %}", None),
    ],
)
def test_a_template_without_a_system_role_is_recognised(qwen, template, form):
    processor = copy.copy(qwen._processor)
    processor.chat_template = "{% for message in messages %}" + template + "{% endfor %}"
    assert system_form(processor) is form


def test_the_image_stands_in_its_turn(qwen, picture):
    asked = conversation(job(picture, "And?", history=[["Hello", "Hi"]], image_turn=1), "the image", None)
    kinds = [[part["type"] for part in message["content"]] for message in asked]
    assert kinds == [["text"], ["text"], ["image", "text"]]
    with pytest.raises(AdapterError):
        conversation(job(picture, image_turn=1), "the image", None)


def test_every_image_of_a_chat_is_seen_in_its_turn(family, picture):
    name, adapter, (model, processor) = family
    before = picture.with_name("before.png")
    Image.new("RGB", (300, 200), "navy").save(before)
    told = {"history": [["Look", "I see"]], "image_turn": 1, "earlier_images": [[0, before.name]]}
    asked = job(picture, "The same?", **told)
    images = [{"type": "image", "image": Image.open(path).convert("RGB")} for path in (before, picture)]
    messages = [
        {"role": "user", "content": [images[0], *parts("Look")]},
        {"role": "assistant", "content": parts("I see")},
        {"role": "user", "content": [images[1], *parts("The same?")]},
    ]
    inputs = processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    out = model.generate(**inputs, max_new_tokens=TOKENS, do_sample=False)
    assert tokens_of(adapter, asked) == out[0, inputs["input_ids"].shape[1] :].tolist()
    output = list(adapter.predict(asked))[-1]
    width, height, tokens = SEEN[name]
    assert (output.seen_width, output.seen_height) == (width, height)
    assert output.visual_tokens == (None if name == "mllama" else 2 * tokens)


def test_a_chat_needs_no_image(family):
    _, adapter, _ = family
    output = list(adapter.predict(Job("", "Hello", "chat", params={"max_new_tokens": 4})))[-1]
    assert output.prompt_tokens and output.output_tokens
    assert output.seen_width is None and output.visual_tokens is None
    assert output.boxes == () and output.boxes_left_out is None


def test_what_was_seen_is_told(family, picture):
    name, adapter, _ = family
    output = ask(adapter, picture)[-1]
    assert (output.seen_width, output.seen_height, output.visual_tokens) == SEEN[name]
    assert output.prompt_tokens > 10 and output.finish_reason == "length"
    assert output.torch_allocated_mb is None  # there is no GPU


def test_an_image_of_any_shape_is_answered_or_refused(family, tmp_path):
    _, adapter, _ = family
    for number, size in enumerate([(1, 1), (2, 700), (700, 3), (900, 1200)]):
        Image.new("RGB", size, "white").save(tmp_path / f"{number}.png")
        try:
            output = ask(adapter, tmp_path / f"{number}.png", max_new_tokens=2)[-1]
            assert output.seen_width > 0 and output.seen_height > 0
        except AdapterError as error:
            assert error.kind == "bad_input" and max(size) / min(size) > 200


def test_the_limit_and_the_end_are_told_apart(qwen, picture):
    tokens = tokens_of(qwen, job(picture))
    assert ask(qwen, picture, max_new_tokens=3)[-1].output_tokens == 3
    config, end = qwen._model.generation_config, tokens[4]
    config.eos_token_id, before = [end], config.eos_token_id
    try:
        output = ask(qwen, picture)[-1]
        assert output.finish_reason == "stop" and output.output_tokens == tokens.index(end) + 1
        # the token that ends it may come as the very last that is allowed
        assert ask(qwen, picture, max_new_tokens=output.output_tokens)[-1].finish_reason == "stop"
        assert ask(qwen, picture, max_new_tokens=output.output_tokens - 1)[-1].finish_reason == "length"
    finally:
        config.eos_token_id = before


def test_a_tiny_top_p_is_greedy_and_a_penalty_is_not(qwen, picture):
    greedy = tokens_of(qwen, job(picture))
    assert tokens_of(qwen, job(picture, temperature=1.0, top_p=1e-6, seed=1)) == greedy
    assert tokens_of(qwen, job(picture, repetition_penalty=5.0)) != greedy


def test_a_checkpoints_own_wish_to_sample_is_overruled(picture, tmp_path):
    """Qwen's generation_config.json samples from the one most likely token, whatever the temperature."""
    folder = shutil.copytree(tiny.built(tiny.qwen2_vl), tmp_path / "wishes")
    config = json.loads((folder / "generation_config.json").read_text())
    wishes = {"do_sample": True, "temperature": 0.7, "top_k": 1, "top_p": 0.001, "repetition_penalty": 3.0}
    (folder / "generation_config.json").write_text(json.dumps(config | wishes))
    adapter, plain = loaded(folder), loaded(tiny.built(tiny.qwen2_vl))
    assert tokens_of(adapter, job(picture)) == tokens_of(plain, job(picture))
    hot = job(picture, temperature=3.0, seed=3)
    assert tokens_of(adapter, hot) == tokens_of(plain, hot) != tokens_of(plain, job(picture))


def test_a_stop_takes_effect_at_the_next_token(qwen, picture):
    pieces = qwen.predict(job(picture, max_new_tokens=3000))
    assert isinstance(next(pieces), str)
    pieces.close()
    assert "generate" not in {thread.name for thread in threading.enumerate()}
    assert isinstance(ask(qwen, picture)[-1], Output)


@pytest.mark.parametrize(
    "params",
    [{"temperature": -1}, {"top_p": 0}, {"top_p": 1.5}, {"repetition_penalty": "x"}, {"max_new_tokens": 0}],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(qwen, picture, params):
    with pytest.raises(AdapterError) as caught:
        ask(qwen, picture, **params)
    assert caught.value.kind == "bad_input" and next(iter(params)) in caught.value.detail


def test_the_mark_of_an_image_in_a_prompt_is_refused(qwen, picture):
    with pytest.raises(AdapterError) as caught:
        ask(qwen, picture, "And <|vision_start|><|image_pad|><|vision_end|> here?")
    assert caught.value.kind == "bad_input"


def test_the_language_of_a_document_is_said_when_it_is_read():
    assert asked(Job("", "Read it.", "ocr", "ru")) == "Read it.\nThe document is in Russian."
    assert asked(Job("", "Прочитай.", "formatted_ocr", "ru")) == "Прочитай.\nЯзык документа: русский."
    for plain in (Job("", "Why?", "question", "ru"), Job("", "Read it.", "ocr", ""), Job("", "", "ocr", "ru")):
        assert asked(plain) == plain.prompt


def test_a_thing_is_asked_for_in_the_words_of_the_family(qwen, picture):
    find = replace(job(picture, "the word"), task="grounding")
    asked_plainly = "Find the word in the image."
    assert qwen._asking(find).prompt.startswith(asked_plainly)
    assert tokens_of(qwen, find) != tokens_of(qwen, job(picture, "the word"))


def test_boxes_of_an_answer_are_pixels_of_the_image(tmp_path):
    """A model that was taught one answer: the marks are not part of its text, the box is where it belongs."""
    import torch

    adapter = loaded(tiny.built(tiny.qwen2_vl))
    Image.new("RGB", (400, 200), "white").save(tmp_path / "dog.png")
    words, model = adapter._processor.tokenizer, adapter._model
    answer = "<|object_ref_start|>dog<|object_ref_end|><|box_start|>(100,200),(500,750)<|box_end|><|im_end|>"
    asked = job(tmp_path / "dog.png", "Where is the dog?", max_new_tokens=60)
    inputs = adapter._inputs(asked, Image.open(tmp_path / "dog.png"))
    said = torch.tensor([words(answer)["input_ids"]])
    labels = torch.cat([torch.full_like(inputs["input_ids"], -100), said], 1)
    taught = {**inputs, "input_ids": torch.cat([inputs["input_ids"], said], 1), "labels": labels}
    taught["attention_mask"] = torch.ones_like(taught["input_ids"])
    taught["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(said)], 1)
    optimizer = torch.optim.Adam(model.model.language_model.parameters(), lr=1e-3)
    for _ in range(200):
        out = model(**taught)
        if out.loss < 0.1 and (out.logits[0, -said.shape[1] - 1 : -1].argmax(-1) == said[0]).all():
            break
        out.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    output = list(adapter.predict(asked))[-1]
    assert output.text == "dog(100,200),(500,750)" and output.finish_reason == "stop"
    (box,) = output.boxes
    assert (box.x0, box.y0, box.x1, box.y1, box.text) == (40, 40, 200, 150, "dog") and output.boxes_left_out == 0


def test_a_checkpoint_without_a_chat_template_is_refused(tmp_path):
    folder = shutil.copytree(tiny.built(tiny.qwen2_vl), tmp_path / "silent")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(AdapterError, match="chat template"):
        loaded(folder)


@given(st.text(st.characters(codec="utf-8", exclude_characters="<"), max_size=40))
@settings(max_examples=200)
def test_pieces_of_text_are_whole_letters(text):
    words = WORDS[0] if WORDS else WORDS.append(tiny.tokenizer([])) or WORDS[0]
    ids = words.encode(text)
    pieces = Text(words)
    said = [pieces.add(token) for token in ids] + [pieces.rest()]
    assert "".join(said) == words.decode(ids, clean_up_tokenization_spaces=False)


WORDS: list = []


def test_a_letter_waits_for_its_bytes_and_for_nothing_else():
    words = tiny.tokenizer([])
    for text in ("и\u0306\u0301ж", "e\u0301!", "\u1112\u1161\u11ab", "\U0001f5bc\ufe0f", "ab\ufffd"):
        pieces = Text(words)
        said = [piece for token in words.encode(text) if (piece := pieces.add(token))] + [pieces.rest()]
        assert "".join(said) == text
        assert all("\ufffd" not in piece or "\ufffd" in text for piece in said)
