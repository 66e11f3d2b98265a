"""The tables of a report for programs: the summary and the rows as CSV, Parquet and XLSX, streamed from the store."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from arena.columns import FIELDS, Row
from arena.export import BOM, columns, defuse, write_csv
from arena.store import RunQuery, Store
from benchmarks.metrics import METRICS
from benchmarks.reports.figures import ModelFigures, Report
from benchmarks.reports.needs import needed
from benchmarks.reports.tables import COSTS
from benchmarks.reports.wording import say

AT_ONCE = 5_000
MOST_ROWS = 1_048_575  # of a sheet, its head left out
MOST_LETTERS = 32_000  # of a cell
# Of the rows, what people look at in a spreadsheet; the CSV has every column.
SHOWN = (
    *("item", "model", "side", "repeat", "status", "language", "task", "cold", "cached_from", "generate_s"),
    *("first_token_s", "load_s", "total_s", "output_tokens", "peak_ram_mb", "peak_vram_process_mb", "energy_j"),
    *("error_kind", "text", "reference", "run_id"),
)
FIGURES = ("value", "low", "high", "median", "median_low", "median_high", "answered", "answered_low", "answered_high")
PLAIN = ("model", "title", "group", "value_of", "level", "metric", "items", *FIGURES)
Plain = list[Any]


def summary_rows(report: Report) -> Iterator[Plain]:
    """The heads, then a row for each model and metric, whole and by slices; then the figures of no metric."""
    yield list(PLAIN)
    for model in report.models:
        for metric, found in model.scores.items():
            estimates = (found.headline, found.median, found.answered)
            values = [bound for each in estimates for bound in (each.value, each.low, each.high)]
            yield [model.model, model.title, "", "", "", metric, found.headline.n, *values]
        for name, value, count in costs(model):
            yield [model.model, model.title, "", "", "", name, count, value, *[None] * 8]
    for each in report.slices:
        bounds = [each.score.value, each.score.low, each.score.high]
        place = [each.model, report.title(each.model), each.group, each.value, each.level]
        yield [*place, each.metric, each.score.n, *bounds, *[None] * 6]


def costs(model: ModelFigures) -> Iterator[tuple[str, float | None, int]]:
    """Every figure that is no score: its name, its value, of how many rows."""
    for kind, pace in (("cold", model.cold), ("warm", model.warm)):
        for name in ("load", "first_token", "generate", "total"):
            found = getattr(pace, name)
            for quantile in ("p50", "p90", "p99", "mean"):
                if found.n:
                    yield f"{name}_s_{kind}_{quantile}", getattr(found, quantile), found.n
    for name, cost in COSTS.items():
        if name not in ("p50", "p90"):
            yield name, cost(model), model.rows
    yield "failed", model.failed.value, model.failed.of
    yield "flawed", model.flawed.value, model.flawed.of


def pair_rows(report: Report) -> Iterator[Plain]:
    """Every paired test, whole and in slices."""
    yield [
        *("group", "value_of", "level", "metric", "first", "second", "items", "difference", "low", "high", "p"),
        *("p_corrected", "effect_d", "wins", "ties", "losses"),
    ]
    whole = (("", "", "", pair) for pair in report.pairs)
    parts = ((each.group, each.value, each.level, each.pair) for each in report.slice_pairs)
    for group, value, level, pair in [*whole, *parts]:
        off = pair.difference
        tests = [pair.p, pair.adjusted, pair.effect, pair.wins, pair.ties, pair.losses]
        yield [group, value, level, pair.metric, pair.first, pair.second, off.n, off.value, off.low, off.high, *tests]


def write_summary(report: Report, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(BOM)
        writer = csv.writer(file, lineterminator="\r\n")
        for row in summary_rows(report):
            writer.writerow(["" if cell is None else defuse(cell) if isinstance(cell, str) else cell for cell in row])


def write_rows_csv(store: Store, report: Report, path: Path) -> None:
    """The same columns as the export of all runs."""
    with path.open("w", encoding="utf-8", newline="") as file, closing(store.rows(_query(report))) as rows:
        write_csv(rows, file)


def write_parquet(store: Store, report: Report, path: Path) -> None:
    """The same columns, with their types; texts as they are, for nothing that reads this runs formulas."""
    needed("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), tuple: pa.int64()}
    types |= {dict: pa.string(), datetime: pa.timestamp("us", tz="UTC")}
    schema = pa.schema(
        [*((field.name, types[field.kind]) for field in FIELDS), *((name, pa.float64()) for name in METRICS)]
    )
    with closing(store.rows(_query(report))) as rows, pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for some in _batches(rows):
            cells = zip(*some, strict=True)
            arrays = [pa.array(values, each.type) for values, each in zip(cells, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema))


def write_xlsx(store: Store, report: Report, path: Path, lang: str) -> None:
    """Numbers are numbers, texts are texts and never formulas; rows are written as they come."""
    needed("xlsxwriter")
    import xlsxwriter

    quiet = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(path, quiet) as book:
        bold = book.add_format({"bold": True})
        summary = list(summary_rows(report))
        head, whole = summary[0], [row for row in summary[1:] if not row[2]]
        kinds = [row for row in summary[1:] if row[2] and row[2] != "degradation"]
        levels = [row for row in summary[1:] if row[2] == "degradation"]
        sheets: dict[str, Iterable[Sequence[Any]]] = {
            "summary": [head, *whole],
            "languages": [head, *kinds],
            "degradations": [head, *levels],
            "pairs": pair_rows(report),
        }
        for name, rows in sheets.items():
            _sheet(book, say(f"sheet.{name}", lang), rows, bold)
        with closing(store.rows(_query(report))) as found:
            _sheet(book, say("sheet.rows", lang), _shown(found), bold)


def _shown(rows: Iterable[Row]) -> Iterator[Sequence[Any]]:
    heads = columns()
    metrics = [name for name in METRICS if name in heads]
    places = [heads.index(name) for name in (*SHOWN, *metrics)]
    yield [heads[at] for at in places]
    for row in islice(rows, MOST_ROWS):
        yield [row[at] for at in places]


def _sheet(book: Any, name: str, rows: Iterable[Sequence[Any]], bold: Any) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 1)
    writers: dict[type, Callable[..., Any]] = {
        str: lambda at, column, value, look: sheet.write_string(at, column, defuse(value[:MOST_LETTERS]), look),
        int: sheet.write_number,
        float: sheet.write_number,
        bool: sheet.write_boolean,
        datetime: lambda at, column, value, look: sheet.write_string(at, column, value.isoformat(), look),
    }
    for at, row in enumerate(rows):
        look = None if at else bold
        for column, value in enumerate(row):
            if value is not None:
                writers[type(value)](at, column, value, look)


def _query(report: Report) -> RunQuery:
    return RunQuery(benchmark_id=report.benchmark.id, descending=False)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    there = iter(rows)
    while some := list(islice(there, AT_ONCE)):
        yield some
