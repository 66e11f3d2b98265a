"""A report into a folder: the formats, each by its name, and what is left out where a package is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arena.core import Arena
from arena.errors import RunError
from benchmarks.reports import files, markdown, page
from benchmarks.reports.change import LOCK
from benchmarks.reports.figures import Report
from benchmarks.reports.needs import missing
from benchmarks.reports.plots import Plot, draw
from benchmarks.reports.summary import summarise
from benchmarks.runs import lock

FORMATS = {
    "html": "report.html",
    "md": "report.md",
    "csv": "rows.csv",
    "parquet": "rows.parquet",
    "xlsx": "report.xlsx",
    "lock": LOCK,
}
NEEDS = {"parquet": "pyarrow", "xlsx": "xlsxwriter"}


@dataclass(frozen=True)
class Written:
    """paths: what was written, the page first. left_out: formats, and ``plots``, by the module they want."""

    paths: tuple[Path, ...]
    left_out: dict[str, str]


def write_report(arena: Arena, benchmark_id: str, folder: Path, lang: str = "en") -> Path:
    """Every format that can be made here, into `folder`. Returns the page. Raises `RunError`."""
    return write(arena, summarise(arena, benchmark_id), folder, lang).paths[0]


def write(arena: Arena, report: Report, folder: Path, lang: str, formats: Sequence[str] = ()) -> Written:
    """formats: names of `FORMATS`; none stands for all that can be made, and the rest is told.

    Raises `RunError`: ``unavailable`` for a format asked for by name whose package is missing, ``storage`` when the
    folder cannot be written, ``bad_input`` for a format there is not.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise RunError("bad_input", key="bench_report.unknown_format", name=unknown[0], known=", ".join(FORMATS))
    left_out = {} if formats else {name: module for name, module in NEEDS.items() if missing(module)}
    wanted = [name for name in formats or FORMATS if name not in left_out]
    plots = None
    if {"html", "md"} & set(wanted):
        if missing("matplotlib"):
            left_out["plots"] = "matplotlib"
        else:
            plots = draw(report, lang)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            _write(arena, report, folder, lang, name, plots)
    except OSError as error:
        raise RunError("storage", key="bench_report.cannot_write", path=str(folder), why=error.strerror) from error
    paths = [folder / FORMATS[name] for name in wanted]
    return Written((*paths, *([folder / "summary.csv"] if "csv" in wanted else [])), left_out)


def _write(arena: Arena, report: Report, folder: Path, lang: str, name: str, plots: list[Plot] | None) -> None:
    path = folder / FORMATS[name]
    if name == "html":
        path.write_text(page.html(report, lang, plots), encoding="utf-8")
    elif name == "md":
        _write_markdown(report, folder, lang, plots)
    elif name == "csv":
        files.write_rows_csv(arena.store, report, path)
        files.write_summary(report, folder / "summary.csv")
    elif name == "parquet":
        files.write_parquet(arena.store, report, path)
    elif name == "lock":
        lock.write(lock.locked(arena, report.benchmark.id), path)
    else:
        files.write_xlsx(arena.store, report, path, lang)


def _write_markdown(report: Report, folder: Path, lang: str, plots: list[Plot] | None) -> None:
    beside = folder / "plots"
    beside.mkdir(exist_ok=True)
    for plot in plots or ():
        (beside / f"{plot.name}.svg").write_text(plot.svg, encoding="utf-8")

    def picture(at: int) -> str:
        content = page.thumbnail(report.examples[at].image)
        if not content:
            return ""
        (beside / f"example-{at + 1}.webp").write_bytes(content)
        return f"plots/example-{at + 1}.webp"

    document = "\n\n".join(markdown.markdown(report, lang, plots, picture))
    (folder / FORMATS["md"]).write_text(document + "\n", encoding="utf-8")
