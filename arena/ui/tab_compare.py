"""Tab Compare: one image, two models, one button; both answers as they come, side by side with what each cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena import advice
from arena.compare import Request, Side
from arena.core import Arena
from arena.errors import RunError
from arena.params import place_pages, traits
from arena.strings import LANGUAGES
from arena.ui import (
    contestant,
    image_panel,
    link_again,
    link_bar,
    opening,
    param_fields,
    question_panel,
    results,
    variant,
)
from arena.ui.contestant import Contestant, field, given_params
from arena.ui.i18n import language, on_language, t
from arena.ui.image_panel import Chosen, ImagePanel, name_of
from arena.ui.live import Live
from arena.ui.question_panel import QuestionPanel
from arena.ui.run_panel import RunPanel
from arena.ui.samples import samples
from arena.ui.variant import Entrant

Update = dict[Any, Any]


def build(arena: Arena) -> CompareTab:
    """Lay the tab out inside the current `gr.Tab` and connect it."""
    last = gr.State(None)
    first, second = models = opening.first_models(arena)
    fields = param_fields.fields(arena)
    with gr.Row(elem_id="workbench"):
        with gr.Column(elem_id="setup"):
            with gr.Column(elem_id="image"):
                image = image_panel.build(arena, first=opening.first_sample(models))
            with gr.Column(elem_id="question"):
                asked = question_panel.build(arena)
        with gr.Column(elem_id="contest"):
            with gr.Row(elem_id="sides"):
                with gr.Column(elem_id="side-a", elem_classes="side a"):
                    one = contestant.build("A", first, fields)
                swap = gr.Button(t("ui.model.swap"), elem_id="swap")
                with gr.Column(elem_id="side-b", elem_classes="side b"):
                    two = contestant.build("B", second, fields)
            anyway = gr.Checkbox(label=t("ui.anyway.label"), info=t("ui.anyway.info"), visible=False, elem_id="anyway")
            with gr.Row(elem_id="actions"):
                run = gr.Button(t("ui.run"), variant="primary", elem_id="run", size="lg")
                stop = gr.Button(t("ui.stop"), elem_id="stop", size="lg", interactive=False)
            board = results.build(image.picture)
    running = RunPanel(arena.visitors, run, stop, swap, last, board)
    tab = CompareTab(arena, image, asked, one, two, anyway, running, gr.State(""))
    tab.connect()
    return tab


@dataclass(frozen=True)
class CompareTab:
    """The parts of the tab and what happens between them; the handlers are its methods.

    again: a `gr.State` with what is to be run again.
    """

    arena: Arena
    image: ImagePanel
    asked: QuestionPanel
    one: Contestant
    two: Contestant
    anyway: gr.Checkbox
    running: RunPanel
    again: gr.State

    @property
    def choice(self) -> set[Any]:
        """What decides which models can be chosen and how."""
        sides = self.one.variant.inputs | self.two.variant.inputs | {self.one.model, self.two.model}
        return {self.image.chosen, self.asked.task, self.asked.prompt, self.anyway, *sides}

    @property
    def described(self) -> list[Any]:
        """What follows from the choice."""
        return [*self.one.outputs, *self.two.outputs, self.asked.prompt, self.anyway]

    def connect(self) -> None:
        image, asked, one, two, swap = self.image, self.asked, self.one, self.two, self.running.locked
        light: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
        choice, described = self.choice, self.described
        for widget in (asked.task, one.model, two.model, *one.variant.choices, *two.variant.choices):
            # The last choice counts, however quick the hand: one made while another is answered must not be lost.
            widget.input(self.on_choice, choice, described, trigger_mode="always_last", **light)
        swap.click(self.on_swap, choice | one.inputs | two.inputs, described, **light)
        known = [asked.reference, asked.language]
        for change in image.changes:
            change.then(self.on_picture, {*choice, *known}, [*described, *known], **light)
        everything = [*described, *known, *image.outputs, *self.running.board.outputs]
        on_language(self.on_open, {self.running.last, *choice}, list(dict.fromkeys(everything)))
        inputs = {image.chosen, *one.inputs, *two.inputs, asked.task, asked.prompt, self.anyway, *known, self.again}
        repeated = (self.again.change, self.order_again)
        self.running.connect(self.order, inputs, self.arena.settings.queue_size, also=[repeated])
        self.run_again(self.running.board.links.run_again)
        self.running.board.differences.connect(self.running.last, self.running.board.said)

    def run_again(self, pressed: Callable[..., Any]) -> Any:
        """Have an event whose value is the id of a comparison run that once more, everything set as it was."""
        known = [self.asked.task, self.asked.reference, self.asked.language]
        outputs = list(dict.fromkeys([self.again, *self.described, *known, *self.image.outputs]))
        # Through the queue: only what comes that way sets off the change of a state.
        return pressed(self.on_again, self.choice, outputs, show_progress="hidden", api_visibility="private")

    def on_again(self, data: Update, event: gr.EventData, request: gr.Request) -> Update:
        """Everything as it was; what cannot be run again says so when it is to run."""
        lang, sides = language(request), (self.one, self.two)
        wish = link_again.wish(self.arena, event, request)
        try:
            wanted = link_again.wanted(self.arena, wish)
        except RunError:
            return {self.again: wish}
        chosen = Chosen(wanted.image)
        found = self.describe(
            data | {self.image.chosen: chosen} | link_again.choice(wanted, self.asked, sides), lang, data
        )
        return found | link_again.rest(wanted, self.image, self.asked, sides, found, lang) | {self.again: wish}

    def order_again(self, data: Update, lang: str, visitor: str) -> Live:
        return link_again.order(self.arena, data[self.again], lang, visitor)

    def on_choice(self, data: Update, request: gr.Request) -> Update:
        """Another task or model was chosen, or another way to run it."""
        return self.describe(data, language(request))

    def on_swap(self, data: Update, request: gr.Request) -> Update:
        """A's and B's values in each other's places."""
        pairs = zip((self.one.model, *self.one.settings), (self.two.model, *self.two.settings), strict=True)
        turned = {new: data[old] for a, b in pairs for new, old in ((a, b), (b, a))}
        found = self.describe(data | turned, language(request), data)
        params = (*self.one.params.values(), *self.two.params.values())
        return found | {each: {**found[each], "value": turned[each]} for each in params}

    def on_use(self, data: Update, event: gr.EventData, request: gr.Request) -> Update:
        """A model was put on a side from elsewhere, with a task that it can do."""
        spec = self.arena.catalog.models.get(str(event._data.get("value")))
        if spec is None:
            return {self.asked.task: gr.skip()}
        task, offered = data[self.asked.task], [name for name in spec.tasks if name in self.arena.catalog.tasks]
        task = task if task in offered else offered[0]
        side = self.two if event._data.get("side") == "b" else self.one
        wanted = {self.asked.task: task, side.model: spec.id}
        return {self.asked.task: task} | self.describe(data | wanted, language(request), data)

    def on_picture(self, data: Update, request: gr.Request) -> Update:
        """Another picture was chosen, perhaps while a comparison still runs; its boxes are for the other one."""
        now: Chosen = data[self.image.chosen]
        live = self.running.here(request)
        if live:
            live.pictured = now.image == live.request.image
        filled = self.fill(now, data[self.asked.reference], data[self.asked.language])
        return self.describe(data, language(request)) | filled

    def on_open(self, data: Update, request: gr.Request) -> Update:
        """Everything the server has written, when the page opens and in another language after a switch."""
        lang, board = language(request), self.running.board
        live: Live | None = data[self.running.last]
        now: Chosen = data[self.image.chosen]
        updates = self.image.open(now, lang)
        shown: Chosen = updates[self.image.chosen]
        updates |= self.describe(data | {self.image.chosen: shown}, lang)
        if now.image is None:
            updates |= self.fill(shown, "", "")
        if live is None:
            return updates | results.nothing(board, lang) | {board.links: link_bar.offered(self.arena, request, lang)}
        live.lang, live.pictured = lang, now.image == live.request.image
        return updates | results.Frames(board, live).next()

    def describe(self, data: Update, lang: str, said: Update | None = None) -> Update:
        """What follows from the chosen task, models and ways to run them: lists, badges, parameters, the prompt.

        said: what the browser says, where `data` differs from that."""
        task, prompt = data[self.asked.task], data[self.asked.prompt]
        entrants = field(self.arena, task)
        was = data if said is None else said
        updates: Update = {}
        sides: list[Entrant] = []
        for at, side in enumerate((self.one, self.two)):
            name = data[side.model] if data[side.model] in entrants else instead(entrants, at)
            entrant = variant.chosen(self.arena, side.variant, entrants[name], data) if name else None
            updates |= contestant.update(
                side, entrants, entrant, self.smaller(entrant, lang), was.get(side.model), lang
            )
            if entrant:
                sides.append(entrant)
                if entrant.status.ready:
                    self.arena.slots.preload(entrant.spec)
        reads = any(traits(each.spec).prompted for each in sides)
        wanted = question_panel.prompt_after(self.arena, task, prompt, lang, data[self.image.chosen].sample)
        # Written only when it changes: the visitor may have begun to write his own while this was under way.
        value = {} if wanted == prompt else {"value": wanted}
        info = t("ui.prompt_thing") if task == "grounding" else None
        info = info if reads else t("ui.prompt_ignored")
        too_big = any(each.status.code == "does_not_fit" for each in sides)
        return updates | {
            self.asked.prompt: gr.Textbox(interactive=reads, info=info, **value),
            self.anyway: gr.Checkbox(visible=too_big, value=bool(data[self.anyway] and too_big)),
        }

    def smaller(self, entrant: Entrant | None, lang: str) -> str:
        """What to take when it does not fit."""
        if entrant is None:
            return ""
        return advice.instead(entrant.status, entrant.spec, self.arena.catalog, self.arena.gpus).text(lang)

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

    def order(self, data: Update, lang: str, visitor: str) -> Live:
        """The comparison that the visitor's widgets ask for. Raises `RunError` saying what is missing or wrong."""
        chosen: Chosen = data[self.image.chosen]
        if chosen.image is None:
            raise RunError("bad_input", key="ui.missing.image")
        sides = []
        for side in (self.one, self.two):
            if not data[side.model]:
                raise RunError("bad_input", key="ui.missing.models")
            entry = variant.usual(self.arena, self.arena.catalog.find(data[side.model]))
            spec = variant.chosen(self.arena, side.variant, entry, data).spec
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
            anyway=bool(data[self.anyway]),
            visitor=visitor,
        )
        return Live(self.arena, request, lang, {code: name_of(chosen, code) for code in LANGUAGES})


def instead(entrants: Mapping[str, Entrant], side: int) -> str | None:
    """The model for a side whose own cannot do the task: ready ones first, another one for each side."""
    names = list(entrants)
    return names[side % len(names)] if names else None
