"""Code that comes with a model: run at a fixed commit only, from that repository only; prompts, tiles and marks."""

from __future__ import annotations

import json
import sys

import pytest
from PIL import Image

from adapters import deepseek_ocr, dots_ocr, remote_code
from adapters.base import AdapterError
from adapters.deepseek_marks import without_marks
from adapters.internvl2 import grid, tiles

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path):
    """A model with code of its own; the answer is where it lies."""

    def write(name="model", **files):
        made = tmp_path / name
        made.mkdir()
        for file, content in {"config": {"auto_map": {"AutoModel": "modeling.Model"}}, **files}.items():
            (made / f"{file}.json").write_text(json.dumps(content))
        return made

    return write


def refused(**model):
    with pytest.raises(AdapterError) as caught:
        remote_code.snapshot({"trust_remote_code": True, **model})
    return caught.value


def test_code_needs_the_entry_to_allow_it(folder):
    error = refused(source=str(folder()), trust_remote_code=False)
    assert error.kind == "start_failed" and "trust_remote_code" in error.detail


@pytest.mark.battery("M5")
@pytest.mark.parametrize("revision", ["", "main", "pin:main", "2025-06-21", COMMIT[:12], COMMIT.upper()])
def test_a_revision_that_may_move_is_refused(revision):
    error = refused(source="maker/model", revision=revision)
    assert error.kind == "start_failed" and repr(revision) in error.detail


def test_a_commit_that_is_not_on_this_machine_is_unavailable():
    assert refused(source="maker/model", revision=COMMIT).kind == "unavailable"


@pytest.mark.battery("M4")
@pytest.mark.parametrize("file", [name.removesuffix(".json") for name in remote_code.MAPS])
@pytest.mark.parametrize("named", ["other/model--modeling.Model", ["slow.Tokenizer", "other/model--fast.Tokenizer"]])
def test_code_from_another_repository_is_refused(folder, file, named):
    error = refused(source=str(folder(**{file: {"auto_map": {"AutoModel": named}}})))
    assert error.kind == "start_failed" and error.detail.endswith(": other/model")


def test_an_auto_map_in_the_old_form_is_read_too(folder):
    model = folder(tokenizer_config={"auto_map": ["slow.Tokenizer", None]})
    assert remote_code.foreign_code(model) == []
    (model / "tokenizer_config.json").write_text(json.dumps({"auto_map": ["o/m--slow.Tokenizer", None]}))
    assert remote_code.foreign_code(model) == ["o/m"]


def test_a_folder_that_python_cannot_import_from_is_refused(folder):
    error = refused(source=str(folder("dots.ocr")))
    assert "dots.ocr" in error.detail and "without a dot" in error.detail


def test_a_stand_in_takes_the_place_of_what_is_absent_and_of_nothing_else(monkeypatch):
    monkeypatch.delitem(sys.modules, "no_such_package", raising=False)
    assert remote_code.stand_in("no_such_package.ops", attention=len)
    from no_such_package.ops import attention

    assert attention is len and remote_code.stand_in("no_such_package.ops")
    assert not remote_code.stand_in("json", dumps=None) and json.dumps({})
    assert not remote_code.stand_in("json.ops", dumps=None)
    for name in ("no_such_package.ops", "no_such_package"):
        del sys.modules[name]


# --- InternVL2's tiles


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((448, 448), (1, 1)),
        ((100, 100), (1, 1)),
        ((2000, 2000), (3, 3)),
        ((800, 600), (4, 3)),
        ((4000, 30), (12, 1)),
        ((30, 4000), (1, 12)),
        ((896, 448), (2, 1)),
        ((3000, 1500), (4, 2)),
        ((1, 1), (1, 1)),
    ],
)
def test_the_grid_has_the_nearest_shape(size, expected):
    assert grid(*size, 12, 448) == expected


def test_no_grid_has_more_tiles_than_allowed():
    for width in range(50, 3000, 211):
        for height in range(50, 3000, 173):
            for most in (1, 4, 12):
                columns, rows = grid(width, height, most, 448)
                assert 1 <= columns * rows <= most


