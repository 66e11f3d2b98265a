"""dots.ocr's answers, as they ought to be and as they come: every element that can be understood is kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Box, understood
from adapters.dots_layout import CATEGORIES, Element, as_markdown, boxes, elements, markdown

WHOLE = [
    {"bbox": [100, 50, 900, 110], "category": "Title", "text": "Report 2026"},
    {"bbox": [100, 130, 900, 300], "category": "Text", "text": "First line.\nSecond line."},
    {"bbox": [100, 320, 500, 600], "category": "Picture"},
]
TITLE = Element("Title", "Report 2026", (100, 50, 900, 110))
TEXT = Element("Text", "First line.\nSecond line.", (100, 130, 900, 300))
PICTURE = Element("Picture", "", (100, 320, 500, 600))
TABLE = "<table><tr><td>a</td><td><table><tr><td>1</td></tr></table></td></tr></table>"
PLACE = (1.0, 2.0, 30.0, 40.0)


def one(text, kind="Text", numbers=PLACE):
    return [Element(kind, text, numbers)]


OUTPUTS = {
    "well-formed": (json.dumps(WHOLE), [TITLE, TEXT, PICTURE]),
    "indented": (json.dumps(WHOLE, indent=2), [TITLE, TEXT, PICTURE]),
    "one object and no list": (json.dumps(WHOLE[0]), [TITLE]),
    "in an object": (json.dumps({"layout": WHOLE}), [TITLE, TEXT, PICTURE]),
    "in a fence": (f"```json\n{json.dumps(WHOLE)}\n```", [TITLE, TEXT, PICTURE]),
    "with words around it": (f"Here it is: {json.dumps(WHOLE)} Done.", [TITLE, TEXT, PICTURE]),
    "an object a line": ("\n".join(map(json.dumps, WHOLE)), [TITLE, TEXT, PICTURE]),
    "no commas between objects": ("[" + " ".join(map(json.dumps, WHOLE)) + "]", [TITLE, TEXT, PICTURE]),
    "a comma too many": (json.dumps(WHOLE)[:-1] + ",]", [TITLE, TEXT, PICTURE]),
    "the end missing": (json.dumps(WHOLE)[:-1], [TITLE, TEXT, PICTURE]),
    "cut in a text": (json.dumps(WHOLE[:2])[:-7], [TITLE, Element("Text", "First line.\nSecond l", TEXT.numbers)]),
    "cut after an escape": (
        '[{"bbox": [1, 2, 30, 40], "category": "Text", "text": "one\\ntwo\\',
        one("one\ntwo\\"),
    ),
    "cut in a category": (json.dumps(WHOLE[:1]) + ', {"bbox": [1, 2, 30, 40], "categ', [TITLE, *one("")]),
    "cut in a box": (json.dumps(WHOLE[:1]) + ', {"bbox": [1, 2, 3', [TITLE]),
    "cut in the last number of a box": (json.dumps(WHOLE[:1]) + ', {"bbox": [1, 2, 30, 4', [TITLE]),
    "cut before a text": (
        json.dumps(WHOLE[:1]) + ', {"bbox": [1, 2, 30, 40], "category": "Table", "text": ',
        [TITLE, *one("", "Table")],
    ),
    "a loop of the same element": (json.dumps(WHOLE[:1] * 400), [TITLE]),
    "a loop that is cut": (json.dumps(WHOLE[:2] * 50)[:-26], [TITLE, TEXT, Element("Text", "Fi", TEXT.numbers)]),
    "a loop inside a text": (
        json.dumps([{"bbox": [1, 2, 30, 40], "category": "Text", "text": "." * 3000}]),
        one("." * 3000),
    ),
    "single quotes": (str(WHOLE), [TITLE, TEXT, PICTURE]),
    "single quotes around an apostrophe": (
        "[{'bbox': [1, 2, 30, 40], 'category': 'Text', 'text': \"it's\"}]",
        one("it's"),
    ),
    "quotes inside a text": (
        '[{"bbox": [1, 2, 30, 40], "category": "Text", "text": "He said "no" twice"}]',
        one('He said "no" twice'),
    ),
    "a line break inside a text": (
        '[{"bbox": [1, 2, 30, 40], "category": "Text", "text": "one\ntwo"}]',
        one("one\ntwo"),
    ),
    "no text": ('[{"bbox": [1, 2, 30, 40], "category": "Text"}]', one("")),
    "text null": ('[{"bbox": [1, 2, 30, 40], "category": "Text", "text": null}]', one("")),
    "a box of three": (
        '[{"bbox": [1, 2, 30], "category": "Text", "text": "kept"}]',
        one("kept", numbers=()),
    ),
    "a box of five": ('[{"bbox": [1, 2, 30, 40, 5], "category": "Text", "text": "kept"}]', one("kept", numbers=())),
    "a box of words": ('[{"bbox": "at the top", "category": "Text", "text": "kept"}]', one("kept", numbers=())),
    "a box of no JSON": ('[{"bbox": [left, 2, 30, 40], "category": "Text", "text": "kept"}]', one("kept", numbers=())),
    "a box without brackets": ('[{"bbox": 1, 2, 30, 40, "category": "Text", "text": "x"}]', one("x")),
    "a box of nothing": ('[{"bbox": [], "category": "Text"}, {"bbox": null, "text": "x"}]', one("x", numbers=None)),
    "no box": ('[{"category": "Caption", "text": "kept"}]', one("kept", "Caption", None)),
    "a box of NaN": ('[{"bbox": [NaN, 2, 30, 40], "category": "Text", "text": "kept"}]', one("kept", numbers=())),
    "an infinite box": (
        '[{"bbox": [1, 2, Infinity, 4], "category": "Text", "text": "kept"}]',
        one("kept", numbers=()),
    ),
    "numbers as texts": ('[{"bbox": ["1", "2", "30", "40"], "category": "Text", "text": "x"}]', one("x")),
    "a box as a text": ('[{"bbox": "1, 2, 30, 40", "category": "Text", "text": "x"}]', one("x")),
    "a box as a text with brackets": ('[{"bbox": "[1, 2, 30, 40]", "category": "Text", "text": "x"}]', one("x")),
    "a table in a table": (
        json.dumps([{"bbox": [1, 2, 30, 40], "category": "Table", "text": TABLE}]),
        one(TABLE, "Table"),
    ),
    "a table with attributes in quotes": (
        '[{"bbox": [1, 2, 30, 40], "category": "Table", "text": "<table><td colspan="2">a</td></table>"}]',
        one('<table><td colspan="2">a</td></table>', "Table"),
    ),
    "LaTeX as it should be": (
        json.dumps([{"bbox": [1, 2, 30, 40], "category": "Formula", "text": r"\frac{a}{b} \theta"}]),
        one(r"\frac{a}{b} \theta", "Formula"),
    ),
    "LaTeX with single backslashes": (
        r'[{"bbox": [1, 2, 30, 40], "category": "Formula", "text": "\frac{a}{b} = \sqrt{\theta} \nabla \alpha"}]',
        one(r"\frac{a}{b} = \sqrt{\theta} \nabla \alpha", "Formula"),
    ),
    "LaTeX cut off": (
        r'[{"bbox": [1, 2, 30, 40], "category": "Formula", "text": "\begin{array} \sum_{i} x_{i',
        one(r"\begin{array} \sum_{i} x_{i", "Formula"),
    ),
    "fields in another order": (
        '[{"category": "Text", "text": "x", "bbox": [1, 2, 30, 40]}, {"text": "y", "category": "Title"}]',
        [*one("x"), Element("Title", "y", None)],
    ),
    "a category in other letters": (
        '[{"bbox": [1, 2, 30, 40], "category": "section_header", "text": "x"}]',
        one("x", "Section-header"),
    ),
    "an unknown category": ('[{"bbox": [1, 2, 30, 40], "category": "Stamp", "text": "x"}]', one("x")),
    "a text in braces": ('[{"bbox": [1, 2, 30, 40], "category": "Text", "text": "{x} and {y"}]', one("{x} and {y")),
    "Russian": (
        json.dumps([{"bbox": [1, 2, 30, 40], "category": "Text", "text": "Счёт № 7"}], ensure_ascii=False),
        one("Счёт № 7"),
    ),
    "Russian escaped": (json.dumps([{"bbox": [1, 2, 30, 40], "category": "Text", "text": "Счёт"}]), one("Счёт")),
    "empty": ("", []),
    "an empty list": ("[]", []),
    "no layout at all": ("I cannot see a document here.", []),
    "only braces": ("{{{{{{", []),
}


# The outputs of which something that ought to have a place has none; that of all others is known, or none is written.
LEFT_OUT = dict.fromkeys((name for name in OUTPUTS if name.startswith(("a box of", "an infinite", "cut in a box"))), 1)
LEFT_OUT |= {"a box as a text": 0, "a box as a text with brackets": 0, "cut in the last number of a box": 1}


@pytest.mark.battery("X5")
@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_is_understood(name):
    answer, expected = OUTPUTS[name]
    assert elements(answer) == expected
    found = understood(boxes(answer, (1000, 1000), (1000, 1000)))
    assert len(found["boxes"]) == sum(1 for element in expected if element.numbers)
    assert (found["boxes_left_out"] or 0) == LEFT_OUT.get(name, 0)
    assert (found["boxes_left_out"] is None) == (name not in LEFT_OUT and not found["boxes"])


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_markdown_comes_the_same_however_the_answer_is_cut_into_pieces(name, step):
    answer, expected = OUTPUTS[name]
    raw: list[str] = []
    pieces = (answer[start : start + step] for start in range(0, len(answer), step))
    told = "".join(as_markdown(pieces, raw))
    assert "".join(raw) == answer
    assert told == ("".join(f"{markdown(each)}\n\n" for each in expected if markdown(each)) if expected else answer)


def test_an_element_is_told_when_the_next_one_begins():
    first, second = map(json.dumps, WHOLE[:2])
    seen = as_markdown(iter(["[", first, ", ", second[:12], second[12:], "]"]), [])
    assert next(seen) == "# Report 2026\n\n"


def test_every_category_is_known_and_none_is_lost():
    answer = json.dumps([{"bbox": [0, 0, 9, 9], "category": name, "text": name} for name in CATEGORIES])
    assert [element.category for element in elements(answer)] == list(CATEGORIES) and len(CATEGORIES) == 11


def test_markdown_of_each_kind():
    assert markdown(Element("Title", "A")) == "# A"
    assert markdown(Element("Title", "## A")) == "## A"
    assert markdown(Element("Section-header", "B")) == "## B"
    assert markdown(Element("Formula", r"\alpha")) == "$$\n\\alpha\n$$"
    assert markdown(Element("Formula", "$x$")) == "$x$"
    assert markdown(Element("Table", TABLE)) == TABLE
    assert markdown(PICTURE) == ""


def test_boxes_are_mapped_back_from_the_resized_image():
    """2000 x 1000 pixels seen as 1008 x 504: what is at half of that is at half of the image."""
    answer = [{"bbox": [504, 252, 1008, 504], "text": "x"}, {"bbox": [-5, 0, 2000, 100], "category": "Picture"}]
    assert boxes(json.dumps(answer), (2000, 1000), (1008, 504)) == (
        Box(1000, 500, 2000, 1000, "x", "Text"),
        Box(0, 0, 2000, pytest.approx(198.41, abs=0.01), "", "Picture"),
    )


@pytest.mark.battery("X5")
@pytest.mark.timeout(30)  # a second; the square of it would be hours
def test_a_page_of_fifty_thousand_boxes_is_read_to_its_end():
    page = [
        {"bbox": [n % 900, n // 50, n % 900 + 5, n // 50 + 9], "category": "Text", "text": f"{n}"}
        for n in range(50_000)
    ]
    answer = json.dumps(page)[:-1]
    assert [element.text for element in elements(answer)] == [f"{n}" for n in range(50_000)]
    found = boxes(answer, (1000, 1010), (1000, 1010))
    assert len(found) == 50_000 and all(found)


@pytest.mark.battery("X6")
def test_a_box_with_its_corners_swapped_is_sorted_and_one_without_area_counted():
    answer = [{"bbox": [30, 40, 10, 20], "text": "x"}, {"bbox": [10, 20, 10, 90], "text": "y"}, {"text": "z"}]
    assert boxes(json.dumps(answer), (100, 100), (100, 100)) == (Box(10, 20, 30, 40, "x", "Text"), None)


@pytest.mark.battery("X5")
def test_what_cannot_be_read_is_counted_once_however_often_it_is_said():
    three, words = '{"bbox": [1, 2, 3], "category": "Text"}', '{"bbox": "here", "category": "Text"}'
    said = ", ".join([three, words, three, json.dumps(WHOLE[0]), three, json.dumps(WHOLE[0])])
    (box,) = understood(boxes(f"[{said}]", (1000, 1000), (1000, 1000)))["boxes"]
    assert box.text == "Report 2026"
    assert understood(boxes(f"[{said}]", (1000, 1000), (1000, 1000)))["boxes_left_out"] == 2


@given(st.text(alphabet="{}[]\",:\\bboxcategorytext1 234nN'", max_size=200))
def test_nothing_that_a_model_may_say_breaks_it(answer):
    for element in elements(answer):
        assert element.category in CATEGORIES and (not element.numbers or len(element.numbers) == 4)


@given(st.integers(0, len(json.dumps(WHOLE))))
def test_a_cut_anywhere_keeps_what_came_before(end):
    answer = json.dumps(WHOLE)[:end]
    found = elements(answer)
    whole = [element for element in (TITLE, TEXT, PICTURE) if element in found]
    assert len(found) - len(whole) <= 1
