"""Drawn pictures say the truth about themselves, and a seed draws the same again."""

import random
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from adapters.coordinates import boxes_in
from benchmarks.synthetic import fonts, ground, items, lines, shapes, speech, words
from benchmarks.synthetic.fonts import face


@pytest.fixture(scope="module")
def faces():
    """A few faces that this machine has; the browser's package brings the first of them."""
    found = [str(fonts.installed()[name]) for name in fonts.names("train") if name in fonts.installed()]
    assert found, "no font of the training is installed: requirements/system.sh packages fonts-dejavu-core"
    return tuple(found[:3])


@pytest.fixture
def clean(monkeypatch):
    """Black on white at its own scale, without noise, so that ink can be told from paper."""
    monkeypatch.setattr(ground, "ink_and_paper", lambda rng: ((0, 0, 0), (255, 255, 255)))
    monkeypatch.setattr(ground, "sheet", lambda rng, size, colour: np.full((size[1], size[0], 3), colour, np.float32))
    monkeypatch.setattr(ground, "taken", lambda rng, levels, size=None: resized(ground.pixels(levels), size))


def resized(pixels, size):
    image = Image.fromarray(pixels)
    return np.asarray(image if size in (None, image.size) else image.resize(size, Image.Resampling.BICUBIC))


@pytest.mark.parametrize("seed", range(25))
def test_ink_lies_in_the_boxes_of_the_lines(seed, faces, clean):
    rng = random.Random(seed)
    picture = lines.printed(rng, faces, (300, 120), "ru" if seed % 2 else "en", count=1 + seed % 3)
    dark = picture.pixels.min(2) < 128
    inside = np.zeros_like(dark)
    for line in picture.lines:
        left, top, right, bottom = line.box
        part = np.s_[max(0, int(top) - 1) : int(bottom) + 2, max(0, int(left) - 1) : int(right) + 2]
        inside[part] = True
        assert dark[part].any()
    assert not (dark & ~inside).any()


def test_letters_are_those_of_the_text_and_stand_where_their_ink_is(faces, clean):
    picture = lines.printed(random.Random(3), faces, (280, 28), "en")
    assert "".join(letter.text for letter in picture.letters) == picture.text.replace(" ", "")
    assert [letter.x for letter in picture.letters] == sorted(letter.x for letter in picture.letters)
    left, _, right, _ = picture.lines[0].box
    assert left < picture.letters[0].x < picture.letters[-1].x < right


def test_a_letter_is_drawn_as_pillow_draws_it(faces):
    cover = np.zeros((60, 200), np.uint8)
    drawn = face(faces[0], 32).draw(cover, 10, 40, "Щg")
    from PIL import ImageDraw, ImageFont

    sheet = Image.new("L", (200, 60))
    font = ImageFont.truetype(faces[0], 32, layout_engine=ImageFont.Layout.BASIC)
    ImageDraw.Draw(sheet).text((10, 40), "Щg", 255, font, anchor="ls")
    assert np.abs(np.asarray(sheet, int) - cover).max() <= 2
    assert drawn.box == sheet.getbbox()


def test_what_lies_outside_the_canvas_is_cut_off(faces):
    cover = np.zeros((10, 20), np.uint8)
    drawn = face(faces[0], 32).draw(cover, -5, 12, "WWWW")
    assert cover.any()
    assert drawn.box[2] <= 20
    assert drawn.box[3] <= 10


@pytest.mark.parametrize("seed", range(25))
def test_shapes_fill_their_boxes_and_nothing_lies_outside(seed, clean):
    picture = shapes.scene(random.Random(seed), (160, 120))
    coloured = np.abs(picture.pixels.astype(int) - picture.pixels[0, 0]).max(2) > 60
    inside = np.zeros_like(coloured)
    for thing in picture.things:
        left, top, right, bottom = thing.box
        part = np.s_[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))]
        inside[part] = True
        rows, columns = np.nonzero(coloured[part])
        assert columns.min() <= 1
        assert rows.min() <= 1
        assert columns.max() + 1 >= right - left - 1.5
        assert rows.max() + 1 >= bottom - top - 1.5
    assert not (coloured & ~inside).any()
    assert all(thing.colour != picture.ground for thing in picture.things)


