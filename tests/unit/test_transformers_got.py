"""GOT-OCR through the adapter says what transformers itself says, for each of its wishes."""

from __future__ import annotations

import itertools
import shutil

import pytest
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file

from adapters.base import AdapterError, Job, adapter_class
from tests import tiny

TOKENS = 12


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name in ("one.png", "two.png"):
        image = Image.new("RGB", (300, 200), "white")
        ImageDraw.Draw(image).text((20, 50), name, fill="black", font_size=40)
        image.save(folder / name)
    return folder / "one.png"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """GOT-OCR that ends its answers: its stop string weighs more in the output layer than any other token."""
    folder = shutil.copytree(tiny.built(tiny.got_ocr), tmp_path_factory.mktemp("got") / "got")
    tensors = load_file(folder / "model.safetensors")
    (name,) = [name for name in tensors if name.endswith("embed_tokens.weight")]
    tensors[name][2] *= 3.0
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="module")
def got(checkpoint):
    adapter = adapter_class("got_ocr")()
    adapter.load({"id": "tiny", "source": str(checkpoint)})
    return adapter


@pytest.fixture(scope="module")
def direct(checkpoint):
    from transformers import AutoModelForImageTextToText, AutoProcessor

    return AutoModelForImageTextToText.from_pretrained(checkpoint), AutoProcessor.from_pretrained(checkpoint)


def said_directly(direct, images, **wishes):
    model, processor = direct
    inputs = processor(images, return_tensors="pt", num_image_tokens=16, **wishes)
    stop = {"tokenizer": processor.tokenizer, "stop_strings": "<|im_end|>"}
    out = model.generate(**inputs, do_sample=False, max_new_tokens=TOKENS, **stop)
    return out[0, inputs["input_ids"].shape[1] :].tolist(), processor.decode(inputs["input_ids"][0])


WISHES = [
    ("ocr", {}, {}, " OCR: "),
    ("formatted_ocr", {}, {"format": True}, " OCR with format: "),
    ("ocr", {"box": (150, 100, 30, 20)}, {"box": [30, 20, 150, 100]}, "[100, 100, 500, 500] OCR: "),
    ("formatted_ocr", {"color": "green"}, {"format": True, "color": "green"}, "[green]  OCR with format: "),
    ("ocr", {"crop_to_patches": True}, {"crop_to_patches": True}, " OCR upon the patch reference: "),
    ("ocr", {"pages": ["two.png"]}, {"multi_page": True}, " OCR across multi pages: "),
]


@pytest.mark.parametrize(("task", "params", "wishes", "prompt"), WISHES, ids=lambda value: str(value)[:30])
def test_every_wish_is_the_processors_own(got, direct, picture, task, params, wishes, prompt):
    job = Job(str(picture), task=task, params={"max_new_tokens": TOKENS, **params})
    pages = [Image.open(picture), *(Image.open(picture.parent / name) for name in params.get("pages", []))]
    tokens, asked = said_directly(direct, pages if len(pages) > 1 else pages[0], **wishes)
    assert asked.endswith(f"</img>\n{prompt}<|im_end|><|im_start|>assistant\n")
    for _ in range(2):  # the processor writes into the box it is given: the second call must not see that
        *pieces, output = got.predict(job)
        text = direct[1].tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert "".join(pieces) == output.text == text
        assert output.output_tokens == len(tokens)
        assert output.finish_reason == ("stop" if tokens[-1] == 2 else "length")
        assert output.visual_tokens == asked.count("<imgpad>")


def test_the_stop_string_ends_an_answer(got, direct, picture):
    ended = 0
    for task, params, wishes, _ in itertools.islice(WISHES, 5):
        tokens, _ = said_directly(direct, Image.open(picture), **wishes)
        output = list(got.predict(Job(str(picture), task=task, params={"max_new_tokens": TOKENS, **params})))[-1]
        ended += output.finish_reason == "stop" and output.output_tokens == len(tokens) < TOKENS
    assert ended


def test_the_size_it_saw_is_told(got, picture):
    def seen(**params):
        output = list(got.predict(Job(str(picture), params={"max_new_tokens": 2, **params})))[-1]
        return output.seen_width, output.seen_height, output.visual_tokens

    assert seen() == (256, 256, 16)
    assert seen(crop_to_patches=True) == (768, 512, 7 * 16)  # six pieces and the whole
    assert seen(crop_to_patches=True, max_patches=1) == (256, 256, 16)


def test_a_repetition_is_forbidden_when_asked(got, picture):
    job = Job(str(picture), params={"max_new_tokens": 60, "no_repeat_ngram_size": 1})
    output = list(got.predict(job))[-1]
    assert 0 < output.output_tokens <= 60


@pytest.mark.parametrize(
    "params",
    [
        {"box": [1, 2, 3]},
        {"box": [0, 0, float("nan"), 9]},
        {"box": [400, 0, 500, 9]},
        {"color": "pink"},
        {"pages": ["../one.png"]},
        {"pages": ["absent.png"]},
        {"pages": ["two.png"], "box": [1, 2, 30, 40]},
        {"crop_to_patches": True, "max_patches": 99},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(got, picture, params):
    with pytest.raises(AdapterError) as caught:
        list(got.predict(Job(str(picture), params=params)))
    assert caught.value.kind == "bad_input"
