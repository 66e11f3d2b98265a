"""A picture with a question and its right answer: reading, colours, shapes, counting, describing, finding.

`item` is a pure function of its generator, so a seed gives the same picture and the same words on any machine with the
same fonts.
"""

from __future__ import annotations

import functools
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml

from adapters.base import Job
from adapters.coordinates import from_pixels, where_is
from adapters.prompts import asked as with_language
from benchmarks.synthetic import lines, shapes, speech
from benchmarks.synthetic.truth import Item, Picture, Size, Thing

FAMILY = "qwen2_vl"  # whose way of writing boxes the answers follow
TASKS = Path(__file__).parent.parent / "tasks"

READ = {
    "en": (
        "Read the text.", "What is written here?", "What does it say?", "Read all the text in this image.", "OCR",
        "Read this.", "What text is in the image?", "Write down the text of the image.",
    ),
    "ru": (
        "Прочитай текст.", "Что здесь написано?", "Что написано на изображении?", "Прочитай весь текст на изображении.",
        "Прочитай.", "Какой текст на картинке?", "Запиши текст с изображения.",
    ),
}  # fmt: skip
COLOUR = {
    "en": ("What colour is the {shape}?", "What color is the {shape}?", "Which colour does the {shape} have?"),
    "ru": ("Какого цвета {shape}?", "Какой цвет у фигуры «{shape}»?", "Назови цвет: {shape}."),
}
GROUND = {
    "en": ("What colour is the background?", "What is the color of the background?"),
    "ru": ("Какого цвета фон?", "Какой цвет у фона?"),
}
SHAPE = {
    "en": ("Which shape is {colour}?", "What shape is {colour}?", "What is the {colour} thing?"),
    "ru": ("Какая фигура — {colour}?", "Что здесь {colour}?", "У какой фигуры цвет {colour}?"),
}
COUNT = {
    "en": ("How many {things} are there?", "How many {things} are in the image?", "Count the {things}."),
    "ru": ("Сколько здесь {things}?", "Сколько {things} на изображении?", "Сколько {things} на картинке?"),
}
DESCRIBE = {
    "en": ("Describe the image.", "Describe this image.", "What is in this image?", "What is in the picture?"),
    "ru": ("Опиши изображение.", "Опиши картинку.", "Что на этом изображении?", "Что изображено на картинке?"),
}
WHERE = {
    "en": ("Where is the {thing}?", "Find the {thing}.", "Give the box of the {thing}."),
    "ru": ("Где {thing}?", "Найди: {thing}.", "Где находится {thing}?"),
}


@functools.cache
def task_prompt(task: str, language: str) -> str:
    """The words in which the application asks for a task."""
    prompts: dict[str, str] = yaml.safe_load((TASKS / f"{task}.yaml").read_text(encoding="utf-8"))["prompts"]
    return prompts[language]


def asked(rng: random.Random, ways: Mapping[str, tuple[str, ...]], language: str, task: str = "", **words: str) -> str:
    """The question in one of its ways, or as the application asks for the task."""
    return task_prompt(task, language) if task else rng.choice(ways[language]).format(**words)


