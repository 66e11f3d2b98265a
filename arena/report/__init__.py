"""A finished comparison as one HTML document and as JSON: the permanent page and the file are made by the same code."""

from arena.report.data import json_report
from arena.report.document import html_report

__all__ = ["html_report", "json_report"]
