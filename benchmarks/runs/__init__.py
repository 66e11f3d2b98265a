"""Runs of a benchmark: what is asked, in which order, and how it goes on after whatever stopped it."""
