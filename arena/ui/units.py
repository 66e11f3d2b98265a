"""Times and sizes with their units as a visitor reads them; reports write them the same way."""

from arena.units import SPACE, sized, stored, timed

__all__ = ["SPACE", "sized", "stored", "timed"]
