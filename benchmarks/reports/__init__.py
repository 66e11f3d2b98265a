"""What came of a benchmark: figures with their uncertainty, plots, tables for people and for programs."""