@pytest.mark.parametrize("kind", items.KINDS)
def test_the_same_seed_gives_the_same_item_and_another_gives_another(kind, faces):
    size = (200, 84)
    first, again, other = (items.item(kind, random.Random(seed), size, faces) for seed in (1, 1, 2))
    assert first.question == again.question
    assert first.answer == again.answer
    assert np.array_equal(first.picture.pixels, again.picture.pixels)
    assert not np.array_equal(first.picture.pixels, other.picture.pixels)
    assert first.picture.size == size


@pytest.mark.parametrize("seed", range(40))
def test_answers_are_true(seed, faces):
    rng = random.Random(seed)
    for kind in items.ABOUT_SCENES:
        one = items.item(kind, rng, (140, 140), faces)
        things = one.picture.things
        names = Counter(speech.named(thing.colour, thing.shape, one.language) for thing in things)
        if kind == "where":
            found = boxes_in(items.FAMILY, one.answer, one.picture.size)
            assert 0 < len(found) == names[found[0].text]
            truth = [
                thing.box for thing in things if speech.named(thing.colour, thing.shape, one.language) == found[0].text
            ]
            for box, edges in zip(found, truth, strict=True):
                assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx(edges, abs=0.1)
        elif kind == "describe":
            said = one.answer.lower()
            assert all(said.count(name) == count for name, count in names.items())
        elif kind == "colour":
            known = {speech.colour(thing.colour, one.language) for thing in things}
            assert one.answer in known | {speech.colour(one.picture.ground, one.language)}
        elif kind == "shape":
            assert one.answer in {speech.shape(thing.shape, one.language) for thing in things}
        else:
            assert 0 <= int(one.answer) <= len(things)


def test_the_language_of_the_answer_is_that_of_the_question(faces):
    for seed in range(60):
        for kind in ("colour", "shape", "describe"):
            one = items.item(kind, random.Random(seed), (140, 140), faces)
            script = words.LETTERS[one.language]
            assert any(letter in script for letter in one.question.lower())
            assert all(letter in script for letter in one.answer.lower() if letter.isalpha())


def test_the_language_is_said_in_the_words_of_the_question(faces):
    for seed in range(12):
        bare, told = (items.item("line", random.Random(seed), (200, 28), faces, told=share) for share in (0.0, 1.0))
        english = bare.question.isascii()
        name = {"en": ("английский", "English"), "ru": ("русский", "Russian")}[bare.language][english]
        end = f"The document is in {name}." if english else f"Язык документа: {name}."
        assert told.question == f"{bare.question}\n{end}"
        assert told.answer == bare.answer
        assert np.array_equal(told.picture.pixels, bare.picture.pixels)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_printed_words_use_the_known_letters_alone(language):
    rng = random.Random(0)
    used = set(" ".join(words.piece(rng, language) for _ in range(4000)))
    assert used <= set(words.ALPHABET)
    assert set(words.LETTERS[language]) <= used


def test_faces_of_training_and_test_are_apart():
    train, test = fonts.names("train"), fonts.names("test")
    assert not set(train) & set(test)
    assert not set(fonts.TRAIN) & set(fonts.TEST)
    assert len(set(train)) == len(train) > 50


def test_missing_faces_are_named_with_the_command_that_brings_them(monkeypatch):
    monkeypatch.setattr(fonts, "installed", dict)
    with pytest.raises(FileNotFoundError, match=r"system\.sh packages fonts-paratype"):
        fonts.faces("test")


def test_a_text_of_letters_that_both_scripts_have_is_ambiguous():
    assert words.ambiguous("COCA 12")
    assert not words.ambiguous("Fox")
    assert not words.ambiguous("12:45")
