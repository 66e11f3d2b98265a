"""A report as Markdown with its plots and pictures as files beside it: for a repository or a paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from arena.markup import plain, text
from arena.strings import tr
from benchmarks.reports import tables, wording
from benchmarks.reports.figures import Report
from benchmarks.reports.findings import facts, findings, methods, setups
from benchmarks.reports.needs import COMMAND
from benchmarks.reports.page import cut
from benchmarks.reports.plots import Plot
from benchmarks.reports.tables import Table
from benchmarks.reports.wording import say

# What Markdown, the HTML inside it, or a table of GitHub's would take for its own.
MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:@])")


def markdown(report: Report, lang: str, plots: Sequence[Plot] | None, picture: Callable[[int], str]) -> Iterator[str]:
    """The document, block by block. picture: the address of an example's picture by its place, "" for none."""
    drawn = plots or ()
    yield f"# {escaped(report.benchmark.name or report.benchmark.dataset or say('untitled', lang))}"
    yield "\n".join(f"- {escaped(name)}: {escaped(value)}" for name, value in facts(report, lang))
    yield "\n\n".join(escaped(each) for each in findings(report, lang))
    if not report.models:
        return
    if plots is None:
        yield escaped(say("plot.left_out", lang, command=COMMAND))
    yield from _table(tables.models(report, lang))
    yield from _plots(drawn, ("quality_",))
    if report.metrics:
        yield from _table(tables.scores(report, lang))
        yield from _plots(drawn, ("scores",))
    yield from _table(tables.times(report, lang), say("note.times", lang))
    yield from _plots(drawn, ("latency",))
    yield from _table(tables.failures(report, lang), say("note.failures", lang))
    if report.pairs:
        yield from _table(tables.pairs(report, lang), say("note.pairs", lang))
    groups = list(dict.fromkeys(each.group for each in report.slices))
    if groups:
        yield from _heading(
            say("part.slices", lang),
            say("note.slices", lang, metric=wording.metric_short(report.metrics[0], lang)),
        )
        yield from _plots(drawn, ("by_", "degradation_"))
        for table in tables.slices(report, lang, groups):
            yield from _table(table, level=3)
        if report.slice_pairs:
            yield from _table(tables.slice_pairs(report, lang, groups), level=3)
    if report.examples:
        yield from _examples(report, lang, picture)
    yield from _heading(say("part.method", lang), *methods(lang))
    yield from _heading(say("part.setup", lang))
    for title, rows in setups(report, lang):
        yield f"**{escaped(title)}**"
        yield "\n".join(f"- {escaped(name)}: {' · '.join(map(escaped, values))}" for name, *values in rows)


def escaped(value: str) -> str:
    """Text that Markdown shows as it is, on one line.

    >>> escaped("<b> *x* | a_b")
    '&lt;b&gt; \\\\*x\\\\* \\\\| a\\\\_b'
    """
    return MARKS.sub(r"\\\1", text(" ".join(value.split()))).replace("\\-", "-").replace("\\.", ".").replace("\\:", ":")


def fenced(value: str) -> str:
    """Text of any kind in a block that nothing in it can end.

    >>> fenced("a\\n```\\nb").splitlines()[0]
    '````text'
    """
    longest = max((len(run) for run in re.findall(r"`+", value)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{plain(value)}\n{fence}"


def _heading(title: str, *notes: str, level: int = 2) -> Iterator[str]:
    yield f"{'#' * level} {escaped(title)}"
    yield from (escaped(note) for note in notes)


def _table(table: Table, *notes: str, level: int = 2) -> Iterator[str]:
    yield from _heading(table.name, level=level)
    lines = ["| " + " | ".join(map(escaped, table.heads)) + " |"]
    lines.append("|" + "|".join("---" if at < table.words else "--:" for at in range(len(table.heads))) + "|")
    for row in table.rows:
        cells = (f"**{escaped(cell.said)}**" if cell.best else escaped(cell.said) for cell in row)
        small = (f" {escaped(cell.small)}" if cell.small else "" for cell in row)
        lines.append("| " + " | ".join(a + b for a, b in zip(cells, small, strict=True)) + " |")
    yield "\n".join(lines)
    yield from (escaped(note) for note in notes)


def _plots(plots: Sequence[Plot], names: tuple[str, ...]) -> Iterator[str]:
    for plot in plots:
        if plot.name.startswith(names):
            yield f"![{escaped(plot.caption)}](plots/{plot.name}.svg)"
            yield f"*{escaped(plot.caption)}*"


def _examples(report: Report, lang: str, picture: Callable[[int], str]) -> Iterator[str]:
    yield from _heading(say("part.examples", lang))
    for at, each in enumerate(report.examples):
        facts_ = [wording.score(report.metrics[0], each.score, lang), each.item]
        facts_ += [tr(f"statuses.{each.status}", lang)] if each.status != "ok" else []
        yield from _heading(f"{report.title(each.model)}: {', '.join(facts_)}", level=3)
        if address := picture(at):
            yield f"![{escaped(each.item)}]({address})"
        yield escaped(say("column.reference", lang)) + ":"
        yield fenced(cut(each.reference) or say("none_right", lang))
        yield escaped(say("column.answer", lang)) + ":"
        yield fenced(cut(each.text) or say("no_text", lang))
