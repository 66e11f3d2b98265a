"""Numbers as a visitor reads them: the decimal sign of the language, a dash for what nobody measured."""

from __future__ import annotations

UNKNOWN = "—"
THIN = "\N{NARROW NO-BREAK SPACE}"


def number(value: float | None, lang: str, digits: int = 0) -> str:
    """`value` with `digits` decimals and grouped thousands, or a dash.

    >>> number(12345.678, "ru", 1).replace(THIN, " "), number(None, "en")
    ('12 345,7', '—')
    """
    if value is None:
        return UNKNOWN
    said = f"{value:,.{digits}f}".replace(",", THIN)
    return said.replace(".", ",") if lang == "ru" else said


def percent(value: float | None, lang: str) -> str:
    """A share as a percentage without the sign: 0.034 is 3.4. From 10 on without decimals.

    >>> percent(0.0345, "ru"), percent(1.0, "en"), percent(None, "en")
    ('3,5', '100', '—')
    """
    if value is None:
        return UNKNOWN
    return number(value * 100, lang, 1 if 0 < abs(value) < 0.0995 else 0)


def share(value: float | None, lang: str) -> str:
    """A share with its sign.

    >>> share(0.0345, "ru").replace("\N{NO-BREAK SPACE}", " "), share(0.0345, "en"), share(None, "en")
    ('3,5 %', '3.5%', '—')
    """
    space = "\N{NO-BREAK SPACE}" if lang == "ru" else ""
    return UNKNOWN if value is None else f"{percent(value, lang)}{space}%"
