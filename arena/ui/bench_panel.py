"""Benchmarks of the tab: asked for in a form, watched, stopped and gone on with; their summaries, reports and rows.

Only whoever answers for the arena sees any of it; every handler asks for itself, the looks only say the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context

from arena.bench_jobs import BenchJobs, cells, estimate
from arena.core import Arena
from arena.errors import ArenaError, RunError
from arena.numbers import number
from arena.strings import tr
from arena.ui import bench_form, bench_list, bench_sets, render
from arena.ui.bench_form import Form
from arena.ui.bench_list import Row
from arena.ui.bench_live import live, rough
from arena.ui.bench_summary import difference, summary
from arena.ui.block import block
from arena.ui.i18n import language, on_language, t
from arena.ui.visitor import may_administer
from benchmarks.reports.change import compared, saved
from benchmarks.reports.summary import summarise
from benchmarks.runs.plan import Plan

SHOWN = 30  # newest benchmarks in the list
WATCHED: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}  # may say something: queued
LIGHT: dict[str, Any] = WATCHED | {"queue": False}
Chosen = tuple[str, str]  # whose summary is shown, and the earlier benchmark it is compared with
NOTHING: Chosen = ("", "")
Data = dict[Any, Any]
Update = dict[Any, Any]
DIALOG = "${value ? '<dialog open>' + value + '</dialog>' : ''}"


@dataclass
class BenchPanel:
    """box: what folds. chosen: see `Chosen`, one a session. now: the one under way. kept: the
    list. dialog: the question before one is deleted."""

    arena: Arena
    jobs: BenchJobs
    box: gr.Accordion
    form: Form
    chosen: gr.State
    now: gr.HTML
    kept: gr.HTML
    dialog: gr.HTML
    _summaries: dict[tuple[str, int, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)  # protects _summaries

    def connect(self, tab: Any) -> None:
        form, board = self.form, [self.chosen, self.now, self.kept]
        opening = [self.box, form.dataset, form.models, form.estimate, *board]
        inputs = {self.chosen, *form.counted}
        tab.select(self.opened, inputs, opening, **LIGHT)
        on_language(self.opened, inputs, opening)
        gr.on([each.change for each in form.counted], self.count, set(form.counted), form.estimate, **LIGHT)
        form.own.upload(self.bring, {form.own, *form.counted}, [form.dataset, form.estimate], **WATCHED)
        form.start.click(self.start, {self.chosen, *form.inputs}, board, **WATCHED)
        self.now.write_again(self.news, self.now, self.now, **LIGHT)
        self.now.rows_changed(self.ended, self.chosen, board, **LIGHT)
        for each in (self.now, self.kept):
            each.bench_act(self.act, self.chosen, [*board, self.dialog], **WATCHED)
        self.dialog.confirm_bench(self.forget, self.chosen, [*board, self.dialog], **WATCHED)

    # --- looks

    def opened(self, data: Data, request: gr.Request) -> Update:
        """The panel for whoever may see it, with what there is to choose; for everybody else there is none."""
        form = self.form
        if not may_administer(request, self.arena.settings):
            return {self.box: gr.Accordion(visible=False), form.estimate: "", self.now: "", self.kept: ""}
        lang = language(request)
        sets, models = bench_sets.names(self.arena.settings), bench_form.choices_of_models(self.arena)
        known = {value for _, value in models}
        dataset = data[form.dataset] if data[form.dataset] in sets else next(iter(sets), None)
        picked = [value for value in data[form.models] or () if value in known]
        chosen, now, kept = self.board(data[self.chosen], lang)
        return {
            self.box: gr.Accordion(visible=True, open=True) if self.busy else gr.Accordion(visible=True),
            form.dataset: gr.Dropdown(choices=bench_sets.choices(sets, lang), value=dataset),
            form.models: gr.Dropdown(choices=models, value=picked),
            form.estimate: self._estimate({**data, form.dataset: dataset, form.models: picked}, lang),
            self.chosen: chosen,
            self.now: now,
            self.kept: kept,
        }

    def board(self, chosen: Chosen, lang: str) -> tuple[Chosen, str, str]:
        """What is chosen and still there, the block of the benchmark under way, and the list."""
        rows = self.rows()
        known = {each.kept.id: each for each in rows if each.done}
        one, earlier = (each if each in known else "" for each in chosen)
        shown = ""
        if one:
            shown = self._summary(known[one], lang) + bench_list.below(known[one], rows, earlier, lang)
        if one and earlier:
            shown += difference(compared(saved(self.arena, earlier), saved(self.arena, one)), lang)
        listed = bench_list.listed(rows, lang, busy=self.busy, chosen=one, summary=shown)
        return (one, earlier), live(self.jobs.sight, lang), listed

    def rows(self) -> list[Row]:
        kept = self.arena.benchmarks.newest(SHOWN)
        sizes = self.arena.benchmarks.sizes([each.id for each in kept])
        found = []
        for each in kept:
            plan, (items, done) = Plan.from_dict(each.plan), sizes[each.id]
            found.append(Row(each, len(plan.models), done, cells(plan, items), self.jobs.under_way(each.id)))
        return found

    @property
    def busy(self) -> bool:
        sight = self.jobs.sight
        return sight is not None and not sight.over

    def _summary(self, row: Row, lang: str) -> str:
        """Worked out once for so many rows: it draws samples."""
        key = (row.kept.id, row.done, lang)
        with self._lock:
            if key not in self._summaries:
                if len(self._summaries) >= SHOWN:
                    self._summaries.clear()
                self._summaries[key] = summary(summarise(self.arena, row.kept.id), lang)
            return self._summaries[key]

    # --- what the page asks for

    def news(self, before: str, request: gr.Request) -> Any:
        """The benchmark under way, if anything in it has changed."""
        if not may_administer(request, self.arena.settings):
            return ""
        now = live(self.jobs.sight, language(request))
        return gr.skip() if now == before else now

    def ended(self, chosen: Chosen, request: gr.Request) -> Any:
        """It began, stopped or came to its end: the list says so, and the summary of one that is done opens."""
        if not may_administer(request, self.arena.settings):
            return NOTHING, "", ""
        sight = self.jobs.sight
        return self.board((sight.benchmark_id, "") if sight and sight.phase == "done" else chosen, language(request))

    def count(self, data: Data, request: gr.Request) -> str:
        """How many answers it will take, and about how long."""
        return self._estimate(data, language(request)) if may_administer(request, self.arena.settings) else ""

    def _estimate(self, data: Data, lang: str) -> str:
        try:
            wanted = self.form.wanted(data, lang)
            items = bench_sets.count(wanted.dataset, self.arena.settings)
            items = items if wanted.limit is None else min(items, wanted.limit)
            each = items * wanted.repeat + min(wanted.warmup, items)
            seconds, unknown = estimate(self.arena, wanted.models, wanted.task, each)
        except ArenaError:  # nothing is wrong yet with a form that is being filled in
            return ""
        key = "none" if len(unknown) == len(wanted.models) else "some" if unknown else "all"
        facts = {"time": rough(seconds, lang), "models": ", ".join(unknown)}
        said = tr(f"bench_panel.estimate.{key}", lang, answers=number(each * len(wanted.models), lang), **facts)
        return f'<p lang="{lang}">{render.text(said)}</p>'

    # --- what changes something

    def start(self, data: Data, request: gr.Request) -> Any:
        def begin(lang: str) -> None:
            wanted = self.form.wanted(data, lang)
            if wanted.dataset not in bench_sets.names(self.arena.settings):
                raise RunError("bad_input", key="bench_panel.pick.dataset")
            self.jobs.start(wanted)

        return self._changing(data[self.chosen], request, begin)

    def act(self, chosen: Chosen, event: gr.EventData, request: gr.Request) -> Any:
        """A button of the list or of the benchmark under way."""
        verb, value = str(event._data.get("verb")), str(event._data.get("value"))
        if verb == "ask":
            return (*[gr.skip()] * 3, self._question(value, request))
        acts: dict[str, Callable[[], object]] = {
            "stop": self.jobs.stop,
            "hide": self.jobs.dismiss,
            "resume": lambda: self.jobs.start(value),
        }
        after = {"show": (value, ""), "close": NOTHING, "compare": (chosen[0], value)}.get(verb, chosen)
        return (*self._changing(after, request, lambda lang: acts.get(verb, lambda: None)()), gr.skip())

    def _question(self, benchmark_id: str, request: gr.Request) -> str:
        if self._refused(request):
            return ""
        row = next((each for each in self.rows() if each.kept.id == benchmark_id), None)
        return bench_list.question(row, language(request)) if row and not row.active else ""

    def forget(self, chosen: Chosen, event: gr.EventData, request: gr.Request) -> Any:
        value = str(event._data.get("value"))

        def forget(lang: str) -> None:
            if self.jobs.under_way(value):
                raise RunError("busy", key="bench_panel.ask.busy")
            self.arena.benchmarks.forget(value)
            if (sight := self.jobs.sight) and sight.benchmark_id == value:
                self.jobs.dismiss()
            gr.Info(render.text(tr("bench_panel.ask.done", lang)))

        return (*self._changing(chosen, request, forget), "")

    def bring(self, data: Data, request: gr.Request) -> Update:
        """A set of one's own: kept, and chosen."""
        form, lang = self.form, language(request)
        if self._refused(request) or not data[form.own]:
            return {form.estimate: gr.skip()}
        try:
            name, count = bench_sets.bring([Path(each) for each in data[form.own]], self.arena.settings)
        except ArenaError as error:
            gr.Warning(render.text(error.text(lang)))
            return {form.estimate: gr.skip()}
        gr.Info(render.text(tr("bench_panel.own.done", lang, name=name, count=number(count, lang))))
        return {
            form.dataset: gr.Dropdown(
                choices=bench_sets.choices(bench_sets.names(self.arena.settings), lang), value=name
            ),
            form.estimate: self._estimate({**data, form.dataset: name}, lang),
        }

    def _changing(self, chosen: Chosen, request: gr.Request, change: Callable[[str], object]) -> tuple[Any, Any, Any]:
        """The board after a change; who may not is told so, and what cannot be done is told."""
        if self._refused(request):
            return (gr.skip(),) * 3
        lang = language(request)
        try:
            change(lang)
        except ArenaError as error:
            gr.Warning(render.text(error.text(lang)))
        return self.board(chosen, lang)

    def _refused(self, request: gr.Request) -> bool:
        """Whether this visitor may only look; if so, he is told."""
        if may_administer(request, self.arena.settings):
            return False
        gr.Warning(render.text(tr("bench_panel.remote", language(request))))
        return True


def build(arena: Arena) -> BenchPanel:
    """Lay the panel out inside the current `gr.Tab` and connect it."""
    tab = Context.block
    with gr.Accordion(t("bench_panel.title"), open=False, visible=False, elem_id="benchmark-box") as box:
        gr.HTML(t("bench_panel.intro"), elem_classes="hint", apply_default_css=False)
        with gr.Row(elem_id="benchmark-bench", elem_classes="bench"):
            with gr.Column(elem_classes="bench-setup"), gr.Column(elem_classes="bench-panel"):
                form = bench_form.build(arena)
            with gr.Column(elem_classes="bench-contest"):
                now = block("benchmark-now", "bench")
                kept = block("benchmark-kept", "bench")
    dialog = block("benchmark-ask", "benchmark", DIALOG)
    panel = BenchPanel(arena, BenchJobs(arena), box, form, gr.State(NOTHING), now, kept, dialog)
    panel.connect(tab)
    return panel
