"""What was measured, as HTML: the objective board, a row for each model and way it ran, the best of a column marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena.board import Line
from arena.numbers import number, share
from arena.strings import tr
from arena.ui.figure_names import name_key
from arena.ui.render import text
from arena.units import sized, timed
from benchmarks.metrics import METRICS


@dataclass(frozen=True)
class Column:
    """key: a metric, or its text in ``ratings.column`` and ``ratings.hint``. of: the value. less: whether the smallest
    is the best."""

    key: str
    of: Callable[[Line], float | None]
    said: Callable[[float | None, str], str]
    less: bool = True
    pace: str = ""  # cold or warm, said with the title


def _speed(value: float | None, lang: str) -> str:
    return number(value, lang, 1)


def _paces(pace: str) -> tuple[Column, ...]:
    return (
        Column("first_token_s", lambda line: getattr(line, pace).first_token_s, timed, pace=pace),
        Column("generate_s", lambda line: getattr(line, pace).generate_s, timed, pace=pace),
        Column("tokens_per_s", lambda line: getattr(line, pace).tokens_per_s, _speed, less=False, pace=pace),
    )


COLUMNS = (
    Column("failed", lambda line: line.failed, share),
    Column("flawed", lambda line: line.flawed, share),
    Column("cer", lambda line: line.cer, share),
    Column("wer", lambda line: line.wer, share),
    *_paces("warm"),
    *_paces("cold"),
    Column("load_s", lambda line: line.load_s, timed, pace="cold"),
    Column("vram_mb", lambda line: line.peak_vram_mb, sized),
    Column("ram_mb", lambda line: line.peak_ram_mb, sized),
)
SCORED = 4  # the place after the columns of errors


def _score(name: str) -> Column:
    """The column of a further metric."""
    less = METRICS[name].better == "lower"
    return Column(name, lambda line: line.others.get(name), share, less)


def objective_table(lines: Sequence[Line], lang: str) -> str:
    """One row a model; the best of each column is marked. A column that nobody has a figure for is left out."""
    every = (*COLUMNS[:SCORED], *map(_score, METRICS), *COLUMNS[SCORED:])
    columns = [column for column in every if any(column.of(line) is not None for line in lines)]
    best = {}
    for column in columns:
        known = [value for line in lines if (value := column.of(line)) is not None]
        best[column] = (min if column.less else max)(known) if len(set(known)) > 1 else None
    heads = "".join(_head(column, lang) for column in columns)
    rows = []
    for line in lines:
        cells = "".join(
            f'<td class="{"best" if best[column] is not None and column.of(line) == best[column] else ""}"'
            f' data-label="{text(_title(column, lang))}">{text(column.said(column.of(line), lang))}</td>'
            for column in columns
        )
        runs = f'<td data-label="{text(tr("ratings.column.runs", lang))}">{number(line.runs, lang)}</td>'
        rows.append(f'<tr><th scope="row" class="model">{text(line.label)}</th>{runs}{cells}</tr>')
    title = text(tr("ratings.objective.title", lang))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table class="objective"><thead><tr>'
        f'<th scope="col" class="model">{text(tr("ratings.column.model", lang))}</th>'
        f'<th scope="col">{text(tr("ratings.column.runs", lang))}</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _title(column: Column, lang: str) -> str:
    pace = f", {tr(f'ratings.pace.{column.pace}', lang)}" if column.pace else ""
    return tr(name_key(column.key, "short", "ratings.column"), lang) + pace


def _head(column: Column, lang: str) -> str:
    pace = f"<small>{text(tr(f'ratings.pace.{column.pace}', lang))}</small>" if column.pace else ""
    title = text(tr(name_key(column.key, "short", "ratings.column"), lang))
    hint = text(tr(name_key(column.key, "hint", "ratings.hint"), lang))
    return f'<th scope="col" title="{hint}">{title}{pace}</th>'
