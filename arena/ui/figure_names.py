"""What a figure is called: a metric as everywhere in the program, anything else as its table calls it."""

from __future__ import annotations

from typing import Literal

from benchmarks.metrics import METRICS


def name_key(figure: str, part: Literal["title", "short", "hint"], section: str) -> str:
    """The key of its text: ``metrics.<part>.<figure>`` of a metric, ``<section>.<figure>`` of all others.

    >>> name_key("cer", "short", "benchmark.column"), name_key("ram_mb", "short", "benchmark.column")
    ('metrics.short.cer', 'benchmark.column.ram_mb')
    """
    return f"metrics.{part}.{figure}" if figure in METRICS else f"{section}.{figure}"
