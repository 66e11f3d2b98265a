"""Start, Stop and everything that follows in a battle: from the draw to the vote and, taken back, to another vote."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gradio as gr
from gradio.context import Context

from arena.access import visitor_of
from arena.battle import Battle
from arena.core import Arena
from arena.errors import RunError
from arena.ui import battle_view
from arena.ui.block import ASSETS
from arena.ui.i18n import language, t
from arena.ui.live import Live
from arena.ui.run_panel import Running
from arena.visitors import Visitors
from arena.votes import OUTCOMES

LIGHT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
Update = dict[Any, Any]


class Blind(Live):
    """A battle as it goes on. begun: called when it begins; one that is drawn may still be refused."""

    place = "battle"

    def __init__(self, arena: Arena, battle: Battle, lang: str, names: dict[str, str]) -> None:
        super().__init__(arena, battle.request, lang, names, battle.fight)
        self.battle = battle
        self.begun: Callable[[Battle], None] = lambda battle: None

    def start(self) -> None:
        self.begun(self.battle)
        super().start()


@dataclass(frozen=True)
class Ring(Running):
    """The buttons, the line that says what happens, and the block of both answers and the vote.

    last: a `gr.State` with the visitor's last `Blind`. open: the last battle of each session, given up with it.
    """

    place = Blind.place

    run: gr.Button
    stop: gr.Button
    last: gr.State
    state: gr.HTML
    answers: gr.HTML
    open: dict[str, Battle] = field(default_factory=dict)

    @property
    def outputs(self) -> list[Any]:
        return [self.run, self.stop, self.last, self.state, self.answers]

    def connect(self, order: Callable[[Update, str, str], Blind], inputs: set[Any], queue_size: int) -> None:
        """`order` makes the battle from the values of `inputs`, the language and the visitor, or raises `RunError`
        saying what is missing."""

        async def on_run(data: Update, request: gr.Request) -> AsyncIterator[Update]:
            async with aclosing(self.ran(partial(self.drawn, order, data, request), request)) as updates:
                async for update in updates:
                    yield update

        watched: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        running = self.run.click(
            on_run, inputs, self.outputs, concurrency_limit=queue_size, concurrency_id="device", **watched
        )
        self.stop.click(self.on_stop, None, self.outputs, cancels=[running], concurrency_limit=None, **watched)
        Context.root_block.unload(self.on_leave)
        for event, answer in (
            (self.answers.cast_vote, self.on_vote),
            (self.answers.take_back, self.on_take_back),
            (self.answers.skip_battle, self.on_skip),
        ):
            event(answer, self.last, [self.state, self.answers], **LIGHT)

    def drawn(self, order: Callable[[Update, str, str], Blind], data: Update, request: gr.Request) -> Blind:
        live = order(data, language(request), visitor_of(request))
        live.begun = partial(self.succeed, str(request.session_hash))
        return live

    def succeed(self, session: str, battle: Battle) -> None:
        """A battle of the session begins; the one before it, if it is not decided, is given up."""
        if before := self.open.get(session):
            before.skip()
        self.open[session] = battle

    def on_leave(self, request: gr.Request) -> None:
        super().on_leave(request)
        if battle := self.open.pop(str(request.session_hash), None):
            battle.skip()

    def on_vote(self, live: Blind | None, event: gr.EventData, request: gr.Request) -> Update:
        outcome, reasons = event._data.get("outcome"), event._data.get("reasons")
        if live is None or outcome not in OUTCOMES:
            return {self.state: gr.skip()}
        chosen = [str(each) for each in reasons[:20]] if isinstance(reasons, list) else []
        return self.done(live, partial(live.battle.cast, outcome, chosen), request)

    def on_take_back(self, live: Blind | None, request: gr.Request) -> Update:
        return self.done(live, live.battle.take_back, request) if live else {self.state: gr.skip()}

    def on_skip(self, live: Blind | None, request: gr.Request) -> Update:
        return self.done(live, live.battle.skip, request) if live else {self.state: gr.skip()}

    def done(self, live: Blind, act: Callable[[], None], request: gr.Request) -> Update:
        """What the page shows after it, or why it could not be."""
        trouble = ""
        try:
            act()
        except RunError as error:
            trouble = error.text(language(request))
        return self.show(live, language(request), trouble)

    def show(self, live: Blind | None, lang: str, trouble: str = "") -> Update:
        """The battle as it stands; before the first, how it goes."""
        if live is None:
            return {self.state: "", self.answers: battle_view.empty(lang)}
        state, ring = battle_view.state(live, live.battle, lang), battle_view.ring(live, live.battle, lang, trouble)
        return {self.state: state, self.answers: ring}

    def frames(self, live: Live) -> Frames:
        return Frames(self, live)

    def busy(self, live: Live) -> Update:
        return {
            self.last: live,
            self.run: gr.Button(interactive=False, value=t("battle.running")),
            self.stop: gr.Button(interactive=not live.stopping, value=t("ui.stopping" if live.stopping else "ui.stop")),
        }

    def idle(self) -> Update:
        return {
            self.run: gr.Button(interactive=True, value=t("battle.start")),
            self.stop: gr.Button(interactive=False, value=t("ui.stop")),
        }


class Frames:
    """What has changed on the page since it was last asked."""

    def __init__(self, ring: Ring, live: Live) -> None:
        self.ring, self.live = ring, live
        self._shown: Update = {}

    def next(self) -> Update:
        assert isinstance(self.live, Blind)  # noqa: S101
        now = self.ring.show(self.live, self.live.lang)
        changed = {block: html for block, html in now.items() if self._shown.get(block) != html}
        self._shown |= changed
        return changed


def build(visitors: Visitors[Live]) -> Ring:
    """Lay everything out in the current column."""
    style = (ASSETS / "battle.css").read_text(encoding="utf-8")
    script = (ASSETS / "battle.js").read_text(encoding="utf-8")
    with gr.Row(elem_classes="bench-actions"):
        run = gr.Button(t("battle.start"), variant="primary", elem_id="battle-run", elem_classes="bench-run", size="lg")
        stop = gr.Button(t("ui.stop"), elem_id="battle-stop", elem_classes="bench-stop", size="lg", interactive=False)
    state = gr.HTML(elem_id="battle-state", css_template=style, apply_default_css=False)
    answers = gr.HTML(elem_id="battle-ring", css_template=style, js_on_load=script, apply_default_css=False)
    return Ring(visitors, run, stop, gr.State(None), state, answers)
