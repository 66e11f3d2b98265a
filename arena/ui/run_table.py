"""One page of runs as an accessible HTML table: sortable heads, a card a run on a phone, every cell escaped.

Written here rather than with a data grid: the database filters, sorts and pages, heads speak the visitor's language,
and what a model answered is never markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from urllib.parse import urlencode

from arena.numbers import UNKNOWN, number, share
from arena.spec import Task, how
from arena.store import RunPage, RunQuery
from arena.strings import strings, tr
from arena.types import Run
from arena.ui.figure_names import name_key
from arena.ui.render import text
from arena.units import sized, timed
from benchmarks.metrics import METRICS

PAGES = (25, 50, 100)
SNIPPET = 160  # characters of an answer shown in its row


@dataclass(frozen=True)
class Reader:
    """Whom a run is written for: the language, and the titles of tasks in all of them."""

    lang: str
    tasks: Mapping[str, Task]

    def task(self, key: str) -> str:
        """The task in words; its id when it is no longer in the catalogue."""
        task = self.tasks.get(key)
        return task.title_for(self.lang) if task else key


@dataclass(frozen=True)
class Column:
    """`key` names a metric or the text ``benchmark.column.<key>``; `sort` is the store's name, "" where it makes no
    sense."""

    key: str
    sort: str
    cell: Callable[[Run, Reader], str]
    figure: bool = True

    def title(self, lang: str) -> str:
        return text(tr(name_key(self.key, "short", "benchmark.column"), lang))

    def hint(self, lang: str) -> str:
        return text(tr(name_key(self.key, "hint", "benchmark.hint"), lang))


def when(run: Run) -> str:
    """The time of a run; the browser turns it into the visitor's own (see assets/blocks.js)."""
    at = run.created_at.astimezone(UTC)
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%Y-%m-%d %H:%M} UTC</time>'


def status(run: Run, lang: str) -> str:
    return f'<span class="chip {run.status}">{text(tr(f"statuses.{run.status}", lang))}</span>'


def variant(run: Run, lang: str) -> str:
    """What tells two runs of one model apart: side, mode, quantization and number format."""
    mode = f"ui.variant.modes.{run.mode}"
    known = tr(mode, lang) if mode in strings(lang) else run.mode
    return f"{run.side} · {how(known, run.quantization, run.dtype)}"


def vram(run: Run) -> float | None:
    """Peak VRAM of the model's own processes, of the whole device where the driver gives no more."""
    own = run.memory.peak_vram_process_mb
    return run.memory.peak_vram_device_mb if own is None else own


def _model(run: Run, reader: Reader) -> str:
    return (
        f'<button type="button" class="open" data-event="open_run" data-value="{text(run.run_id)}">{text(run.title)}'
        f"</button><small>{text(variant(run, reader.lang))}</small>"
    )


def _answer(run: Run, reader: Reader) -> str:
    said = " ".join(run.text.split())
    if not said and run.error_kind:
        return f'<div class="failed">{text(tr(f"errors.{run.error_kind}", reader.lang))}</div>'
    return f"<div>{text(said[:SNIPPET] + ('…' if len(said) > SNIPPET else '')) or UNKNOWN}</div>"


def others(run: Run) -> list[str]:
    """The metrics by which a run was scored besides those that have a column of their own."""
    return [name for name in METRICS if name in run.scores and name not in ("cer", "wer")]


def _scores(run: Run, reader: Reader) -> str:
    said = (
        f"{text(tr(f'metrics.short.{name}', reader.lang))} {share(run.scores[name], reader.lang)}"
        for name in others(run)
    )
    return "<br>".join(said) or UNKNOWN


COLUMNS = (
    Column("created_at", "created_at", lambda run, reader: when(run), figure=False),
    Column("model", "model", _model, figure=False),
    Column("task", "task", lambda run, reader: text(reader.task(run.task)), figure=False),
    Column("status", "status", lambda run, reader: status(run, reader.lang), figure=False),
    Column("text", "", _answer, figure=False),
    Column("total_s", "total_s", lambda run, reader: timed(run.timeline.total_s, reader.lang)),
    Column("generate_s", "generate_s", lambda run, reader: timed(run.timeline.generate_s, reader.lang)),
    Column("ram_mb", "peak_ram_mb", lambda run, reader: sized(run.memory.peak_ram_mb, reader.lang)),
    Column("vram_mb", "peak_vram_process_mb", lambda run, reader: sized(vram(run), reader.lang)),
    Column("cer", "cer", lambda run, reader: share(run.scores.get("cer"), reader.lang)),
    Column("wer", "wer", lambda run, reader: share(run.scores.get("wer"), reader.lang)),
)
SCORES = Column("scores", "", _scores)  # only where a run of the page has one
SORTS = tuple(column.sort for column in COLUMNS if column.sort)


def csv_link(query: RunQuery, delimiter: str) -> str:
    """Address of the CSV of everything the query finds, relative to the page."""
    fields = [("text", query.text), ("sort", query.sort), ("descending", str(int(query.descending)))]
    fields += [("model", model) for model in query.models]
    fields += [("benchmark", query.benchmark_id)]
    fields += [("task", task) for task in query.tasks] + [("status", status) for status in query.statuses]
    return "runs.csv?" + urlencode([*((key, value) for key, value in fields if value), ("delimiter", delimiter)])


