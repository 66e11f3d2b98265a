"""Texts in two languages: words that go with numbers, the right letters, no number without its word's forms."""

from __future__ import annotations

import doctest
import re
import string

import pytest

from arena import strings as texts
from arena.config import load_settings
from arena.errors import ConfigError
from arena.numbers import number
from arena.strings import LANGUAGES, strings, tr

# What is written as it is in any language: commands, names of variables and fields, addresses, marks of our own.
AS_IT_IS = re.compile(
    r"\b(sudo|pip|hf|docker|make) [a-z].*|`[^`]*`|\{[^}]*\}|\[\w+\]|https?://\S+|\b[A-Z][A-Z_]{2,}\b|\S*[-/_.:=]\w\S*|--\S+"
)

ALWAYS_MANY = {"benchmark.plot.newest", "documents.range.most"}  # above some limit


def fields(text: str) -> list[tuple[str, str]]:
    """The blanks of a text: name and what follows its colon."""
    return [(name, spec or "") for _, name, spec, _ in string.Formatter().parse(text) if name]


def test_the_rules_of_plural_forms_are_those_of_the_unicode_consortium() -> None:
    assert doctest.testmod(texts).failed == 0


def test_a_word_goes_with_its_number() -> None:
    said = [tr("benchmark.delete.done", "ru", count=count) for count in (1, 3, 11, number(1021, "ru"))]
    assert [each.replace("\u202f", " ") for each in said] == [
        "Удалён 1 запуск.",
        "Удалены 3 запуска.",
        "Удалено 11 запусков.",
        "Удалён 1 021 запуск.",
    ]
    assert [tr("benchmark.delete.done", "en", count=count) for count in (1, 2)] == ["1 run deleted.", "2 runs deleted."]


@pytest.mark.parametrize(("lang", "forms"), [("en", 2), ("ru", 3)])
def test_a_language_has_as_many_forms_as_it_needs(lang: str, forms: int) -> None:
    wrong = [
        key
        for key, text in strings(lang).items()
        for _, spec in fields(text)
        if "|" in spec and spec.count("|") != forms - 1
    ]
    assert wrong == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_count_is_not_followed_by_a_word_in_one_form(lang: str) -> None:
    """``{count} runs`` is wrong for one run; ``{count} {count:run|runs}`` is right for all."""
    counted = re.compile(r"\{(count|runs|pages|votes|waiting|turns)\} (?!more)[^\W\d_]{3,}")
    found = {key: text for key, text in strings(lang).items() if counted.search(text) and key not in ALWAYS_MANY}
    assert found == {}


def test_each_language_is_written_in_its_own_letters() -> None:
    assert {key: text for key, text in strings("en").items() if re.search("[а-яё]", text, re.IGNORECASE)} == {}
    foreign = {}
    for key, text in strings("ru").items():
        plain = AS_IT_IS.sub(" ", text)
        plain = re.sub("transformers|torch", "", plain)
        english, russian = re.findall(r"\b[a-z]{2,}\b", plain), re.findall(r"\b[а-яё]{2,}\b", plain.lower())
        if len(english) > max(1, len(russian) // 2):  # names of programs stay what they are
            foreign[key] = text
    assert foreign == {}


def test_a_float_is_written_as_its_language_does() -> None:
    told = {"free": 21.13, "total": 33.0}
    assert tr("doctor.ram", "ru", **told) == "Оперативная память: свободно 21,1 из 33,0 ГБ."
    assert "21.1 of 33.0" in tr("doctor.ram", "en", **told)


def test_every_wrong_setting_is_told_at_once_in_both_languages() -> None:
    wrong = {
        "ARENA_QUEUE": "many",
        "ARENA_RUN_TIMEOUT": "0",
        "ARENA_DEV": "perhaps",
        "ARENA_MODE": "fast",
        "ARENA_MODELS": "/nowhere/models.yaml",
        "ARENA_PORT": "70000",
    }
    with pytest.raises(ConfigError) as caught:
        load_settings(wrong)
    english, russian = (caught.value.text(lang).splitlines() for lang in LANGUAGES)
    assert english[1:] == [f"- {each}" for each in caught.value.problems]
    assert len(english) == len(russian) == 1 + len(wrong)
    for name, value in wrong.items():
        for lines in (english, russian):
            assert any(value in line and (name in line or value == "70000") for line in lines), (name, lines)
    assert not any(word in line for line in russian for word in ("expected", "number", "such", "at most"))
    assert "- ARENA_RUN_TIMEOUT='0': нужно число не меньше 0,1" in russian
