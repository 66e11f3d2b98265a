"""What pages say: phrases of `vocabulary/phrases_*.yaml` with their slots filled, plausible and invented.

``{name}`` is one of the phrases of that name, ``{n:2-40 day|days}`` a number with its noun in the right form, ``{d}`` a
digit; ``{date}``, ``{date_short}``, ``{year}``, ``{time}``, ``{money}`` and ``{phone}`` are what they say.
"""

from __future__ import annotations

import functools
import random
import re
from typing import Any

import yaml

from benchmarks.synthetic.words import VOCABULARY

LANGUAGES = ("ru", "en")
SLOT = re.compile(r"\{(\w+)(?::(\d+)-(\d+)(?: ([^{}]+))?)?\}")


@functools.cache
def phrases(language: str) -> dict[str, Any]:
    """All phrases of a language by their names. Raises `FileNotFoundError` for an unknown language."""
    known: dict[str, Any] = yaml.safe_load((VOCABULARY / f"phrases_{language}.yaml").read_text(encoding="utf-8"))
    return known


def agreed(number: int, forms: str) -> str:
    """The number with its noun: two forms as in English, three as in Russian.

    >>> agreed(21, "день|дня|дней"), agreed(112, "день|дня|дней"), agreed(3, "day|days")
    ('21 день', '112 дней', '3 days')
    """
    nouns = forms.split("|")
    if len(nouns) == 2:
        return f"{number} {nouns[number != 1]}"
    few = number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14)
    return f"{number} {nouns[0 if number % 10 == 1 and number % 100 != 11 else 1 if few else 2]}"


def money(cents: int, language: str) -> str:
    """A sum without its currency, with two digits after the point or comma.

    >>> money(1234567, "ru"), money(1234567, "en")
    ('12 345,67', '12,345.67')
    """
    plain = f"{cents // 100:,}.{cents % 100:02d}"
    return plain.replace(",", " ").replace(".", ",") if language == "ru" else plain


def slot(rng: random.Random, language: str, name: str) -> str:
    day, year = rng.randint(1, 28), rng.randint(2019, 2027)
    match name:
        case "d":
            return str(rng.randrange(10))
        case "year":
            return str(year)
        case "date" if language == "ru":
            return f"{day} {rng.choice(phrases('ru')['month_gen'])} {year} года"
        case "date":
            return f"{day} {rng.choice(phrases('en')['month'])} {year}"
        case "date_short":
            return ("." if language == "ru" else "/").join((f"{day:02d}", f"{rng.randint(1, 12):02d}", str(year)))
        case "time":
            return f"{rng.randint(7, 20):02d}:{rng.randrange(0, 60, 5):02d}"
        case "money":
            euros = money(rng.randint(21, 990) * 10_000, language)[:-3]
            return f"{euros} руб." if language == "ru" else f"EUR {euros}"
        case "phone":
            return f"{rng.randint(2, 9)}-{rng.randint(10, 99)}-{rng.randint(10, 99)}"
    return said(rng, language, name)


def filled(rng: random.Random, language: str, text: str) -> str:
    """The text with every slot filled. Raises `KeyError` for a slot that there is not."""

    def replaced(match: re.Match[str]) -> str:
        name, low, high, forms = match.groups()
        if low is None:
            return slot(rng, language, name)
        number = rng.randint(int(low), int(high))
        return agreed(number, forms) if forms else str(number)

    return SLOT.sub(replaced, text)


def said(rng: random.Random, language: str, name: str) -> str:
    """One phrase of this name."""
    return filled(rng, language, rng.choice(phrases(language)[name]))


def several(rng: random.Random, language: str, name: str, count: int) -> list[str]:
    """Different phrases of this name, as many as there are at most."""
    known = phrases(language)[name]
    return [filled(rng, language, text) for text in rng.sample(known, min(count, len(known)))]


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
