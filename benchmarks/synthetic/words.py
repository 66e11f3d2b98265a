"""What is printed: everyday words, words that do not exist, numbers, dates, sums and codes, in English and Russian.

Half of the words are made up from syllables, so that a reader has to look and cannot guess.
"""

from __future__ import annotations

import random
from collections.abc import Callable

LETTERS = {
    "en": "abcdefghijklmnopqrstuvwxyz",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
}
MARKS = ".,:;!?-()\"'%/+=*#@&№«»—€$"
ALPHABET = "".join(LETTERS.values()) + "".join(LETTERS.values()).upper() + "0123456789" + MARKS + " "
# Letters that look alike in both scripts: a text of these alone could be either.
TWINS = set("aceopxyABCEHKMOPTXYАВСЕНКМОРТХУасеорхуkкmмtтnиuцгrвbд")

ENGLISH = (
    "the and for with from this that have will when where which there about after again all also another any because "
    "before between both each every first good great here home house into just know last left life light like line "
    "little long look made make many more most much must name near never new next night now number old only open order "
    "other over own page paper part people place please point price public quick quiet read ready red right road room "
    "round same school second shop short side sign small some soon special start still stop street strong such sun "
    "table take tea ten than them then thing third three time today together total town train tree true two under until "
    "very visit wait walk wall warm water week west what white whole wind window winter without word work world year "
    "yellow yesterday young zero apple autumn bank bird book bread bridge butter cash change city clean clock closed "
    "cloud coat coffee cold corner cotton country date day deep desk door dry early earth east entrance evening exit "
    "family farm fast field fire fish floor flower forest free fresh friday friend fruit garden gate glass green grey "
    "half hand happy heavy high hill horse hotel hour island jacket journey juice july june key kitchen lake lamp large "
    "late law lemon letter library lunch machine map march market meal meat metal milk minute monday money month moon "
    "morning mountain museum music north ocean office orange oven park pencil phone picture pilot platform post potato "
    "power queue rain receipt rice river salt sand saturday sea silver size sky snow soup south spoon spring square "
    "station stone summer sunday supper sweet taxi thursday ticket tower travel tuesday valley village voice wednesday "
    "wheat wheel wood wool yard zone amount discount invoice sale tax sum paid service manager delivery address"
).split()
RUSSIAN = (
    "и в не на что он как это все она так его но они мы из за вы по же от было если мне ещё нет до вам сам себя ничего "
    "когда даже ну вдруг ли уже или быть был него вас опять там потом ему теперь есть надо ней для тебя их чем была сам "
    "чтоб без будто чего раз тоже себе под будет тогда кто этот того потому какой совсем здесь этом один почти мой тем "
    "чтобы сейчас были куда зачем всех никогда можно при наконец два об другой хоть после над больше тот через эти нас "
    "про всего них какая много разве три моя впрочем хорошо свою этой перед иногда лучше чуть том нельзя такой более "
    "всегда конечно между адрес апрель аптека банк берег билет больница булка буква бумага быстро вагон вечер весна ветер "
    "вода воздух вокзал восток воскресенье вторник вход выход газета глина год голос гора город гость дверь двор декабрь "
    "день деньги дерево десять дом дорога доставка друг ёлка железо завод заказ закрыто запад зелёный земля зима знак "
    "золото игра июль июнь карта касса квитанция книга ключ команда комната конец корабль крыша кухня лампа лес лето лист "
    "лодка магазин май март масло машина место месяц метро минута молоко море музей музыка мука мясо налог народ начало "
    "небо неделя новый номер ночь ноябрь обед облако объём огонь озеро окно октябрь осень остров отдел открыто парк "
    "песня письмо площадь поезд поле понедельник порт почта правило праздник привет пятница рабочий радость расчёт река "
    "рис рука рыба ряд сад сахар свет север сентябрь скидка сирень снег соль сон солнце спасибо среда стена стол сторона "
    "страна суббота суп сумма съезд сыр такси театр тепло товар трава туман тысяча угол улица урок услуга утро февраль "
    "хлеб холод цвет цена центр час чай человек четверг число чистый шаг школа щука экран этаж юг яблоко январь язык "
    "ярмарка итого оплата кофе подъезд объявление ячмень жёлтый щётка вьюга семья"
).split()
COMMON = {"en": ENGLISH, "ru": RUSSIAN}

ONSETS = {
    "en": "b c d f g h j k l m n p q r s t v w x y z bl br ch cl cr dr fl fr gl gr kn ph pl pr sc sh sk sl sn sp st str "
    "sw th tr wh".split(),
    "ru": "б в г д ж з й к л м н п р с т ф х ц ч ш щ бл бр вр гл гр дв др зв зд кл кр мл пл пр св ск сл см сн ст стр тр "
    "хл хр шл шт".split(),
}
VOWELS = {
    "en": "a e i o u y ai ea ee ie oa oo ou".split(),
    "ru": "а е ё и о у ы э ю я а е и о".split(),
}
CODAS = {
    "en": "b ck d f ft g l ll m mp n nd ng nt p r rd rk s sh ss st t th v x z".split(),
    "ru": "б в г д ж з й к л м н нь п р рь с ст т ть ф х ц ч ш щ ль рт ъ".split(),
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
