"""How colours, shapes and places are named, in English and in Russian with its genders and cases."""

from __future__ import annotations

from benchmarks.synthetic.truth import Picture, Size, Thing

# masculine, feminine, neuter, genitive plural
COLOURS_RU = {
    "red": ("красный", "красная", "красное", "красных"),
    "orange": ("оранжевый", "оранжевая", "оранжевое", "оранжевых"),
    "yellow": ("жёлтый", "жёлтая", "жёлтое", "жёлтых"),
    "green": ("зелёный", "зелёная", "зелёное", "зелёных"),
    "blue": ("синий", "синяя", "синее", "синих"),
    "purple": ("фиолетовый", "фиолетовая", "фиолетовое", "фиолетовых"),
    "black": ("чёрный", "чёрная", "чёрное", "чёрных"),
    "white": ("белый", "белая", "белое", "белых"),
    "grey": ("серый", "серая", "серое", "серых"),
}
# nominative, genitive plural, gender as the index into the forms of a colour
SHAPES_RU = {
    "circle": ("круг", "кругов", 0),
    "square": ("квадрат", "квадратов", 0),
    "triangle": ("треугольник", "треугольников", 0),
    "star": ("звезда", "звёзд", 1),
    "cross": ("крест", "крестов", 0),
    "ring": ("кольцо", "колец", 2),
}
PLURALS_EN = {"cross": "crosses"}
PLACES = {
    "en": (
        "at the top left", "at the top", "at the top right", "on the left", "in the centre", "on the right",
        "at the bottom left", "at the bottom", "at the bottom right",
    ),
    "ru": (
        "слева вверху", "вверху", "справа вверху", "слева", "в центре", "справа",
        "слева внизу", "внизу", "справа внизу",
    ),
}  # fmt: skip


def colour(name: str, language: str) -> str:
    return name if language == "en" else COLOURS_RU[name][0]


def shape(name: str, language: str) -> str:
    return name if language == "en" else SHAPES_RU[name][0]


def named(colour_name: str, shape_name: str, language: str) -> str:
    """``red star``, ``красная звезда``."""
    if language == "en":
        return f"{colour_name} {shape_name}"
    word, _, gender = SHAPES_RU[shape_name]
    return f"{COLOURS_RU[colour_name][gender]} {word}"


def how_many(colour_name: str, shape_name: str, language: str) -> str:
    """What is counted: ``red stars``, ``красных звёзд``; without a colour or a shape when its name is empty."""
    if language == "en":
        counted = PLURALS_EN.get(shape_name, f"{shape_name}s") if shape_name else "shapes"
        return f"{colour_name} {counted}".strip()
    counted = SHAPES_RU[shape_name][1] if shape_name else "фигур"
    return f"{COLOURS_RU[colour_name][3]} {counted}" if colour_name else counted


def place(thing: Thing, size: Size, language: str) -> str:
    """In which ninth of the picture its middle lies."""
    column = min(2, int(thing.middle[0] / size[0] * 3))
    row = min(2, int(thing.middle[1] / size[1] * 3))
    return PLACES[language][row * 3 + column]


def described(picture: Picture, language: str) -> str:
    """Every thing with its place, then the ground."""
    said = []
    for thing in picture.things:
        article = "" if language == "ru" else "an " if thing.colour == "orange" else "a "
        said.append(f"{article}{named(thing.colour, thing.shape, language)} {place(thing, picture.size, language)}")
    text = ", ".join(said)
    ending = f"The background is {picture.ground}." if language == "en" else f"Фон {colour(picture.ground, 'ru')}."
    return f"{text[0].upper()}{text[1:]}. {ending}"
