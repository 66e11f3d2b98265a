"""What came of a benchmark: figures with their uncertainty, plots, tables for people and for programs."""

from benchmarks.reports.figures import Report
from benchmarks.reports.summary import summarise
from benchmarks.reports.tables import summary_table
from benchmarks.reports.writing import write_report

__all__ = ["Report", "summarise", "summary_table", "write_report"]
