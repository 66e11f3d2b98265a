"""Tab Compare: one image, two models, one button; both answers as they come, side by side with what each cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import gradio as gr
from gradio.context import Context

from arena.compare import Request, Side
from arena.core import Arena
from arena.errors import RunError
from arena.strings import LANGUAGES, tr
from arena.ui import contestant, image_panel, question_panel, render, results
from arena.ui.contestant import Entrant, field, given_params, traits
from arena.ui.i18n import language, on_language, t
from arena.ui.image_panel import Chosen, name_of
from arena.ui.live import Live, Visitors
from arena.ui.samples import samples

FIRST_MODELS = ("rapidocr", "tesseract")
FRAME = 1 / 15  # seconds between two looks at what has come
CALM = 0.25  # seconds between two updates of the clocks while no text comes
Update = dict[Any, Any]


def build(arena: Arena) -> None:
    """Lay the tab out inside the current `gr.Tab` and connect it."""
    visitors = Visitors()
    last = gr.State(None)  # the visitor's last comparison, to be shown again in another language
    with gr.Row(elem_id="workbench"):
        with gr.Column(elem_id="setup"):
            with gr.Column(elem_id="image"):
                image = image_panel.build(arena)
            with gr.Column(elem_id="question"):
                asked = question_panel.build(arena)
        with gr.Column(elem_id="contest"):
            with gr.Row(elem_id="sides"):
                with gr.Column(elem_id="side-a", elem_classes="side a"):
                    one = contestant.build("A", FIRST_MODELS[0])
                swap = gr.Button(t("ui.model.swap"), elem_id="swap")
                with gr.Column(elem_id="side-b", elem_classes="side b"):
                    two = contestant.build("B", FIRST_MODELS[1])
            with gr.Row(elem_id="actions"):
                run = gr.Button(t("ui.run"), variant="primary", elem_id="run", size="lg")
                stop = gr.Button(t("ui.stop"), elem_id="stop", size="lg", interactive=False)
            board = results.build(image.picture)
    sides = (one, two)
    described = [*one.outputs, *two.outputs, asked.prompt]

    def describe(task: str, a: str | None, b: str | None, prompt: str, request: gr.Request) -> Update:
        return description(task, a, b, prompt, language(request))

    def description(task: str, a: str | None, b: str | None, prompt: str, lang: str) -> Update:
        """What follows from the chosen task and models: lists, badges, parameters, the prompt."""
        entrants = field(arena, task)
        updates: Update = {}
        for side, chosen in zip(sides, (a, b), strict=True):
            updates |= contestant.update(side, entrants, chosen, lang)
            if chosen in entrants and entrants[chosen].status.ready:
                arena.slots.preload(entrants[chosen].spec)
        reads = any(traits(entrants[name].spec).prompted for name in (a, b) if name in entrants)
        wanted = question_panel.prompt_after(arena, task, prompt, lang)
        # Written only when it changes: the visitor may have begun to write his own while this was under way.
        value = {} if wanted == prompt else {"value": wanted}
        updates[asked.prompt] = gr.Textbox(interactive=reads, info=None if reads else t("ui.prompt_ignored"), **value)
        return updates

    def order(data: Update, chosen: Chosen, lang: str) -> Request:
        """The comparison that the widgets ask for. Raises `RunError` saying what is missing or wrong."""
        if chosen.image is None:
            raise RunError("bad_input", key="ui.missing.image")
        if not (data[one.model] and data[two.model]):
            raise RunError("bad_input", key="ui.missing.models")
        specs = [arena.catalog.find(data[side.model]) for side in sides]
        return Request(
            sides=tuple(
                Side(spec, given_params(side, spec, data, lang)) for side, spec in zip(sides, specs, strict=True)
            ),
            image=chosen.image,
            task=arena.catalog.task(data[asked.task]),
            prompt=data[asked.prompt] or "",
            language=data[asked.language] or "",
            reference=data[asked.reference].strip() or None if data[asked.reference] else None,
        )

    async def follow(live: Live) -> AsyncIterator[Update]:
        """What the page shows, from now to the end; something at least four times a second."""
        frames, seen, told = results.Frames(board, live), -1, 0.0
        yield busy(live)
        while not live.done:
            if live.version != seen or time.monotonic() - told >= CALM:
                seen, told = live.version, time.monotonic()
                yield await asyncio.to_thread(frames.next) | busy(live)
            await asyncio.sleep(FRAME)
        if live.failed:
            gr.Warning(tr("ui.failed", live.lang))
        yield await asyncio.to_thread(frames.next) | idle()

    def busy(live: Live) -> Update:
        return {
            last: live,
            run: gr.Button(interactive=False, value=t("ui.running")),
            stop: gr.Button(interactive=not live.stopping, value=t("ui.stopping" if live.stopping else "ui.stop")),
            swap: gr.Button(interactive=False),
        }

    def idle() -> Update:
        return {
            run: gr.Button(interactive=True, value=t("ui.run")),
            stop: gr.Button(interactive=False, value=t("ui.stop")),
            swap: gr.Button(interactive=True),
        }

    async def on_run(data: Update, request: gr.Request) -> AsyncIterator[Update]:
        lang = language(request)
        try:
            chosen: Chosen = data[image.chosen]
            names = {code: name_of(chosen, code) for code in LANGUAGES}
            live = Live(arena, order(data, chosen, lang), lang, names)
        except RunError as error:
            gr.Warning(render.text(error.text(lang)))
            yield idle()
            return
        if not visitors.begin(str(request.session_hash), live):
            gr.Warning(tr("ui.already", lang))
            yield {run: gr.skip()}
            return
        try:
            async for update in follow(live):
                yield update
        finally:
            live.stop()  # the visitor has left, stopped, or it is over: the device is free again

    async def on_stop(request: gr.Request) -> AsyncIterator[Update]:
        live = visitors.running(str(request.session_hash))
        if live is None:
            yield idle()
            return
        live.stop()
        async for update in follow(live):
            yield update

    def after_choice(now: Chosen, reference: str, spoken: str, request: gr.Request) -> tuple[str, str]:
        """Another picture was chosen, perhaps while a comparison still runs; its boxes are for the other one."""
        live = visitors.running(str(request.session_hash))
        if live:
            live.pictured = now.image == live.request.image
        return filled(now, reference, spoken)

    def on_leave(request: gr.Request) -> None:
        live = visitors.running(str(request.session_hash))
        if live:
            live.stop()

    def opened(
        now: Chosen, live: Live | None, task: str, a: str | None, b: str | None, prompt: str, request: gr.Request
    ) -> Update:
        """Everything the server has written, when the page opens and in another language after a switch."""
        lang = language(request)
        updates = description(task, a, b, prompt, lang) | image.open(now, lang)
        if now.image is None:
            updates |= dict(zip(known, filled(updates[image.chosen], "", ""), strict=True))
        if live is None:
            return updates | results.nothing(board, lang)
        live.lang, live.pictured = lang, now.image == live.request.image
        return updates | results.Frames(board, live).next()

    watched: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    light: dict[str, Any] = {**watched, "queue": False}
    chosen = [asked.task, one.model, two.model, asked.prompt]
    for widget in (asked.task, one.model, two.model):
        widget.input(describe, chosen, described, **light)
    swapped = [one.model, two.model, *one.params.values(), *two.params.values()]
    swap.click(_swap, swapped, swapped, **light).then(describe, chosen, described, **light)

    shown = [run, stop, swap, last, *board.outputs]
    inputs = {image.chosen, *one.inputs, *two.inputs, asked.task, asked.prompt, asked.language, asked.reference}
    # Every visitor waits in the queue of the device, where he sees his place; so this one must let all of them in.
    running = run.click(
        on_run, inputs, shown, concurrency_limit=arena.settings.queue_size, concurrency_id="device", **watched
    )
    stop.click(on_stop, None, shown, cancels=[running], concurrency_limit=None, **watched)
    known = [asked.reference, asked.language]
    for change in image.changes:
        change.then(after_choice, [image.chosen, *known], known, **light)
    everything = list(dict.fromkeys([*described, *known, *image.outputs, *board.outputs]))
    on_language(opened, [image.chosen, last, *chosen], everything)
    Context.root_block.unload(on_leave)


def filled(chosen: Chosen, reference: str, spoken: str) -> tuple[str, str]:
    """The right answer and the language of the document once another picture is chosen.

    A sample brings its own; with a picture of the visitor's the answer of a sample would be a wrong one.
    """
    if chosen.sample:
        return samples()[chosen.sample].reference, samples()[chosen.sample].language
    of_sample = (reference or "").strip() in {sample.reference for sample in samples().values()}
    return ("", "") if of_sample else (reference, spoken)


def instead(entrants: Mapping[str, Entrant], side: int) -> str | None:
    """The model for a side whose own cannot do the task: ready ones first, another one for each side."""
    names = list(entrants)
    return names[side % len(names)] if names else None


def _swap(*values: Any) -> list[Any]:
    """The left half of the values for the right half, pair by pair: models, then parameters."""
    a, b, *params = values
    half = len(params) // 2
    return [b, a, *params[half:], *params[:half]]
