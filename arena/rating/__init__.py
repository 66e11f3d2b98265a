"""Ratings from votes: pure functions of what was voted; docs/ratings.md says in words what they do and why."""

from arena.rating.standings import BOOTSTRAPS, CRITERIA, METHOD, Rating, Standings, Tier, rate
from arena.rating.tally import Cell, Tally

__all__ = ["BOOTSTRAPS", "CRITERIA", "METHOD", "Cell", "Rating", "Standings", "Tally", "Tier", "rate"]
