"""What is printed: everyday words, words that do not exist, numbers, dates, sums and codes, in English and Russian.

Half of the words are made up from syllables, so that a reader has to look and cannot guess.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

LETTERS = {
    "en": "abcdefghijklmnopqrstuvwxyz",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
}
MARKS = ".,:;!?-()\"'%/+=*#@&№«»—€$"
ALPHABET = "".join(LETTERS.values()) + "".join(LETTERS.values()).upper() + "0123456789" + MARKS + " "
# Letters that look alike in both scripts: a text of these alone could be either.
TWINS = set("aceopxyABCEHKMOPTXYАВСЕНКМОРТХУасеорхуkкmмtтnиuцгrвbд")

VOCABULARY = Path(__file__).parent / "vocabulary"
COMMON = {name: tuple((VOCABULARY / f"{name}.txt").read_text(encoding="utf-8").split()) for name in LETTERS}


def each(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ONSETS = {
    "en": each(
        "b c d f g h j k l m n p q r s t v w x y z bl br ch cl cr dr fl fr gl gr kn ph pl pr sc sh sk sl sn sp st str "
        "sw th tr wh"
    ),
    "ru": each(
        "б в г д ж з й к л м н п р с т ф х ц ч ш щ бл бр вр гл гр дв др зв зд кл кр мл пл пр св ск сл см сн ст стр "
        "тр хл хр шл шт"
    ),
}
VOWELS = {"en": each("a e i o u y ai ea ee ie oa oo ou"), "ru": each("а е ё и о у ы э ю я")}
CODAS = {
    "en": each("b ck d f ft g l ll m mp n nd ng nt p r rd rk s sh ss st t th v x z"),
    "ru": each("б в г д ж з й к л м н нь п р рь с ст т ть ф х ц ч ш щ ль рт ъ"),
}


def made_up(rng: random.Random, language: str) -> str:
    """A word that can be pronounced and means nothing."""
    word = ""
    for _ in range(rng.choice((1, 1, 2, 2, 2, 3, 3, 4))):
        word += rng.choice(ONSETS[language]) if rng.random() < 0.85 else ""
        word += rng.choice(VOWELS[language])
        word += rng.choice(CODAS[language]) if rng.random() < 0.4 else ""
    return word


def jumble(rng: random.Random, language: str) -> str:
    """Letters in any order, so that the rare ones are seen too."""
    return "".join(rng.choice(LETTERS[language]) for _ in range(rng.randint(1, 7)))


def word(rng: random.Random, language: str) -> str:
    """One word in lower case, as a title or in capitals."""
    chance = rng.random()
    if chance < 0.45:
        plain = rng.choice(COMMON[language])
    elif chance < 0.85:
        plain = made_up(rng, language)
    else:
        plain = jumble(rng, language)
    case = rng.random()
    return plain if case < 0.62 else plain.capitalize() if case < 0.84 else plain.upper()


def number(rng: random.Random, language: str) -> str:
    """A number as it stands on signs and papers: count, price, date, time, share, code."""
    point = "," if language == "ru" and rng.random() < 0.7 else "."
    kinds: tuple[Callable[[], str], ...] = (
        lambda: str(rng.randrange(10 ** rng.randint(1, 6))),
        lambda: f"{rng.randrange(10 ** rng.randint(1, 4))}{point}{rng.randrange(100):02d}",
        lambda: f"{rng.randint(1, 31):02d}.{rng.randint(1, 12):02d}.{rng.randint(1950, 2049)}",
        lambda: f"{rng.randint(1, 31)}/{rng.randint(1, 12)}/{rng.randint(10, 49)}",
        lambda: f"{rng.randrange(24):02d}:{rng.randrange(60):02d}",
        lambda: f"{rng.randrange(1, 101)}%",
        lambda: f"{rng.choice('$€')}{rng.randrange(1, 2000)}",
        lambda: f"№{rng.randrange(1, 1000)}" if language == "ru" else f"#{rng.randrange(1, 1000)}",
        lambda: f"{rng.randrange(100, 1000)}-{rng.randrange(10, 100)}-{rng.randrange(10, 100)}",
        lambda: f"+{rng.randrange(1, 100)} {rng.randrange(100, 1000)} {rng.randrange(1000, 10000)}",
        lambda: f"{rng.randrange(100)}+{rng.randrange(100)}={rng.randrange(200)}",
        lambda: f"{rng.choice(LETTERS[language]).upper()}{rng.randrange(10, 1000)}",
    )
    return rng.choice(kinds)()


def piece(rng: random.Random, language: str) -> str:
    """What stands between two spaces: a word or a number, with its punctuation."""
    plain = number(rng, language) if rng.random() < 0.2 else word(rng, language)
    chance = rng.random()
    if chance < 0.72:
        return plain
    if chance < 0.92:
        return plain + rng.choice(",,..:;!?-")
    pairs = ("()", '""', "«»") if language == "ru" else ("()", '""', "''")
    pair = rng.choice(pairs)
    if chance < 0.96:
        return pair[0] + plain + pair[1]
    return rng.choice((f"{plain}/{word(rng, language)}", f"{plain}-{word(rng, language)}", "&", "—", "*" + plain, "@"))


def ambiguous(text: str) -> bool:
    """Whether the letters could as well be of the other script."""
    letters = {each for each in text if each.isalpha()}
    return bool(letters) and letters <= TWINS
