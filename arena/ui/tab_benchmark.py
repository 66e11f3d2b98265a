"""Tab Benchmark: every run so far, drawn, filtered, sorted, opened, exported, deleted; the database does the work."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, get_args

import gradio as gr
from gradio.context import Context

from arena.access import visitor_of, whose
from arena.benchmarks_kept import Benchmark as Kept
from arena.core import Arena
from arena.errors import ArenaError
from arena.numbers import number
from arena.store import RunQuery
from arena.strings import tr
from arena.types import Status
from arena.ui import bench_panel
from arena.ui.block import block
from arena.ui.i18n import language, t, task_title
from arena.ui.link_bar import bar, may_see
from arena.ui.media import sees_picture
from arena.ui.plot import plot
from arena.ui.points import TIMES, UPWARDS, picture
from arena.ui.run_detail import confirmation, detail
from arena.ui.run_table import PAGES, SORTS, Reader, table
from arena.ui.visitor import may_administer

DRAWN = 2000  # newest runs in the plot; more would only hide each other
TO_THE_ROWS = "() => document.querySelector('.filters')?.scrollIntoView({ block: 'start' })"
WATCHED: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
LIGHT: dict[str, Any] = WATCHED | {"queue": False}
TELLING: dict[str, Any] = WATCHED | {"concurrency_limit": None}  # may say something, which only reaches who is queued


@dataclass
class Looked:
    """What a visitor looks at. One object a session, not a copy an event: who answers slowly sees what was pressed
    meanwhile."""

    query: RunQuery = field(default_factory=lambda: RunQuery(limit=PAGES[0]))


class Benchmark:
    """What the tab answers to each event. Plain functions of the database: all of them run in worker threads."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def rows(self, query: RunQuery, asked: float, request: gr.Request) -> str:
        """The table for `query`, moved back to the last page when there are fewer runs than it asks for. asked: when it
        was asked for."""
        lang, query = language(request), self.his(query, request)
        with told(lang):
            page = self.arena.store.page(query)
            if page.total and query.offset >= page.total:
                query = replace(query, offset=(page.total - 1) // query.limit * query.limit)
                page = self.arena.store.page(query)
        return table(page, query, Reader(lang, self.arena.catalog.tasks), asked)

    def pressed(self, looked: Looked, query: RunQuery, request: gr.Request) -> str:
        """The table for what the visitor wants to look at now."""
        looked.query, asked = query, time.time()
        return self.rows(query, asked, request)

    def drawing(self, query: RunQuery, x: str, y: str, request: gr.Request) -> str:
        """The plot of what the query finds; nothing while there are no runs at all."""
        lang, query = language(request), self.his(query, request)
        with told(lang):
            present = self.arena.store.facets(query.visitor)["models"]
            points = self.arena.store.points(query, DRAWN)
        newest = DRAWN if len(points) == DRAWN else None
        return plot(picture(points, present, x, y), lang, newest) if present else ""

    def refresh(self, looked: Looked, x: str, y: str, request: gr.Request) -> tuple[Any, ...]:
        """Everything anew: what to filter by, the table and the plot. Of what is looked at nothing, if the visitor has
        pressed something meanwhile: that answers him."""
        was, asked = looked.query, time.time()
        his = whose(request, self.arena.settings)
        with told(language(request)):
            present = self.arena.store.facets(his)["models"]
            kept = self.arena.benchmarks.newest() if his is None else []
        known = self.arena.catalog.models
        query = replace(was, models=tuple(model for model in was.models if model in present))
        choices = [(known[model].title if model in known else model, model) for model in present]
        models = gr.update(choices=choices, value=list(query.models))
        benches = gr.update(choices=self.benchmarks(kept, language(request)), visible=bool(kept))
        found = self.rows(query, asked, request), self.drawing(query, x, y, request)
        if looked.query is not was:
            return gr.update(choices=choices), benches, gr.skip(), gr.skip()
        return models, benches, *found

    def his(self, query: RunQuery, request: gr.Request) -> RunQuery:
        """The query over the runs that this visitor may see, asked anew every time."""
        return replace(query, visitor=whose(request, self.arena.settings))

    def filter(
        self,
        looked: Looked,
        x: str,
        y: str,
        text: str,
        models: list[str],
        tasks: list[str],
        statuses: list[str],
        benchmark: str | None,
        request: gr.Request,
    ) -> tuple[str, str]:
        query = replace(
            looked.query,
            text=text.strip(),
            models=tuple(models),
            tasks=tuple(tasks),
            statuses=tuple(statuses),
            benchmark_id=str(benchmark or ""),
            offset=0,
        )
        return self.pressed(looked, query, request), self.drawing(query, x, y, request)

    def axis(self, looked: Looked, x: str, y: str, event: gr.EventData, request: gr.Request) -> tuple[str, str, str]:
        """Another quantity across or up."""
        chosen = str(event._data.get("value"))
        if event._data.get("axis") == "x" and chosen in TIMES:
            x = chosen
        elif event._data.get("axis") == "y" and chosen in UPWARDS:
            y = chosen
        return x, y, self.drawing(looked.query, x, y, request)

    def sort(self, looked: Looked, event: gr.EventData, request: gr.Request) -> str:
        """A second click on the same head turns the order; a new head starts with what one looks for first."""
        query, key = looked.query, event._data.get("value")
        if key in SORTS:
            descending = not query.descending if key == query.sort else key == "created_at"
            query = replace(query, sort=key, descending=descending, offset=0)
        return self.pressed(looked, query, request)

    def turn(self, looked: Looked, event: gr.EventData, request: gr.Request) -> str:
        query, offset = looked.query, str(event._data.get("value", ""))
        if offset.isdecimal():
            query = replace(query, offset=int(offset[:12]))
        return self.pressed(looked, query, request)

    def size(self, looked: Looked, event: gr.EventData, request: gr.Request) -> str:
        """Another number of rows on a page; the first row stays in sight."""
        query = looked.query
        size = next((size for size in PAGES if str(size) == event._data.get("value")), query.limit)
        return self.pressed(looked, replace(query, limit=size, offset=query.offset // size * size), request)

    def only(self, models: list[str], event: gr.EventData) -> list[str]:
        """Show one model alone; all of them again when it was alone already."""
        model = str(event._data.get("value", ""))
        return [] if models == [model] else [model]

    def of_benchmark(self, event: gr.EventData, request: gr.Request) -> Any:
        """Show the rows of one benchmark, which may be younger than the choices."""
        his = whose(request, self.arena.settings)
        kept = self.arena.benchmarks.newest() if his is None else []
        value = next((each.id for each in kept if each.id == event._data.get("value")), None)
        return gr.update(choices=self.benchmarks(kept, language(request)), value=value or "")

    def benchmarks(self, kept: list[Kept], lang: str) -> list[tuple[str, str]]:
        """What the table can be narrowed to, after all of it."""
        return [(tr("bench_panel.any", lang), ""), *((each.name or each.dataset, each.id) for each in kept)]

    def open(self, event: gr.EventData, request: gr.Request) -> str:
        lang, his = language(request), whose(request, self.arena.settings)
        with told(lang):
            run = self.arena.store.get(str(event._data.get("value", "")))
            if run is None or not may_see(self.arena, run.comparison_id, his):
                gr.Info(tr("benchmark.gone", lang))
                return ""
            others = [other for other in self.arena.store.comparison(run.comparison_id) if other.run_id != run.run_id]
            sha256 = run.image_sha256 or ""
            shown = self.arena.images.get(sha256) is not None and (
                may_administer(request, self.arena.settings)
                or sees_picture(self.arena, sha256, his or visitor_of(request) or "nobody")
            )
            mine = self.arena.comparisons.visitor(run.comparison_id) == visitor_of(request)
        links = bar(run.comparison_id, lang, shares=self.arena.settings.apart and mine)
        return detail(run, others, Reader(lang, self.arena.catalog.tasks), picture=shown, links=links)

    def ask(self, looked: Looked, event: gr.EventData, request: gr.Request) -> tuple[tuple[RunQuery, int] | None, str]:
        """The question before deleting, and what exactly would be deleted."""
        lang, query = language(request), looked.query
        self.refuse_others(request)
        if event._data.get("value") == "chosen":
            ids = tuple(str(run_id) for run_id in event._data.get("ids", [])[: max(PAGES)])
            if not ids:  # an empty filter would let everything through
                return None, ""
            query = RunQuery(run_ids=ids)
        query = self.his(query, request)
        with told(lang):
            count = self.arena.store.count(query)
        return (query.filters, count), confirmation(count, lang)

    def delete(
        self, looked: Looked, doomed: tuple[RunQuery, int] | None, x: str, y: str, request: gr.Request
    ) -> tuple[Any, ...]:
        """Delete what was asked for; when there are more or fewer by now, ask again with the right number."""
        lang = language(request)
        self.refuse_others(request)
        unchanged = [gr.skip()] * 4
        if doomed is None:
            return None, "", *unchanged
        doomed = self.his(doomed[0], request), doomed[1]
        with told(lang):
            count = self.arena.store.count(doomed[0])
            if count != doomed[1]:
                return (doomed[0], count), confirmation(count, lang, changed=True), *unchanged
            deleted = self.arena.store.delete(doomed[0])
        gr.Info(tr("benchmark.delete.done", lang, count=number(deleted, lang)))
        return None, "", *self.refresh(looked, x, y, request)

    def refuse_others(self, request: gr.Request) -> None:
        """Who answers for the arena deletes what he likes, strangers what is their own, everybody else nothing."""
        if not self.arena.settings.apart and not may_administer(request, self.arena.settings):
            raise gr.Error(tr("benchmark.delete.remote", language(request)), print_exception=False)


@contextlib.contextmanager
def told(lang: str) -> Iterator[None]:
    """Turns an error of ours into the page's message."""
    try:
        yield
    except ArenaError as error:
        raise gr.Error(escape(error.text(lang)), print_exception=False) from error


def build(arena: Arena) -> gr.HTML:
    """Lay the tab out inside the current `gr.Tab` and connect it. Returns the dialog that shows one run."""
    tab, answers = Context.block, Benchmark(arena)
    panel = bench_panel.build(arena)
    looked, doomed = gr.State(Looked()), gr.State(None)
    x, y = gr.State("generate_s"), gr.State("cer")
    with gr.Row(elem_classes="filters"):
        text = gr.Textbox(
            label=t("benchmark.filter.text"), placeholder=t("benchmark.filter.text_hint"), scale=3, min_width=300
        )
        models = gr.Dropdown([], multiselect=True, label=t("benchmark.filter.models"), scale=2, min_width=140)
        kinds = [(task_title(task), task.id) for task in arena.catalog.tasks.values()]
        tasks = gr.Dropdown(kinds, multiselect=True, label=t("benchmark.filter.tasks"), scale=2, min_width=140)
        states = [(t(f"statuses.{status}"), status) for status in get_args(Status)]
        statuses = gr.Dropdown(states, multiselect=True, label=t("benchmark.filter.statuses"), scale=2, min_width=140)
        benchmark = gr.Dropdown(
            [(t("bench_panel.any"), "")],
            value="",
            label=t("bench_panel.filter"),
            scale=2,
            min_width=140,
            visible=False,
            elem_id="runs-of",
        )
    figure = block("runs-plot", "benchmark")
    runs = block("runs-table", "benchmark")
    dialog = block("run-detail", "benchmark", "${value ? '<dialog open>' + value + '</dialog>' : ''}")

    filters, axes = [text, models, tasks, statuses, benchmark], [looked, x, y]
    everything = [models, benchmark, runs, figure]
    for event in (tab.select, runs.write_again, panel.now.rows_changed):
        event(answers.refresh, axes, everything, **LIGHT)
    for changed in filters:
        changed.change(answers.filter, [*axes, *filters], [runs, figure], trigger_mode="always_last", **LIGHT)
    for event in (figure.open_run, runs.open_run, dialog.open_run):
        event(answers.open, None, dialog, **TELLING)
    figure.choose_axis(answers.axis, axes, [x, y, figure], **LIGHT)
    figure.only_model(answers.only, models, models, **LIGHT)
    runs.sort_runs(answers.sort, looked, runs, **LIGHT)
    runs.turn_page(answers.turn, looked, runs, **LIGHT)
    runs.size_page(answers.size, looked, runs, **LIGHT)
    runs.clear_filter(lambda: ("", [], [], [], ""), None, filters, **LIGHT)
    panel.kept.bench_rows(answers.of_benchmark, None, benchmark, **LIGHT).then(None, js=TO_THE_ROWS)
    runs.ask_delete(answers.ask, looked, [doomed, dialog], **LIGHT)
    dialog.confirm_delete(answers.delete, [looked, doomed, x, y], [doomed, dialog, *everything], **TELLING)
    return dialog
