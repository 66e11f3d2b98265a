"""A turn of a conversation while it is answered: the buttons, and what changes on the page until it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from starlette.requests import Request as HttpRequest

from arena.access import visitor_of
from arena.chat import answering
from arena.compare import Request
from arena.conversations import Conversation, Conversations
from arena.core import Arena
from arena.errors import RunError
from arena.store import RunQuery
from arena.ui import chat_list, chat_view
from arena.ui.chat_view import Known
from arena.ui.i18n import t
from arena.ui.live import Live
from arena.ui.run_panel import Frames, Running, Update


def owner_of(request: HttpRequest | gr.Request, arena: Arena) -> str | None:
    """Whose conversations the visitor reaches: his own among strangers, whatever his role; else everybody's."""
    return visitor_of(request) or "nobody" if arena.settings.apart else None


def known_to(arena: Arena, conversation: Conversation) -> Known:
    """The runs of a conversation's answers and the names of all models. Raises `RunError` (``storage``)."""
    names = tuple(each.run_id for turn in conversation.turns for each in turn.answers.values())
    runs = {run.run_id: run for run in arena.store.iterate(RunQuery(run_ids=names))} if names else {}
    return Known(runs, {spec.id: spec.title for spec in arena.catalog.models.values()})


class Talk(Live):
    """The answers to the last turn of a conversation.

    conversation: as it was asked, without these answers. write: keeps the question. owner: who may see it, None for
    everybody.
    """

    place = "chat"

    def __init__(
        self,
        arena: Arena,
        request: Request,
        lang: str,
        conversations: Conversations,
        conversation: Conversation,
        write: Callable[[], None],
        owner: str | None,
    ) -> None:
        super().__init__(arena, request, lang, {}, partial(answering, conversations, write, conversation))
        self.conversation, self.owner = conversation, owner
        self.placed = False  # whether the question stands on the page


@dataclass(frozen=True)
class ChatPanel(Running):
    """last: a `gr.State` with the visitor's last `Talk`. current: one with the id of the conversation that is open, ""
    for a new one. brought: one with the pictures that go with the next question.
    """

    place = Talk.place

    arena: Arena
    conversations: Conversations
    send: gr.Button
    stop: gr.Button
    last: gr.State
    current: gr.State
    brought: gr.State
    message: gr.Textbox
    talk: gr.HTML
    now: gr.HTML
    said: gr.HTML
    kept: gr.HTML
    attached: gr.HTML
    files: gr.HTML

    @property
    def shown(self) -> list[Any]:
        """What follows from the conversation that is open."""
        return [self.current, self.talk, self.now, self.kept, self.files]

    @property
    def outputs(self) -> list[Any]:
        return [*self.shown, self.send, self.stop, self.last, self.brought, self.message, self.said, self.attached]

    def frames(self, live: Live) -> Frames:
        assert isinstance(live, Talk)  # noqa: S101 - this panel starts no other
        return ChatFrames(self, live)

    def busy(self, live: Live) -> Update:
        stop = gr.Button(interactive=not live.stopping, value=t("ui.stopping" if live.stopping else "ui.stop"))
        return {self.last: live, self.send: gr.Button(interactive=False), self.stop: stop}

    def idle(self) -> Update:
        return {
            self.send: gr.Button(interactive=True),
            self.stop: gr.Button(interactive=False, value=t("ui.stop")),
        }

    def show(self, conversation: Conversation | None, owner: str | None, lang: str) -> Update:
        """The page with this conversation open, or with a new one."""
        name = conversation.id if conversation else ""
        talk = chat_view.transcript(conversation, known_to(self.arena, conversation), lang) if conversation else ""
        return {
            self.current: name,
            self.talk: talk or chat_view.empty(lang),
            self.now: "",
            self.kept: self.listed(name, owner, lang),
            self.files: chat_list.files(name, lang),
        }

    def listed(self, current: str, owner: str | None, lang: str) -> str:
        return chat_list.kept(self.conversations.list(owner), current, lang)


class ChatFrames:
    """What a turn changes: the question in its place, then the answers as they come, at last all as it is kept."""

    def __init__(self, panel: ChatPanel, live: Talk) -> None:
        self.panel = panel
        self.live = live
        self._ended = False
        self._shown = ""

    def next(self) -> Update:
        updates: Update = {}
        if not self.live.placed:
            self.live.placed = True
            updates |= self._begin()
        if self.live.done:
            return updates | self._end()
        now = chat_view.streaming(self.live.views, self.live.lang)
        if now != self._shown:
            self._shown = now
            updates[self.panel.now] = now
        return updates

    def _begin(self) -> Update:
        panel, live, lang = self.panel, self.live, self.live.lang
        asked = live.conversation
        return {
            panel.current: asked.id,
            panel.talk: chat_view.transcript(asked, known_to(panel.arena, asked), lang, busy=True),
            panel.kept: panel.listed(asked.id, live.owner, lang),
            panel.files: chat_list.files(asked.id, lang),
            panel.message: "",
            panel.brought: (),
            panel.attached: "",
        }

    def _end(self) -> Update:
        if self._ended:
            return {}
        self._ended = True
        panel, live, lang = self.panel, self.live, self.live.lang
        try:
            kept = panel.conversations.load(live.conversation.id, live.owner)
            talk = panel.show(kept, live.owner, lang)
        except RunError:  # deleted meanwhile elsewhere, or the database is away: what has come stays to be read
            talk = {panel.now: chat_view.streaming(live.views, lang)}
        return {**talk, panel.said: chat_view.announced(live.views, live.request.comparison_id, lang)}
