"""What each family writes about a target that was drawn comes back to the pixels it was drawn on."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from adapters.base import understood
from adapters.coordinates import FAMILIES, boxes_in, from_pixels, objects, to_pixels, where_is
from arena.ui.picture import layer

SIZE, SEEN = (1200, 800), (600, 420)
TARGET = (300, 200, 900, 600)  # a quarter of the picture, in its middle: (0.25, 0.25, 0.75, 0.75) of its sides

# What the family's own documents say the answer for TARGET is.
ANSWERS = {
    "qwen2_vl": "The <|object_ref_start|>target<|object_ref_end|><|box_start|>(250,250),(750,750)<|box_end|>.",
    "qwen2_5_vl": '```json\n[\n  {"bbox_2d": [150, 105, 450, 315], "label": "target"}\n]\n```',
    "qwen3_vl": '```json\n[\n  {"bbox_2d": [250, 250, 750, 750], "label": "target"}\n]\n```',
    "qwen3_vl_moe": '{"bbox_2d": [250, 250, 750, 750], "label": "target"}',
    "dots_ocr": '[{"bbox": [150, 105, 450, 315], "category": "Text", "text": "target"}]',
    "internvl": "<ref>target</ref><box>[[250, 250, 750, 750]]</box>",
    "deepseek": "<|ref|>target<|/ref|><|det|>[[250, 250, 749, 749]]<|/det|>",
    "moondream": '{"objects": [{"x_min": 0.25, "y_min": 0.25, "x_max": 0.75, "y_max": 0.75, "label": "target"}]}',
}


@pytest.fixture(scope="module")
def drawn():
    """Where the red pixels are, as somebody with eyes finds them."""
    image = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(image).rectangle((*TARGET[:2], TARGET[2] - 1, TARGET[3] - 1), fill="red")
    red = image.getchannel("G").point(lambda value: 255 if value == 0 else 0)
    return red.getbbox()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_drawn_target_is_found_again(family, drawn):
    (box,) = boxes_in(family, ANSWERS[family], SIZE, SEEN)
    assert box.text == "target"
    for found, real in zip((box.x0, box.y0, box.x1, box.y1), drawn, strict=True):
        assert abs(found - real) <= 2  # a thousandth of the side


@pytest.mark.parametrize("family", FAMILIES)
@given(data=st.data())
def test_there_and_back_is_the_same_place(family, data):
    x0, x1 = sorted(data.draw(st.lists(st.integers(0, SIZE[0]), min_size=2, max_size=2, unique=True)))
    y0, y1 = sorted(data.draw(st.lists(st.integers(0, SIZE[1]), min_size=2, max_size=2, unique=True)))
    box = to_pixels(family, from_pixels(family, (x0, y0, x1, y1), SIZE, SEEN), SIZE, SEEN)
    if box is None:  # thinner than one unit of the family
        assert x1 - x0 <= 3 or y1 - y0 <= 3
        return
    for found, real in zip((box.x0, box.y0, box.x1, box.y1), (x0, y0, x1, y1), strict=True):
        assert abs(found - real) <= 2


@pytest.mark.battery("X6")
@pytest.mark.parametrize(
    "numbers", [[1, 2, 3], [1, 2, 3, float("nan")], [1, 2, 3, float("inf")], ["a", 1, 2, 3], None, [5, 5, 5, 9], 7]
)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_no_box_is_none(family, numbers):
    assert to_pixels(family, numbers, SIZE, SEEN) is None


HOSTILE = {
    "inverted": ((900, 600, 300, 200), (0.75, 0.75, 0.25, 0.25)),
    "negative": ((-300, -200, 900, 600), (0, 0, 0.75, 0.75)),
    "beyond the image": ((300, 200, 2400, 1600), (0.25, 0.25, 1, 1)),
    "a billion": ((-1e9, -1e9, 1e9, 1e9), (0, 0, 1, 1)),
    "all of it outside": ((1300, 900, 1e9, 1e9), None),
    "without area": ((300, 200, 300, 600), None),
    "a point": ((300, 200, 300, 200), None),
}


@pytest.mark.battery("X6")
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_box_that_cannot_be_is_clamped_or_left_out(family, name):
    """Written as the family writes: shares of a side, thousandths, or pixels of what it saw."""
    numbers, shares = HOSTILE[name]
    span = FAMILIES[family].span
    across, down = (span / SIZE[0], span / SIZE[1]) if span else (SEEN[0] / SIZE[0], SEEN[1] / SIZE[1])
    box = to_pixels(family, [n * (down if at % 2 else across) for at, n in enumerate(numbers)], SIZE, SEEN)
    if shares is None:
        assert box is None
        return
    x0, y0, x1, y1 = shares
    expected = sorted((x0 * SIZE[0], x1 * SIZE[0])), sorted((y0 * SIZE[1], y1 * SIZE[1]))
    assert ([box.x0, box.x1], [box.y0, box.y1]) == (pytest.approx(expected[0]), pytest.approx(expected[1]))
    assert 0 <= box.x0 < box.x1 <= SIZE[0] and 0 <= box.y0 < box.y1 <= SIZE[1]
    drawn_over = layer("a", [box], *SIZE)
    assert drawn_over.count("<rect ") == 1 and not re.search("nan|inf|e[+]", drawn_over)


@pytest.mark.battery("X6")
def test_boxes_are_clamped_and_sorted():
    (box,) = boxes_in("qwen3_vl", '{"bbox_2d": [1200, 900, -50, 100]}', SIZE)
    assert (box.x0, box.y0, box.x1, box.y1) == (0, 80, 1200, 720)


# How each family writes a box of these numbers.
WRITTEN = dict.fromkeys(FAMILIES, '{"bbox": [NUMBERS], "label": "odd"}') | {
    "qwen2_vl": "<|object_ref_start|>odd<|object_ref_end|><|box_start|>(NUMBERS)<|box_end|>",
    "internvl": "<ref>odd</ref><box>[[NUMBERS]]</box>",
    "deepseek": "<|ref|>odd<|/ref|><|det|>[[NUMBERS]]<|/det|>",
}
NO_BOXES = (
    "1, 2, 3",
    "1, 2, 3, 4, 5",
    "NaN, 2, 3, 4",
    "1, Infinity, 3, 4",
    '"a", "b", "c", "d"',
    "left, top",
    "",
    "7e9, 7e9, 8e9, 8e9",
)


@pytest.mark.battery("X6")
@pytest.mark.parametrize("numbers", NO_BOXES)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_cannot_be_understood_is_counted_and_harms_no_other(family, numbers):
    odd, good = WRITTEN[family].replace("NUMBERS", numbers), ANSWERS[family]
    found = understood(boxes_in(family, f"{good}\n{odd}\n{good}\n{odd}", SIZE, SEEN))
    assert [box.text for box in found["boxes"]] == ["target"] * 2 and found["boxes_left_out"] == 2


@pytest.mark.battery("X6")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_box_that_is_cut_off_is_counted_and_no_number_is_taken_for_a_shorter_one(family):
    answer, last = ANSWERS[family], max(match.end() for match in re.finditer(r"\d", ANSWERS[family]))
    first = min(match.start() for match in re.finditer(r"[1-9]\d\d|0\.", answer))
    for end in range(first + 1, last + 1):
        found = understood(boxes_in(family, f"{answer}\n{answer[:end]}", SIZE, SEEN))
        assert len(found["boxes"]) == found["boxes_left_out"] == 1


@pytest.mark.battery("X6")
def test_an_answer_without_boxes_has_none_left_out_and_no_number_of_them():
    for family in (*FAMILIES, "mllama"):
        for answer in ("", "no JSON {at all} {", '{"total": [1, 2], "text": "x"}', '[{"bbox": null}]'):
            assert understood(boxes_in(family, answer, SIZE, SEEN)) == {"boxes": (), "boxes_left_out": None}
    assert understood(boxes_in("internvl", ANSWERS["internvl"], SIZE))["boxes_left_out"] == 0


@pytest.mark.battery("X6")
def test_markup_of_html_that_places_nothing_is_counted():
    answer = '<p data-bbox="1 1 9 9">a</p><p data-bbox="1 1 9">b</p><p data-bbox="here">c</p><p data-bbox="1 1 9 9'
    assert understood(boxes_in("qwen3_vl", answer, SIZE))["boxes_left_out"] == 3


@pytest.mark.parametrize("written", ["100, 200, 300, 400", "[100 200 300 400]"])
def test_a_box_as_a_text_is_read_by_its_numbers_and_not_by_its_digits(written):
    (box,) = boxes_in("qwen3_vl", f'{{"bbox": "{written}"}}', SIZE)
    assert (box.x0, box.y0, box.x1, box.y1) == (120, 160, 360, 320)
    assert boxes_in("qwen3_vl", '{"bbox": "1234"}', SIZE) == (None,)


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ('[{"bbox": [0, 0, 9, 9], "text": "a"}, {"bbox": [0, 0, 9, 9], "te', ["a"]),
        ("[{'bbox': [0, 0, 9, 9], 'text': 'it is'}]", ["it is"]),
        ('{"bbox": [0, 0, 9, 9], "text": "\\frac{a}{b} \\alpha"}', ["\\frac{a}{b} \\alpha"]),
        ('{"bbox": [0, 0, 9, 9], "text": "\\\\frac{a}{b}\\nnext"}', ["\\frac{a}{b}\nnext"]),
        ('{"layout": [{"bbox": [0, 0, 9, 9], "text": "in"}, {"bbox": [0, 0, 9], "text": "three"}]}', ["in"]),
        ('{"bbox": [0, 0, NaN, 9], "text": "a"} and {"bbox": [1, 1, 9, 9], "text": "b"}', ["b"]),
        ("no JSON {at all} {", []),
        ("", []),
    ],
)
def test_broken_json_loses_nothing_that_is_whole(answer, texts):
    assert [box.text for box in boxes_in("qwen3_vl", answer, SIZE) if box] == texts


def test_kinds_and_several_boxes():
    (box,) = boxes_in("dots_ocr", '[{"bbox": [0, 0, 9, 9], "category": "Table", "text": "<table></table>"}]', SIZE)
    assert box.kind == "Table"
    assert len(boxes_in("internvl", "<ref>two</ref><box>[[1, 1, 9, 9], [20, 20, 30, 30]]</box>", SIZE)) == 2
    assert [box.kind for box in boxes_in("qwen3_vl", '<p data-bbox="1 1 9 9">x</p>', SIZE)] == ["p"]
    assert boxes_in("mllama", ANSWERS["qwen3_vl"], SIZE) == ()


@example("{[]}")
@given(st.text("{}[]\"':,\\ab1 ", max_size=200))
def test_no_answer_breaks_it(answer):
    assert all(isinstance(found, dict) for found in objects(answer))
    for family in FAMILIES:
        boxes_in(family, answer, SIZE, SEEN)


def test_noise_takes_no_time():
    assert list(objects('{"a":' * 6000)) == []


def test_a_family_is_asked_for_a_thing_in_its_own_words():
    assert where_is("deepseek", " the stamp ") == "Locate <|ref|>the stamp<|/ref|> in the image."
    assert "<ref>печать</ref>" in where_is("internvl", "печать")
    assert where_is("qwen3_vl", "{label}").startswith("Find {label} in the image.")  # no template of the visitor's
    assert where_is("moondream", "cat") == ""  # has a call of its own for it
