"""Times and sizes with their units, as precise as they are short, in the visitor's language."""

from __future__ import annotations

from arena.numbers import UNKNOWN, number
from arena.strings import tr

SPACE = "\N{NO-BREAK SPACE}"


def timed(value: float | None, lang: str) -> str:
    """A duration: 45 ms, 0.52 s, 12.3 s, 2 min 05 s.

    >>> [timed(seconds, "en").replace(SPACE, " ") for seconds in (0.045, 0.523, 12.34, 125, None)]
    ['45 ms', '0.52 s', '12.3 s', '2 min 05 s', '—']
    """
    if value is None:
        return UNKNOWN
    if value < 0.0995:
        return f"{number(value * 1000, lang)}{SPACE}{tr('ui.unit.ms', lang)}"
    if value >= 59.95:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes}{SPACE}{tr('ui.unit.min', lang)} {rest:02d}{SPACE}{tr('ui.unit.s', lang)}"
    return f"{number(value, lang, 2 if value < 9.995 else 1)}{SPACE}{tr('ui.unit.s', lang)}"


def sized(value: float | None, lang: str) -> str:
    """Memory given in MiB: 214 MB, 3.2 GB.

    >>> sized(214.4, "ru").replace(SPACE, " "), sized(3277, "en").replace(SPACE, " ")
    ('214 МБ', '3.2 GB')
    """
    if value is None:
        return UNKNOWN
    if value >= 1024:
        return f"{number(value / 1024, lang, 1)}{SPACE}{tr('ui.unit.gb', lang)}"
    return f"{number(value, lang)}{SPACE}{tr('ui.unit.mb', lang)}"


def stored(size: int, lang: str, digits: int = 1) -> str:
    """Bytes of files, counted in powers of ten as disks and the Hub do: 3 kB, 214 MB, 4.3 GB.

    >>> [stored(size, "en", 2).replace(SPACE, " ") for size in (0, 2_600, 214_000_000, 4_312_000_000)]
    ['0 kB', '3 kB', '214 MB', '4.31 GB']
    """
    if size >= 999_500_000:
        return f"{number(size / 1e9, lang, digits)}{SPACE}{tr('ui.unit.gb', lang)}"
    if size >= 999_500:
        return f"{number(size / 1e6, lang)}{SPACE}{tr('ui.unit.mb', lang)}"
    return f"{number(size / 1e3, lang)}{SPACE}{tr('downloads_panel.kb', lang)}"
