"""Tab Compare: one image, two models, one button; both answers as they come, side by side with what each cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.compare import Request, Side
from arena.core import Arena
from arena.errors import RunError
from arena.params import place_pages, traits
from arena.strings import LANGUAGES
from arena.ui import contestant, image_panel, param_fields, question_panel, results
from arena.ui.contestant import Contestant, Entrant, field, given_params
from arena.ui.i18n import language, on_language, t
from arena.ui.image_panel import Chosen, ImagePanel, name_of
from arena.ui.live import Live, Visitors
from arena.ui.question_panel import QuestionPanel
from arena.ui.run_panel import RunPanel
from arena.ui.samples import samples

FIRST_MODELS = ("rapidocr", "tesseract")
Update = dict[Any, Any]


def build(arena: Arena) -> CompareTab:
    """Lay the tab out inside the current `gr.Tab` and connect it."""
    last = gr.State(None)
    fields = param_fields.fields(arena)
    with gr.Row(elem_id="workbench"):
        with gr.Column(elem_id="setup"):
            with gr.Column(elem_id="image"):
                image = image_panel.build(arena)
            with gr.Column(elem_id="question"):
                asked = question_panel.build(arena)
        with gr.Column(elem_id="contest"):
            with gr.Row(elem_id="sides"):
                with gr.Column(elem_id="side-a", elem_classes="side a"):
                    one = contestant.build("A", FIRST_MODELS[0], fields)
                swap = gr.Button(t("ui.model.swap"), elem_id="swap")
                with gr.Column(elem_id="side-b", elem_classes="side b"):
                    two = contestant.build("B", FIRST_MODELS[1], fields)
            with gr.Row(elem_id="actions"):
                run = gr.Button(t("ui.run"), variant="primary", elem_id="run", size="lg")
                stop = gr.Button(t("ui.stop"), elem_id="stop", size="lg", interactive=False)
            board = results.build(image.picture)
    running = RunPanel(Visitors(), run, stop, swap, last, board)
    tab = CompareTab(arena, image, asked, one, two, running)
    tab.connect()
    return tab


@dataclass(frozen=True)
class CompareTab:
    """The parts of the tab and what happens between them; the handlers are its methods."""

    arena: Arena
    image: ImagePanel
    asked: QuestionPanel
    one: Contestant
    two: Contestant
    running: RunPanel

    @property
    def choice(self) -> list[Any]:
        """What decides which models can be chosen and how."""
        return [self.image.chosen, self.asked.task, self.one.model, self.two.model, self.asked.prompt]

    @property
    def described(self) -> list[Any]:
        """What follows from the choice."""
        return [*self.one.outputs, *self.two.outputs, self.asked.prompt]

    def connect(self) -> None:
        image, asked, one, two, swap = self.image, self.asked, self.one, self.two, self.running.locked
        light: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
        choice, described = self.choice, self.described
        for widget in (asked.task, one.model, two.model):
            widget.input(self.on_choice, choice, described, **light)
        swapped = [one.model, two.model, *one.params.values(), *two.params.values()]
        swap.click(swap_halves, swapped, swapped, **light).then(self.on_choice, choice, described, **light)
        known = [asked.reference, asked.language]
        for change in image.changes:
            change.then(self.on_picture, [*choice, *known], [*described, *known], **light)
        everything = [*described, *known, *image.outputs, *self.running.board.outputs]
        on_language(self.on_open, [self.running.last, *choice], list(dict.fromkeys(everything)))
        inputs = {image.chosen, *one.inputs, *two.inputs, asked.task, asked.prompt, *known}
        self.running.connect(self.order, inputs, self.arena.settings.queue_size)

    def on_choice(
        self, now: Chosen, task: str, a: str | None, b: str | None, prompt: str, request: gr.Request
    ) -> Update:
        """Another task or model was chosen."""
        return self.describe(now, task, (a, b), prompt, language(request))

    def on_use(
        self,
        now: Chosen,
        task: str,
        a: str | None,
        b: str | None,
        prompt: str,
        event: gr.EventData,
        request: gr.Request,
    ) -> Update:
        """A model was put on a side from elsewhere, with a task that it can do."""
        spec = self.arena.catalog.models.get(str(event._data.get("value")))
        if spec is None:
            return {self.asked.task: gr.skip()}
        offered = [name for name in spec.tasks if name in self.arena.catalog.tasks]
        task = task if task in offered else offered[0]
        models = (a, spec.id) if event._data.get("side") == "b" else (spec.id, b)
        return {self.asked.task: task} | self.describe(now, task, models, prompt, language(request))

    def on_picture(
        self,
        now: Chosen,
        task: str,
        a: str | None,
        b: str | None,
        prompt: str,
        reference: str,
        spoken: str,
        request: gr.Request,
    ) -> Update:
        """Another picture was chosen, perhaps while a comparison still runs; its boxes are for the other one."""
        live = self.running.visitors.running(str(request.session_hash))
        if live:
            live.pictured = now.image == live.request.image
        return self.describe(now, task, (a, b), prompt, language(request)) | self.fill(now, reference, spoken)

    def on_open(
        self, live: Live | None, now: Chosen, task: str, a: str | None, b: str | None, prompt: str, request: gr.Request
    ) -> Update:
        """Everything the server has written, when the page opens and in another language after a switch."""
        lang, board = language(request), self.running.board
        updates = self.image.open(now, lang)
        shown: Chosen = updates[self.image.chosen]
        updates |= self.describe(shown, task, (a, b), prompt, lang)
        if now.image is None:
            updates |= self.fill(shown, "", "")
        if live is None:
            return updates | results.nothing(board, lang)
        live.lang, live.pictured = lang, now.image == live.request.image
        return updates | results.Frames(board, live).next()

    def describe(self, now: Chosen, task: str, models: tuple[str | None, str | None], prompt: str, lang: str) -> Update:
        """What follows from the chosen task and models: lists, badges, parameters, the prompt."""
        entrants = field(self.arena, task)
        names = [name if name in entrants else instead(entrants, at) for at, name in enumerate(models)]
        updates: Update = {}
        for side, name in zip((self.one, self.two), names, strict=True):
            updates |= contestant.update(side, entrants, name, lang)
            if name and entrants[name].status.ready:
                self.arena.slots.preload(entrants[name].spec)
        reads = any(traits(entrants[name].spec).prompted for name in names if name)
        wanted = question_panel.prompt_after(self.arena, task, prompt, lang, now.sample)
        # Written only when it changes: the visitor may have begun to write his own while this was under way.
        value = {} if wanted == prompt else {"value": wanted}
        info = None if reads else t("ui.prompt_ignored")
        return updates | {self.asked.prompt: gr.Textbox(interactive=reads, info=info, **value)}

    def fill(self, now: Chosen, reference: str, spoken: str) -> Update:
        """The right answer and the language of the document once another picture is chosen.

        A sample brings its own; with a picture of the visitor's the answer of a sample would be a wrong one.
        """
        sample = samples().get(now.sample)
        if sample:
            reference, spoken = sample.reference, sample.language
        elif (reference or "").strip() in {each.reference for each in samples().values()}:
            reference, spoken = "", ""
        return {self.asked.reference: reference, self.asked.language: spoken}

    def order(self, data: Update, lang: str) -> Live:
        """The comparison that the widgets ask for. Raises `RunError` saying what is missing or wrong."""
        chosen: Chosen = data[self.image.chosen]
        if chosen.image is None:
            raise RunError("bad_input", key="ui.missing.image")
        sides = []
        for side in (self.one, self.two):
            if not data[side.model]:
                raise RunError("bad_input", key="ui.missing.models")
            spec = self.arena.catalog.find(data[side.model])
            params = given_params(side, spec, data, lang)
            place_pages(params, self.arena.images, chosen.image, chosen.source)
            sides.append(Side(spec, params))
        request = Request(
            sides=tuple(sides),
            image=chosen.image,
            task=self.arena.catalog.task(data[self.asked.task]),
            prompt=data[self.asked.prompt] or "",
            language=data[self.asked.language] or "",
            reference=(data[self.asked.reference] or "").strip() or None,
        )
        return Live(self.arena, request, lang, {code: name_of(chosen, code) for code in LANGUAGES})


def instead(entrants: Mapping[str, Entrant], side: int) -> str | None:
    """The model for a side whose own cannot do the task: ready ones first, another one for each side."""
    names = list(entrants)
    return names[side % len(names)] if names else None


def swap_halves(*values: Any) -> list[Any]:
    """A's and B's values in each other's places: two models, then the parameters of A and those of B."""
    a, b, *params = values
    half = len(params) // 2
    return [b, a, *params[half:], *params[:half]]