def reading(
    rng: random.Random,
    size: Size,
    fonts: Sequence[str],
    language: str,
    kind: str,
    most: int,
    formal: bool,
    plain: bool,
    told: float,
) -> Item:
    count = 1 if kind == "line" else rng.randint(2, max(2, size[1] // 26))
    picture = lines.printed(rng, fonts, size, language, count=count, most_letters=most, plain=plain)
    question = asked(rng, READ, rng.choice(("en", "ru")), "ocr" if formal else "")
    if told and rng.random() < told:
        question = with_language(Job("", question, "ocr", language))
    return Item(kind, language, picture, question, picture.text, {"text": picture.text})


def colour(rng: random.Random, picture: Picture, language: str, formal: bool) -> Item:
    once = [thing for thing in picture.things if sum(other.shape == thing.shape for other in picture.things) == 1]
    if once and rng.random() < 0.85:
        thing = rng.choice(once)
        question = asked(rng, COLOUR, language, shape=speech.shape(thing.shape, language))
        name = thing.colour
    else:
        thing, question, name = None, asked(rng, GROUND, language), picture.ground
    answer = speech.colour(name, language)
    return Item("colour", language, picture, question, answer, {"word": answer}, (thing,) if thing else ())


def shape(rng: random.Random, picture: Picture, language: str, formal: bool) -> Item | None:
    counts = Counter(thing.colour for thing in picture.things)
    once = [thing for thing in picture.things if counts[thing.colour] == 1]
    if not once:
        return None
    thing = rng.choice(once)
    words = {"colour": thing.colour if language == "en" else speech.COLOURS_RU[thing.colour][0]}
    way = rng.choice(SHAPE[language])
    if language == "ru" and way.startswith("Какая"):
        words["colour"] = speech.COLOURS_RU[thing.colour][1]
    elif language == "ru" and way.startswith("Что"):
        words["colour"] = speech.COLOURS_RU[thing.colour][2]
    answer = speech.shape(thing.shape, language)
    return Item("shape", language, picture, way.format(**words), answer, {"word": answer}, (thing,))


def count(rng: random.Random, picture: Picture, language: str, formal: bool) -> Item:
    chance, one = rng.random(), rng.choice(picture.things)
    colour_name, shape_name = "", ""
    if chance < 0.4:
        colour_name, shape_name = one.colour, one.shape
    elif chance < 0.6:
        shape_name = one.shape
    elif chance < 0.8:
        colour_name = one.colour
    elif chance < 0.9:
        colour_name, shape_name = rng.choice(shapes.OF_THINGS), rng.choice(shapes.SHAPES)
    number = sum(
        thing.colour == (colour_name or thing.colour) and thing.shape == (shape_name or thing.shape)
        for thing in picture.things
    )
    question = asked(rng, COUNT, language, things=speech.how_many(colour_name, shape_name, language))
    return Item("count", language, picture, question, str(number), {"word": str(number)})


def describe(rng: random.Random, picture: Picture, language: str, formal: bool) -> Item:
    answer = speech.described(picture, language)
    question = asked(rng, DESCRIBE, language, "description" if formal else "")
    return Item("describe", language, picture, question, answer, {"text": answer}, picture.things)


def box(thing: Thing, picture: Picture, label: str) -> dict[str, object]:
    return {"bbox_2d": from_pixels(FAMILY, thing.box, picture.size), "label": label}


def where(rng: random.Random, picture: Picture, language: str, formal: bool) -> Item:
    counts = Counter((thing.colour, thing.shape) for thing in picture.things)
    one = min(rng.sample(picture.things, len(picture.things)), key=lambda thing: counts[thing.colour, thing.shape] > 2)
    label = speech.named(one.colour, one.shape, language)
    same = [thing for thing in picture.things if (thing.colour, thing.shape) == (one.colour, one.shape)]
    if formal:
        question = where_is(FAMILY, f"the {label}" if language == "en" and rng.random() < 0.5 else label)
    else:
        question = asked(rng, WHERE, language, thing=label)
    answer = json.dumps([box(thing, picture, label) for thing in same], ensure_ascii=False)
    boxes = [thing.box for thing in same]
    return Item("where", language, picture, question, answer, {"boxes": boxes}, tuple(same))


ABOUT_SCENES: dict[str, Callable[[random.Random, Picture, str, bool], Item | None]] = {
    "colour": colour, "shape": shape, "count": count, "describe": describe, "where": where,
}  # fmt: skip
KINDS = ("line", "lines", *ABOUT_SCENES)


def about_one(rng: random.Random, picture: Picture, kinds: Sequence[str], formal: float) -> list[Item]:
    """A question of each kind about one scene, those that can be asked; a share of them in the application's words."""
    asking = (ABOUT_SCENES[kind](rng, picture, rng.choice(("en", "ru")), rng.random() < formal) for kind in kinds)
    return [one for one in asking if one]


def item(
    kind: str,
    rng: random.Random,
    size: Size,
    fonts: Sequence[str],
    *,
    most: int = 0,
    formal: bool = False,
    plain: bool = False,
    told: float = 0.0,
) -> Item:
    """One item of a kind on a picture of `size` (width, height in pixels).

    most: letters in a line, or shapes on a scene; 0 for the usual. formal: asked in the application's long words where
    it has a task for the kind. plain: text that is easy to read. told: how often a question to read says the language,
    as the application does when it knows it. Raises `KeyError` for an unknown kind.
    """
    language = rng.choice(("en", "ru"))
    if kind in ("line", "lines"):
        return reading(rng, size, fonts, language, kind, most or 60, formal, plain, told)
    while True:
        made = ABOUT_SCENES[kind](rng, shapes.scene(rng, size, most=most or 5), language, formal)
        if made:
            return made


def prompts() -> list[str]:
    """Every way of asking, and the words of all answers: what a tokenizer should know as words."""
    tables = (READ, COLOUR, GROUND, SHAPE, COUNT, DESCRIBE, WHERE)
    said = [way for table in tables for ways in table.values() for way in ways]
    said += [task_prompt(path.stem, language) for path in sorted(TASKS.glob("*.yaml")) for language in ("en", "ru")]
    said += [where_is(FAMILY, "{thing}"), "The background is . Фон . a an the A An"]
    said += [json.dumps([{"bbox_2d": [0, 0, 0, 0], "label": "a"}] * 2), "An"]
    for language in ("en", "ru"):
        said += [f" {place}" for place in speech.PLACES[language]]
        said += [speech.shape(shape_name, language) for shape_name in shapes.SHAPES]
        for colour_name in speech.COLOURS_RU:
            for shape_name in shapes.SHAPES:
                name = speech.named(colour_name, shape_name, language)
                said += [name, name.capitalize(), f" {name}", f" {speech.how_many(colour_name, shape_name, language)}"]
                said += [f" {speech.how_many('', shape_name, language)}", f" {speech.how_many('', '', language)}"]
    return [re.sub(r"\{\w+\}", "", each) for each in said]
