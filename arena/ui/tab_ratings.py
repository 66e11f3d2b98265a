"""Tab Ratings: what people preferred, live, and beside it, never mixed with it, what was measured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import gradio as gr
from gradio.context import Context

from arena import board
from arena.core import Arena
from arena.rating import Standings, Tally, rate, stored
from arena.ui.block import block
from arena.ui.i18n import language, t, task_title
from arena.ui.question_panel import document_languages
from arena.ui.rating_page import objective, plots, preferred
from arena.ui.tab_benchmark import told
from benchmarks.metrics import METRICS

LIGHT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
KEPT = 50  # answers, for as many choices of task and language
Found = TypeVar("Found")


@dataclass
class Kept(Generic[Found]):
    """Answers that hold while their stamp does: a class that watches one board has it worked out once a vote."""

    stamp: Callable[[], Hashable]
    make: Callable[[str, str], Found]
    _answers: dict[tuple[str, str], tuple[Hashable, Found]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, task: str, language: str) -> tuple[Hashable, Found]:
        """The stamp and the answer."""
        with self._lock:
            now = self.stamp()
            known = self._answers.get((task, language))
            if known is None or known[0] != now:
                if len(self._answers) >= KEPT:
                    self._answers.clear()
                known = self._answers[task, language] = (now, self.make(task, language))
            return known


class Ratings:
    """What the tab answers to each event. All of them run in worker threads."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        store = arena.store

        def standings(task: str, language: str) -> tuple[Standings, int]:
            return rate(Tally.of_cells(stored.cells(store, task, language))), stored.automatic(store, task, language)

        self._votes = Kept(lambda: stored.stamp(store), standings)
        self._runs = Kept(lambda: board.stamp(store), lambda task, language: board.board(store, task, language))

    def voted(self, task: str, spoken: str, request: gr.Request) -> tuple[Hashable, str]:
        """The standings, and by what to know later whether they are still true."""
        lang = language(request)
        with told(lang):
            stamp, (standings, automatic) = self._votes.of(task, spoken)
        chosen = bool(task or spoken)
        return (stamp, task, spoken, lang), preferred(standings, automatic, self._title, lang, chosen)

    def news(self, task: str, spoken: str, seen: Hashable, request: gr.Request) -> tuple[Any, Any]:
        """As `voted`, or nothing when it would be the same."""
        now, html = self.voted(task, spoken, request)
        return (gr.skip(), gr.skip()) if now == seen else (now, html)

    def measured(self, task: str, spoken: str, quality: str, request: gr.Request) -> tuple[str, str]:
        """The objective board and its plots, of the metric `quality` where it is known."""
        lang = language(request)
        with told(lang):
            _, lines = self._runs.of(task, spoken)
        return objective(lines, lang, bool(task or spoken)), plots(lines, lang, quality)

    def drawn(self, task: str, spoken: str, quality: str, event: gr.EventData, request: gr.Request) -> tuple[str, str]:
        """Another metric in the plots."""
        chosen = str(event._data.get("value"))
        quality = chosen if chosen in METRICS else quality
        return quality, self.measured(task, spoken, quality, request)[1]

    def _title(self, model: str) -> str:
        """A model's title; its id when it is no longer in the catalogue."""
        spec = self._arena.catalog.models.get(model)
        return spec.title if spec else model


def build(arena: Arena) -> None:
    """Lay the tab out inside the current `gr.Tab` and connect it."""
    tab, answers = Context.block, Ratings(arena)
    seen, quality = gr.State(None), gr.State("")
    with gr.Row(elem_classes="filters"):
        kinds = [(task_title(task), task.id) for task in arena.catalog.tasks.values()]
        task = gr.Dropdown([(t("ratings.all_tasks"), ""), *kinds], value="", label=t("ui.task"), elem_id="ratings-task")
        codes = [(t(f"ui.language.{code}"), code) for code in document_languages(arena)]
        spoken = gr.Dropdown(
            [(t("ratings.all_languages"), ""), *codes],
            value="",
            label=t("ui.document_language"),
            elem_id="ratings-language",
        )
    people = block("ratings-people", "ratings")
    measured = block("ratings-measured", "ratings")
    figures = block("ratings-plots", "benchmark")

    filters = [task, spoken]
    for event in (tab.select, task.change, spoken.change):
        event(answers.voted, filters, [seen, people], trigger_mode="always_last", **LIGHT)
        event(answers.measured, [*filters, quality], [measured, figures], trigger_mode="always_last", **LIGHT)
    people.write_again(answers.news, [*filters, seen], [seen, people], **LIGHT)
    measured.write_again(answers.measured, [*filters, quality], [measured, figures], **LIGHT)
    figures.choose_axis(answers.drawn, [*filters, quality], [quality, figures], **LIGHT)
    for shown in (people, measured):
        shown.clear_filter(lambda: ("", ""), None, filters, **LIGHT)