def table(page: RunPage, query: RunQuery, reader: Reader, asked: float = 0.0) -> str:
    """The bar with what can be done, the table and the pager. asked: when, in seconds; of two answers the browser shows
    the one that was asked for later, in whatever order they arrive (see assets/blocks.js)."""
    lang = reader.lang
    filtered = bool(query.text or query.models or query.tasks or query.statuses or query.benchmark_id)
    if not page.total:
        why = tr("benchmark.empty.filtered" if filtered else "benchmark.empty.all", lang)
        clear = (
            f'<button type="button" data-event="clear_filter">{text(tr("benchmark.filter.clear", lang))}</button>'
            if filtered
            else ""
        )
        inside = f'<div class="empty"><p>{text(why)}</p>{clear}</div>'
        return f'<section lang="{lang}" data-asked="{asked:.6f}">{inside}</section>'
    columns = (*COLUMNS, SCORES) if any(map(others, page.runs)) else COLUMNS
    heads = "".join(_head(column, query, lang) for column in columns)
    rows = "".join(_row(run, reader, columns) for run in page.runs)
    choose = text(tr("benchmark.choose.page", lang))
    return f"""
<section lang="{lang}" data-asked="{asked:.6f}" data-filtered="{int(filtered)}">
  {_tools(page.total, query, filtered, lang)}
  <div class="scroll"><table role="table" aria-label="{text(tr("benchmark.caption", lang))}">
    <thead role="rowgroup"><tr role="row"><th role="columnheader" class="check">
      <input type="checkbox" class="all" aria-label="{choose}" title="{choose}"></th>{heads}</tr></thead>
    <tbody role="rowgroup">{rows}</tbody>
  </table></div>
  {_pager(page.total, query, lang)}
</section>"""


def _head(column: Column, query: RunQuery, lang: str) -> str:
    title = column.title(lang)
    kind = f"of-{column.key}{' figure' if column.figure else ''}"
    if not column.sort:
        return f'<th role="columnheader" scope="col" class="{kind}">{title}</th>'
    now = "" if column.sort != query.sort else "descending" if query.descending else "ascending"
    mark = {"descending": "↓", "ascending": "↑", "": ""}[now]
    return (
        f'<th role="columnheader" scope="col" class="{kind}" aria-sort="{now or "none"}">'
        f'<button type="button" data-event="sort_runs" data-value="{column.sort}" title="{column.hint(lang)}">{title}'
        f'<i aria-hidden="true">{mark}</i></button></th>'
    )


def _row(run: Run, reader: Reader, columns: Sequence[Column]) -> str:
    lang = reader.lang
    choose = text(tr("benchmark.choose.run", lang, model=run.title))
    cells = []
    for column in columns:
        head = column.key == "model"
        cells.append(
            f'<{"th" if head else "td"} role="{"rowheader" if head else "cell"}"{" scope=row" if head else ""}'
            f' class="of-{column.key}{" figure" if column.figure else ""}"'
            f' data-label="{column.title(lang)}">'
            f"{column.cell(run, reader)}</{'th' if head else 'td'}>"
        )
    return (
        f'<tr role="row" data-run="{text(run.run_id)}"><td role="cell" class="check">'
        f'<input type="checkbox" value="{text(run.run_id)}" aria-label="{choose}"></td>{"".join(cells)}</tr>'
    )


def _tools(total: int, query: RunQuery, filtered: bool, lang: str) -> str:
    options = "".join(
        f'<option value="{column.sort}"{" selected" if column.sort == query.sort else ""}>{column.title(lang)}</option>'
        for column in COLUMNS
        if column.sort
    )
    every = tr("benchmark.delete.found" if filtered else "benchmark.delete.all", lang)
    links = "".join(
        f'<a href="{text(csv_link(query, sign))}" download>{text(tr(f"benchmark.csv.{name}", lang))}</a>'
        for name, sign in (("comma", ","), ("semicolon", ";"))
    )
    return f"""
<div class="tools">
  <strong>{text(tr("benchmark.found" if filtered else "benchmark.runs", lang))} {number(total, lang)}</strong>
  <label class="order">{text(tr("benchmark.order", lang))}
    <select data-change="sort_runs">{options}</select>
    <button type="button" data-event="sort_runs" data-value="{query.sort}" aria-label="{
        text(tr("benchmark.turn", lang))
    }">{"↓" if query.descending else "↑"}</button></label>
  <span class="gap"></span>
  <button type="button" class="danger chosen" data-event="ask_delete" data-value="chosen" hidden>{
        text(tr("benchmark.delete.chosen", lang))
    } <b></b></button>
  <button type="button" class="danger" data-event="ask_delete" data-value="found">{text(every)}</button>
  <details class="menu"><summary>{text(tr("benchmark.csv.title", lang))}</summary><div>{links}</div></details>
</div>"""


def _pager(total: int, query: RunQuery, lang: str) -> str:
    first, last = query.offset + 1, min(query.offset + query.limit, total)
    sizes = "".join(f"<option{' selected' if size == query.limit else ''}>{size}</option>" for size in PAGES)

    def step(name: str, sign: str, offset: int, possible: bool) -> str:
        title = text(tr(f"benchmark.page.{name}", lang))
        return (
            f'<button type="button" data-event="turn_page" data-value="{offset}" aria-label="{title}" title="{title}"'
            f"{'' if possible else ' disabled'}>{sign}</button>"
        )

    counts = {name: number(value, lang) for name, value in (("first", first), ("last", last), ("total", total))}
    place = tr("benchmark.page.place", lang, **counts)
    back, onward = query.offset > 0, last < total
    end = (total - 1) // query.limit * query.limit
    return f"""
<nav class="pager" aria-label="{text(tr("benchmark.page.title", lang))}">
  <label>{text(tr("benchmark.page.size", lang))} <select data-change="size_page">{sizes}</select></label>
  <span class="gap"></span>
  {step("first", "«", 0, back)}{step("previous", "‹", max(0, query.offset - query.limit), back)}
  <span aria-live="polite">{text(place)}</span>
  {step("next", "›", query.offset + query.limit, onward)}{step("last", "»", end, onward)}
</nav>"""
