"""Tab Chat: a conversation of several turns about pictures, with one model or with two side by side, and kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context

from arena.access import visitor_of
from arena.chat import TASK, request_of
from arena.conversations import Conversation, Conversations, Turn, fresh
from arena.core import Arena
from arena.errors import RunError
from arena.strings import tr
from arena.ui import chat_list, chat_setup, render
from arena.ui.block import ASSETS
from arena.ui.chat_panel import ChatPanel, Talk, owner_of
from arena.ui.chat_pictures import Brought, attached, hashes, turned, with_picture
from arena.ui.chat_setup import Setup, params_of
from arena.ui.i18n import language, on_language, t
from arena.ui.run_panel import Update
from arena.ui.samples import samples

WATCHED: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
LIGHT: dict[str, Any] = {**WATCHED, "queue": False}


def build(arena: Arena) -> ChatTab:
    """Lay the tab out inside the current `gr.Tab` and connect it."""
    gr.HTML(f"<style>{(ASSETS / 'chat.css').read_text(encoding='utf-8')}</style>", elem_id="chat-style")
    last, current, brought = gr.State(None), gr.State(""), gr.State(())
    with gr.Row(elem_id="chat"):
        with gr.Column(elem_id="chat-side"):
            kept = html("chat-kept")
            files = gr.HTML(elem_id="chat-files", apply_default_css=False)
        with gr.Column(elem_id="chat-main"):
            with gr.Column(elem_id="chat-setup"):
                setup = chat_setup.build(arena)
            talk = html("chat-talk")
            now = html("chat-now")
            said = gr.HTML(elem_id="chat-said", apply_default_css=False)
            with gr.Column(elem_id="chat-composer"):
                attached = html("chat-attached")
                with gr.Row(elem_id="chat-line"):
                    message = gr.Textbox(
                        label=t("chat.message"),
                        placeholder=t("chat.message_hint"),
                        lines=2,
                        max_lines=10,
                        max_length=100_000,
                        elem_id="chat-message",
                    )
                with gr.Row(elem_id="chat-actions"):
                    gallery = html("chat-samples")
                    attach = gr.UploadButton(
                        t("chat.attach"),
                        file_count="multiple",
                        file_types=["image", ".pdf"],
                        size="sm",
                        elem_id="chat-attach",
                    )
                    stop = gr.Button(t("ui.stop"), interactive=False, size="sm", elem_id="chat-stop")
                    send = gr.Button(t("chat.send"), variant="primary", size="sm", elem_id="chat-send")
    conversations = Conversations(arena.store)
    shown = (message, talk, now, said, kept, attached, files)
    panel = ChatPanel(arena.visitors, arena, conversations, send, stop, last, current, brought, *shown)
    tab = ChatTab(arena, setup, panel, attach, gallery)
    tab.connect()
    return tab


def html(name: str) -> gr.HTML:
    """A block whose buttons send events, see assets/chat.js."""
    script = (ASSETS / "chat.js").read_text(encoding="utf-8")
    return gr.HTML("", js_on_load=script, apply_default_css=False, elem_id=name)


@dataclass(frozen=True)
class ChatTab:
    """The parts of the tab and what happens between them; the handlers are its methods."""

    arena: Arena
    setup: Setup
    panel: ChatPanel
    attach: gr.UploadButton
    gallery: gr.HTML

    def connect(self) -> None:
        panel, setup = self.panel, self.setup
        asking = {*setup.widgets, panel.message, panel.current, panel.brought, panel.last}
        queue = self.arena.settings.queue_size
        device: dict[str, Any] = {"concurrency_limit": queue, "concurrency_id": "device", **WATCHED}
        running = [
            panel.send.click(self.on_send, asking, panel.outputs, **device),
            panel.talk.again(self.on_again, asking, panel.outputs, **device),
            panel.talk.edit_turn(self.on_edit, asking, panel.outputs, **device),
        ]
        ending: dict[str, Any] = {"cancels": running, "concurrency_limit": None, **WATCHED}
        panel.stop.click(panel.on_stop, None, panel.outputs, **ending)
        Context.root_block.unload(panel.on_leave)
        opened = [*dict.fromkeys([*panel.outputs, *setup.widgets, *setup.described])]
        panel.kept.open_talk(self.on_open_talk, {*setup.widgets}, opened, **ending)
        panel.kept.new_talk(self.on_new_talk, None, panel.outputs, **ending)
        panel.kept.delete_talk(self.on_delete, {panel.current}, panel.outputs, **ending)
        panel.kept.rename_talk(self.on_rename, panel.current, panel.kept, **WATCHED)
        for choice in setup.choices:
            choice.input(self.on_choice, {*setup.widgets}, setup.described, trigger_mode="always_last", **LIGHT)
        drawn = [panel.brought, panel.attached]
        reading = {**WATCHED, "concurrency_limit": 4, "concurrency_id": "reading"}
        self.attach.upload(self.on_attach, [self.attach, panel.brought], drawn, **reading)
        self.gallery.take_sample(self.on_sample, panel.brought, drawn, **WATCHED)
        panel.attached.drop_picture(self.on_drop, panel.brought, drawn, **LIGHT)
        panel.attached.turn_picture(self.on_turn, panel.brought, drawn, **reading)
        panel.attached.too_large(self.on_too_large, None, None, **WATCHED)
        everything = [*dict.fromkeys([*panel.shown, *drawn, self.gallery, *setup.described])]
        on_language(self.on_open, {*setup.widgets, panel.current, panel.brought, panel.last}, everything)
        Context.block.select(self.on_seen, {*setup.widgets}, setup.described, **LIGHT)

    # --- a turn

    async def on_send(self, data: Update, request: gr.Request) -> AsyncIterator[Update]:
        """What stands in the box is asked, after everything before."""
        async for update in self.asked(partial(self.next_turn, data, request), request):
            yield update

    async def on_again(self, data: Update, request: gr.Request) -> AsyncIterator[Update]:
        """The last question is asked once more, of whoever is chosen now."""
        async for update in self.asked(partial(self.last_turn, data, request), request):
            yield update

    async def on_edit(self, data: Update, request: gr.Request, event: gr.EventData) -> AsyncIterator[Update]:
        """A question is asked in other words; what followed it is given up."""
        async for update in self.asked(partial(self.changed_turn, data, request, event._data), request):
            yield update

    async def asked(self, order: Callable[[], Talk], request: gr.Request) -> AsyncIterator[Update]:
        async with aclosing(self.panel.ran(order, request)) as updates:
            async for update in updates:
                yield update

    def next_turn(self, data: Update, request: gr.Request) -> Talk:
        text, images = str(data[self.panel.message] or "").strip(), hashes(data[self.panel.brought])
        if not text and not images:
            raise RunError("bad_input", key="chat.nothing_asked")
        text = text or self.arena.catalog.task(TASK).prompt_for(language(request))
        return self.turn(data, request, None, text, images)

    def last_turn(self, data: Update, request: gr.Request) -> Talk:
        open_now = self.opened(data, request)
        position = len(open_now.turns) - 1
        question = open_now.turns[position]
        return self.turn(data, request, position, question.text, question.images, again=True)

    def changed_turn(self, data: Update, request: gr.Request, said: Any) -> Talk:
        open_now = self.opened(data, request)
        position, text = int(said.get("position", -1)), str(said.get("text", ""))[:100_000].strip()
        if not text or not 0 <= position < len(open_now.turns):
            raise RunError("bad_input", key="chat.nothing_asked")
        return self.turn(data, request, position, text, open_now.turns[position].images)

    def opened(self, data: Update, request: gr.Request) -> Conversation:
        """Raises `RunError` (``bad_input``)."""
        return self.panel.conversations.load(data[self.panel.current], owner_of(request, self.arena))

    def turn(
        self,
        data: Update,
        request: gr.Request,
        position: int | None,
        text: str,
        images: tuple[str, ...],
        *,
        again: bool = False,
    ) -> Talk:
        """The comparison that asks the question as the turn `position`, the next where None.

        Raises `RunError` saying what is missing or wrong."""
        lang, owner, kept = language(request), owner_of(request, self.arena), self.panel.conversations
        before: Talk | None = data[self.panel.last]
        if before and not before.done:
            raise RunError("busy", key="ui.already")
        setup = self.setup.read(data)
        models = {letter: self.setup.spec(letter, data) for letter in setup["who"]}
        params = {letter: params_of(setup, spec, lang) for letter, spec in models.items()}
        name, visitor = data[self.panel.current], visitor_of(request)
        if name:
            known = kept.load(name, owner)
            asked = replace(known, setup=setup, turns=(*known.turns[:position], Turn(text, images)))
            write = partial(kept.ask, asked, owner)
        else:
            asked = fresh(visitor, text, setup, images)
            write = partial(kept.begin, asked)
        order = request_of(self.arena, asked, models, params, visitor=visitor, again=again)
        return Talk(self.arena, order, lang, kept, asked, write, owner)

    # --- the list

    def on_open_talk(self, data: Update, request: gr.Request, event: gr.EventData) -> Update:
        lang, owner = language(request), owner_of(request, self.arena)
        self.panel.on_leave(request)
        try:
            found = self.panel.conversations.load(str(event._data.get("value")), owner)
        except RunError as error:
            gr.Warning(render.text(error.text(lang)))
            return self.panel.idle() | self.panel.show(None, owner, lang)
        wanted = self.setup.wanted(found.setup)
        written = self.setup.write(found.setup)
        return (
            self.panel.idle() | self.panel.show(found, owner, lang) | written | self.setup.describe(data | wanted, lang)
        )

    def on_new_talk(self, request: gr.Request) -> Update:
        lang = language(request)
        self.panel.on_leave(request)
        return self.panel.idle() | self.panel.show(None, owner_of(request, self.arena), lang)

    def on_delete(self, data: Update, request: gr.Request, event: gr.EventData) -> Update:
        lang, owner, name = language(request), owner_of(request, self.arena), str(event._data.get("value"))
        self.panel.conversations.delete(name, owner)
        if name == data[self.panel.current]:
            return self.on_new_talk(request)
        return {self.panel.kept: self.panel.listed(data[self.panel.current], owner, lang)}

    def on_rename(self, current: str, request: gr.Request, event: gr.EventData) -> str:
        lang, owner = language(request), owner_of(request, self.arena)
        title = str(event._data.get("text", "")).strip()
        if title:
            try:
                self.panel.conversations.rename(str(event._data.get("value")), owner, title)
            except RunError as error:
                gr.Warning(render.text(error.text(lang)))
        return self.panel.listed(current, owner, lang)

    # --- the pictures of the next question

    def on_attach(self, paths: list[str] | None, brought: Brought, request: gr.Request) -> Update:
        lang = language(request)
        for path in paths or ():
            try:
                brought = with_picture(self.arena, brought, Path(path), request)
            except RunError as error:
                gr.Warning(render.text(error.text(lang)))
        return self.attached(brought, lang)

    def on_sample(self, brought: Brought, request: gr.Request, event: gr.EventData) -> Update:
        lang, sample = language(request), samples().get(str(event._data.get("value")))
        try:
            brought = with_picture(self.arena, brought, sample.path, request) if sample else brought
        except RunError as error:
            gr.Warning(render.text(error.text(lang)))
        return self.attached(brought, lang)

    def on_turn(self, brought: Brought, request: gr.Request, event: gr.EventData) -> Update:
        """Another page of a PDF."""
        lang = language(request)
        try:
            brought = turned(self.arena, brought, str(event._data.get("value")), request)
        except RunError as error:
            gr.Warning(render.text(error.text(lang)))
        return self.attached(brought, lang)

    def on_drop(self, brought: Brought, request: gr.Request, event: gr.EventData) -> Update:
        at = str(event._data.get("value"))
        return self.attached(tuple(each for n, each in enumerate(brought) if str(n) != at), language(request))

    def on_too_large(self, request: gr.Request) -> None:
        """A file so large that the page did not even send it."""
        limit = f"{self.arena.settings.max_upload_mb:g}"
        gr.Warning(render.text(tr("chat.too_large", language(request), limit=limit)))

    def attached(self, brought: Brought, lang: str) -> Update:
        return {self.panel.brought: brought, self.panel.attached: attached(brought, lang)}

    # --- the page

    def on_choice(self, data: Update, request: gr.Request) -> Update:
        return self.setup.describe(data, language(request))

    def on_seen(self, data: Update, request: gr.Request) -> Update:
        self.setup.prepare(data)
        return self.setup.describe(data, language(request))

    def on_open(self, data: Update, request: gr.Request) -> Update:
        """Everything the server has written, when the page opens and in another language after a switch."""
        lang, owner, name = language(request), owner_of(request, self.arena), data[self.panel.current]
        updates = self.setup.describe(data, lang) | self.attached(data[self.panel.brought], lang)
        updates[self.gallery] = chat_list.gallery(lang)
        live: Talk | None = data[self.panel.last]
        if live and not live.done:
            live.lang = lang
            return updates | {self.panel.kept: self.panel.listed(name, owner, lang)}
        try:
            found = self.panel.conversations.load(name, owner) if name else None
        except RunError:
            found = None
        return updates | self.panel.show(found, owner, lang)
