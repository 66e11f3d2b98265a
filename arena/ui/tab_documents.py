"""Tab Documents: a PDF of many pages or a picture through one model or two, page by page, boxes and texts linked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.context import Context

from arena.access import visitor_of
from arena.compare import Request, Side
from arena.core import Arena
from arena.documents.pages import page_range
from arena.errors import RunError
from arena.params import traits
from arena.strings import tr
from arena.ui import difference, image_panel, question_panel, variant
from arena.ui.contestant import badge, field
from arena.ui.diff import Unit
from arena.ui.difference import How
from arena.ui.document_board import Board, DocumentFrames, DocumentPanel, block
from arena.ui.document_page import VIEWS
from arena.ui.document_reading import Reading
from arena.ui.i18n import language, on_language, t, task_title
from arena.ui.image_panel import Chosen, ImagePanel, name_of
from arena.ui.samples import samples
from arena.ui.variant import Entrant

TASKS = ("ocr", "formatted_ocr", "layout")
FIRST_MODELS = ("rapidocr", "tesseract")
NONE = ""
LIGHT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
Update = dict[Any, Any]


def build(arena: Arena) -> DocumentsTab:
    """Lay the tab out inside the current `gr.Tab` and connect it."""
    last = gr.State(None)
    with gr.Row(elem_id="documents", elem_classes="bench"):
        with gr.Column(elem_classes="bench-setup"):
            with gr.Column(elem_classes="bench-panel"):
                image = image_panel.build(arena, "doc-")
                pages = gr.Textbox(
                    label=t("documents.range.label"),
                    info=t("documents.range.info"),
                    max_length=200,
                    elem_id="doc-range",
                )
            with gr.Column(elem_classes="bench-panel"):
                known = [arena.catalog.tasks[name] for name in TASKS if name in arena.catalog.tasks]
                task = gr.Radio(
                    [(task_title(each), each.id) for each in known],
                    value=known[0].id,
                    label=t("ui.task"),
                    elem_id="doc-task",
                    elem_classes="pills",
                )
                models = [
                    gr.Dropdown(
                        [(first, first)],
                        value=first,
                        label=t(f"ui.model.{letter}"),
                        elem_id=f"doc-model-{letter}",
                        elem_classes="contestant",
                    )
                    for letter, first in zip("ab", FIRST_MODELS, strict=True)
                ]
                needs = gr.HTML(elem_id="doc-needs", apply_default_css=False)
                prompt = gr.Textbox(
                    label=t("ui.prompt"), lines=2, max_lines=8, max_length=100_000, elem_id="doc-prompt"
                )
                spoken = [(t("ui.language.any"), "")]
                spoken += [(t(f"ui.language.{code}"), code) for code in question_panel.document_languages(arena)]
                lang = gr.Dropdown(spoken, value="", label=t("ui.document_language"), elem_id="doc-language")
        with gr.Column(elem_classes="bench-contest"):
            with gr.Row(elem_classes="bench-actions"):
                run = gr.Button(
                    t("documents.run"), variant="primary", elem_id="doc-run", elem_classes="bench-run", size="lg"
                )
                stop = gr.Button(
                    t("ui.stop"), elem_id="doc-stop", elem_classes="bench-stop", size="lg", interactive=False
                )
            far = block("doc-progress")
            view = gr.Radio(
                [(t(f"documents.view.{name}"), name) for name in VIEWS],
                value=VIEWS[0],
                label=t("ui.view.title"),
                elem_id="doc-view",
                elem_classes="pills",
            )
            choice = block("doc-strip")
            shown = block("doc-page")
            with gr.Row(elem_id="doc-how-different", visible=False) as how:
                unit, spaces = difference.choices()
            panes = difference.block("doc-differences")
    board = Board(far, choice, shown, panes, view, unit, spaces, how)
    running = DocumentPanel(arena.visitors, run, stop, last, board)
    tab = DocumentsTab(arena, image, pages, task, models[0], models[1], needs, prompt, lang, running)
    tab.connect()
    return tab


@dataclass(frozen=True)
class DocumentsTab:
    """The parts of the tab and what happens between them; the handlers are its methods."""

    arena: Arena
    image: ImagePanel
    pages: gr.Textbox
    task: gr.Radio
    one: gr.Dropdown
    two: gr.Dropdown
    needs: gr.HTML
    prompt: gr.Textbox
    language: gr.Dropdown
    running: DocumentPanel

    def connect(self) -> None:
        panel, board = self.running, self.running.board
        choice = {self.task, self.one, self.two, self.prompt}
        described = [self.one, self.two, self.needs, self.prompt]
        for widget in (self.task, self.one, self.two):
            widget.input(self.on_choice, choice, described, trigger_mode="always_last", **LIGHT)
        everything = [*described, *self.image.outputs, *board.outputs]
        on_language(self.on_open, {panel.last, self.image.chosen, *choice}, everything)
        for changed in (board.view, board.unit, board.spaces):
            looked = [panel.last, board.view, board.unit, board.spaces]
            changed.change(self.on_view, looked, board.outputs, trigger_mode="always_last", **LIGHT)
        board.strip.select(self.on_page, panel.last, board.outputs, trigger_mode="always_last", **LIGHT)
        # In the browser, before the new document is shown: an answer of the server could wipe what was typed since.
        for another in (self.image.file.upload, self.image.samples.select):
            another(None, None, self.pages, js="() => ''", show_progress="hidden", api_visibility="private")
        inputs = {self.image.chosen, self.pages, self.language, board.view, board.unit, board.spaces, *choice}
        watched: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        started = panel.run.click(
            self.on_run,
            inputs,
            panel.outputs,
            concurrency_limit=self.arena.settings.queue_size,
            concurrency_id="device",
            **watched,
        )
        panel.stop.click(panel.on_stop, None, panel.outputs, cancels=[started], concurrency_limit=None, **watched)
        Context.root_block.unload(panel.on_leave)

    async def on_run(self, data: Update, request: gr.Request) -> AsyncIterator[Update]:
        wanted = partial(self.order, data, language(request), visitor_of(request))
        async with aclosing(self.running.ran(wanted, request)) as updates:
            async for update in updates:
                yield update

    def on_choice(self, data: Update, request: gr.Request) -> Update:
        return self.describe(data, language(request))

    def on_open(self, data: Update, request: gr.Request) -> Update:
        """Everything the server has written, when the page opens and in another language after a switch."""
        lang, board = language(request), self.running.board
        updates = self.image.open(data[self.image.chosen], lang) | self.describe(data, lang)
        reading: Reading | None = data[self.running.last]
        if reading is None:
            return updates | board.nothing(lang)
        reading.lang = lang
        return updates | self.look(reading)

    def on_view(self, reading: Reading | None, view: str, unit: Unit, spaces: bool) -> Update:
        board = self.running.board
        if reading is None:
            return {board.far: gr.skip()}
        reading.view, reading.how = view, How(unit, spaces)
        return self.look(reading)

    def on_page(self, reading: Reading | None, event: gr.EventData) -> Update:
        """Another page is looked at; it stays so while others are read."""
        number = str(event._data.get("page", ""))
        if reading is None or not number.isdecimal() or int(number) not in reading.pages:
            return {self.running.board.far: gr.skip()}
        reading.page = int(number)
        return self.look(reading)

    def look(self, reading: Reading) -> Update:
        board = self.running.board
        return DocumentFrames(board, reading).next() | {board.how: gr.Row(visible=reading.view == "diff")}

    def describe(self, data: Update, lang: str) -> Update:
        """What follows from the chosen task and models: the lists, what they need, the prompt."""
        task = data[self.task]
        entrants = field(self.arena, task)
        names, chosen = list(entrants), []
        updates: Update = {}
        choices = [(f"{'●' if each.status.ready else '○'} {each.spec.title}", name) for name, each in entrants.items()]
        for at, widget in enumerate((self.one, self.two)):
            name = data[widget]
            if name not in entrants and (at == 0 or name != NONE):
                name = names[at % len(names)]
            offered = choices if at == 0 else [(tr("documents.no_second", lang), NONE), *choices]
            updates[widget] = gr.Dropdown(choices=offered, value=name)
            if name:
                chosen.append(entrants[name])
        updates[self.needs] = "".join(badge(each.spec, each.status, lang) for each in chosen if not each.status.ready)
        reads = any(traits(each.spec).prompted for each in chosen)
        wanted = question_panel.prompt_after(self.arena, task, data[self.prompt], lang, "")
        value = {} if wanted == data[self.prompt] else {"value": wanted}
        updates[self.prompt] = gr.Textbox(visible=reads, **value)
        return updates

    def order(self, data: Update, lang: str, visitor: str) -> Reading:
        """The reading that the visitor's widgets ask for. Raises `RunError` saying what is missing or wrong."""
        chosen: Chosen = data[self.image.chosen]
        if chosen.image is None or not data[self.one]:
            raise RunError("bad_input", key="ui.missing.models" if chosen.image else "ui.missing.image")
        source = chosen.source or samples()[chosen.sample].path
        numbers = page_range(data[self.pages] or "", chosen.pages)
        names = [name for name in (data[self.one], data[self.two]) if name]
        entrants: list[Entrant] = [variant.usual(self.arena, self.arena.catalog.find(name)) for name in names]
        request = Request(
            sides=tuple(Side(each.spec) for each in entrants),
            image=None,
            task=self.arena.catalog.task(data[self.task]),
            prompt=data[self.prompt] or "",
            language=data[self.language] or "",
            visitor=visitor,
        )
        try:
            whole = source.read_bytes()
        except OSError as error:
            raise RunError("bad_input", key="images.no_file", name=source.name) from error
        reading = Reading(
            self.arena, request, lang, whole, name_of(chosen, lang), numbers, data[self.running.board.view]
        )
        board = self.running.board
        reading.how = How(data[board.unit], data[board.spaces])
        return reading