def test_tiles_are_cut_row_by_row_and_the_whole_comes_last():
    image = Image.new("RGB", (200, 100))
    for column, colour in enumerate(["red", "blue"]):
        image.paste(colour, (column * 100, 0, column * 100 + 100, 100))
    cut = tiles(image, 2, 1, 50)
    assert [tile.size for tile in cut] == [(50, 50)] * 3
    assert cut[0].getpixel((10, 25)) == (255, 0, 0) and cut[1].getpixel((40, 25)) == (0, 0, 255)
    assert len(tiles(image, 1, 1, 50)) == 1


# --- DeepSeek's marks

ANSWER = (
    "<|ref|>title<|/ref|><|det|>[[1, 2, 300, 40]]<|/det|>\n# If 1 < 2 | 3 then <b>\n"
    "<|ref|>text<|/ref|><|det|>[[1, 50, 300, 90], [5, 6, 7, 8]]<|/det|>\n"
    "Some text<\uff5cend\u2581of\u2581sentence\uff5c>"
)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50, 1000])
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (True, "title\n# If 1 < 2 | 3 then <b>\ntext\nSome text"),
        (False, "\n# If 1 < 2 | 3 then <b>\n\nSome text"),
    ],
)
def test_marks_go_and_the_text_stays_however_it_is_cut(step, names, expected):
    pieces = [ANSWER[start : start + step] for start in range(0, len(ANSWER), step)]
    assert "".join(without_marks(pieces, names)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("text <|det|>[[1, 2", "text "),
        ("<|ref|>giraffe", "giraffe"),
        ("<|ref|>giraffe<|/ref|>", "giraffe"),
        ("a <|", "a "),
        ("a <", "a <"),
        ("<|grounding|>a", "a"),
        ("", ""),
    ],
)
def test_a_mark_that_is_never_closed_takes_no_text_with_it(answer, expected):
    assert "".join(without_marks([answer], names=True)) == expected


# --- prompts


def test_official_prompts_go_by_name():
    size = seen = (100, 100)
    layout = dots_ocr.prompt("prompt_layout_all_en", None, size, seen)
    assert "['Caption', 'Footnote', 'Formula'" in layout and layout.count("\n\n") == 5
    assert dots_ocr.prompt("prompt_ocr", None, size, seen) == "Extract the text content from this image."
    assert all(name in dots_ocr.PROMPTS for name in dots_ocr.FOR_TASK.values())
    assert all(name in deepseek_ocr.PROMPTS for name in deepseek_ocr.FOR_TASK.values())
    assert set(dots_ocr.FOR_TASK) == set(dots_ocr.DotsOCR.tasks)
    assert set(deepseek_ocr.FOR_TASK) == set(deepseek_ocr.DeepSeekOCR.tasks)


def test_a_box_in_a_prompt_is_in_pixels_of_the_resized_image():
    asked = dots_ocr.prompt("prompt_grounding_ocr", [1000, 500, 2000, 1000], (2000, 1000), (1008, 504))
    assert asked.endswith("Bounding Box:\n[504, 252, 1008, 504]")
    for box in (None, [1, 2, 3], ["a", 1, 2, 3]):
        with pytest.raises(AdapterError) as caught:
            dots_ocr.prompt("prompt_grounding_ocr", box, (100, 100), (112, 112))
        assert caught.value.kind == "bad_input"


@pytest.mark.parametrize(
    ("size", "expected"), [((1, 1), (28, 28)), ((4000, 20), (5600, 28)), ((28, 900), (28, 900)), ((27, 30), (28, 31))]
)
def test_a_small_image_is_made_large_enough_for_dots_ocr(size, expected):
    assert dots_ocr.large_enough(Image.new("RGB", size)).size == expected


def test_an_unknown_prompt_names_the_known_ones():
    with pytest.raises(AdapterError) as caught:
        dots_ocr.prompt("layout", None, (9, 9), (9, 9))
    assert caught.value.kind == "bad_input" and "prompt_layout_only_en" in caught.value.detail
    with pytest.raises(AdapterError) as caught:
        deepseek_ocr.chosen(deepseek_ocr.MODES, "mode", "huge")
    assert "gundam" in caught.value.detail
