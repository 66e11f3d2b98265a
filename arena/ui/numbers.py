"""Numbers as a visitor reads them; reports, which know no page, write them the same way."""

from arena.numbers import THIN, UNKNOWN, number, percent, share

__all__ = ["THIN", "UNKNOWN", "number", "percent", "share"]
