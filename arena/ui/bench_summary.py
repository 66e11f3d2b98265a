"""What a benchmark came to, and how it differs from an earlier one, as tables of the panel; the report has more."""

from __future__ import annotations

from collections.abc import Sequence

from arena.strings import tr
from arena.ui.render import text
from benchmarks.reports import differing, tables
from benchmarks.reports.change import Comparison
from benchmarks.reports.figures import Report
from benchmarks.reports.tables import Cell


def summary(report: Report, lang: str) -> str:
    """A row a model, or that there is nothing yet."""
    if not report.rows:
        return f'<p class="hint">{_say("list.empty", lang)}</p>'
    found = tables.models(report, lang)
    rows = "".join(_row([_cell(cell) for cell in row], found.words) for row in found.rows)
    label = _say("list.summary", lang, name=report.benchmark.name or report.benchmark.dataset)
    spread = any(cell.small for row in found.rows for cell in row)
    note = f'<p class="hint">{_say("list.interval", lang)}</p>' if spread else ""
    return f"{_table(label, found.heads, rows, found.words)}{note}"


def difference(found: Comparison, lang: str) -> str:
    """Figure by figure on what both asked, then what else is not as it was."""
    heads, *lines = differing.table(found, lang)
    rows = "".join(_row([text(word) for word in line], 2) for line in lines)
    table = _table(_say("list.change", lang, name=found.before), heads, rows, 2) if lines else ""
    verdict = f'<p class="verdict">{text(differing.verdict(found, lang))}</p>'
    others = "".join(f"<p>{text(line.strip())}</p>" for line in differing.others(found, lang))
    return (
        f'<div class="difference"><h4>{_say("list.change", lang, name=found.before)}</h4>{table}{verdict}{others}</div>'
    )


def _table(label: str, heads: Sequence[str], rows: str, words: int) -> str:
    """words: how many columns hold words; the others are figures."""
    said = "".join(
        f'<th scope="col"{" class=figure" if at >= words else ""}>{text(head)}</th>' for at, head in enumerate(heads)
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table><thead><tr>{said}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(cells: Sequence[str], words: int) -> str:
    """cells: as HTML."""
    first, *others = cells
    said = "".join(
        f"<td{' class=figure' if at >= words else ''}>{cell}</td>" for at, cell in enumerate(others, start=1)
    )
    return f'<tr><th scope="row">{first}</th>{said}</tr>'


def _cell(cell: Cell) -> str:
    said = f"<b>{text(cell.said)}</b>" if cell.best else text(cell.said)
    said = f'<span class="failed">{said}</span>' if cell.worse else said
    return f"{said}<small>{text(cell.small)}</small>" if cell.small else said


def _say(key: str, lang: str, **params: object) -> str:
    return text(tr(f"bench_panel.{key}", lang, **params))
