"""Run and Stop: one comparison of one visitor from the press of the button to its end, whatever he does meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Protocol

import gradio as gr
from gradio.context import Context

from arena.access import visitor_of
from arena.errors import RunError
from arena.strings import tr
from arena.ui import render, results
from arena.ui.class_rules import admit
from arena.ui.i18n import language, t
from arena.ui.live import Live
from arena.ui.results import Board
from arena.ui.visitor import begin
from arena.visitors import Visitors

FRAME = 1 / 15  # seconds between two looks at what has come
CALM = 0.25  # seconds between two updates of the clocks while no text comes
Update = dict[Any, Any]
Order = Callable[[Update, str, str], Live]


class Frames(Protocol):
    """What has changed on the page since it was last asked."""

    def next(self) -> Update: ...


@dataclass(frozen=True)
class Running:
    """A comparison of a visitor on the page, whatever it looks like there. In `ran` whatever starts it ends."""

    place: ClassVar = Live.place
    visitors: Visitors[Live]

    def frames(self, live: Live) -> Frames:
        raise NotImplementedError

    def busy(self, live: Live) -> Update:
        """The buttons while a comparison runs."""
        raise NotImplementedError

    def idle(self) -> Update:
        """The buttons while none does."""
        raise NotImplementedError

    async def ran(self, order: Callable[[], Live], request: gr.Request) -> AsyncGenerator[Update]:
        """The comparison that `order` makes, from its first sign to its end."""
        try:
            live = await asyncio.to_thread(order)  # pages of a PDF may have to be read
            await asyncio.to_thread(admit, live.arena, live.request, request)
            begun = begin(self.visitors, live, request)
        except RunError as error:
            gr.Warning(render.text(error.text(language(request))))
            yield self.idle()
            return
        if not begun:
            gr.Warning(render.text(self.already(request)))
            before = self.here(request)
            yield self.busy(before) if before else self.idle()
            return
        try:
            async for update in self.follow(live):
                yield update
        finally:
            live.stop()  # the visitor has left, stopped, or it is over: the device is free again

    async def on_stop(self, request: gr.Request) -> AsyncIterator[Update]:
        """Give the device back, and show how it ended."""
        live = self.here(request)
        if live is None:
            yield self.idle()
            return
        live.stop()
        async for update in self.follow(live):
            yield update

    def on_leave(self, request: gr.Request) -> None:
        """The page was closed or loaded anew."""
        live = self.here(request)
        if live:
            live.stop()

    def here(self, request: gr.Request) -> Live | None:
        """What the visitor has running in this tab."""
        return self.visitors.running(str(request.session_hash), self.place)

    def already(self, request: gr.Request) -> str:
        """Why nothing more can be started now: what the visitor has running, and in which tab if in another."""
        lang, live = language(request), self.visitors.running(str(request.session_hash))
        if live is None or live.place == self.place:
            return tr("ui.already", lang)
        return tr("ui.already_elsewhere", lang, tab=tr(f"ui.tab.{live.place}", lang))

    async def follow(self, live: Live) -> AsyncIterator[Update]:
        """What the page shows, from now to the end; something at least four times a second."""
        frames, seen, told, stopping = self.frames(live), -1, 0.0, live.stopping
        yield self.busy(live)
        while not live.done:
            if live.version != seen or time.monotonic() - told >= CALM:
                seen, told = live.version, time.monotonic()
                update = await asyncio.to_thread(frames.next)
                if live.stopping != stopping:  # what has not changed is not sent: each update costs the browser
                    stopping = live.stopping
                    update |= self.busy(live)
                yield update or self.busy(live)  # a visitor who has left is noticed when something is sent
            await asyncio.sleep(FRAME)
        if live.failed:
            gr.Warning(render.text(tr("ui.failed", live.lang)))
        yield await asyncio.to_thread(frames.next) | self.idle()


@dataclass(frozen=True)
class RunPanel(Running):
    """The buttons. last: a `gr.State` with the visitor's last comparison, to be shown again in another language.

    locked: what cannot be used while a comparison runs.
    """

    run: gr.Button
    stop: gr.Button
    locked: gr.Button
    last: gr.State
    board: Board

    @property
    def outputs(self) -> list[Any]:
        return [self.run, self.stop, self.locked, self.last, *self.board.outputs]

    def connect(self, order: Order, inputs: set[Any], queue_size: int, also: Sequence[tuple[Any, Order]] = ()) -> None:
        """`order` makes the comparison from the values of `inputs`, the language and the visitor, or raises `RunError`
        saying what is missing. also: further events that start a comparison, each with its own order."""
        watched: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        # Every visitor waits in the queue of the device, where he sees his place; so this must let all of them in.
        device: dict[str, Any] = {"concurrency_limit": queue_size, "concurrency_id": "device"}
        starts = ((self.run.click, order), *also)
        running = [start(self.handler(each), inputs, self.outputs, **device, **watched) for start, each in starts]
        self.stop.click(self.on_stop, None, self.outputs, cancels=running, concurrency_limit=None, **watched)
        Context.root_block.unload(self.on_leave)

    def handler(self, order: Order) -> Callable[[Update, gr.Request], AsyncIterator[Update]]:
        async def on_run(data: Update, request: gr.Request) -> AsyncIterator[Update]:
            wanted = partial(order, data, language(request), visitor_of(request))
            async with aclosing(self.ran(wanted, request)) as updates:
                async for update in updates:
                    yield update

        return on_run

    def frames(self, live: Live) -> Frames:
        return results.Frames(self.board, live)

    def busy(self, live: Live) -> Update:
        """The buttons while a comparison runs."""
        stop = gr.Button(interactive=not live.stopping, value=t("ui.stopping" if live.stopping else "ui.stop"))
        return {
            self.last: live,
            self.run: gr.Button(interactive=False, value=t("ui.running")),
            self.stop: stop,
            self.locked: gr.Button(interactive=False),
        }

    def idle(self) -> Update:
        """The buttons while none does."""
        return {
            self.run: gr.Button(interactive=True, value=t("ui.run")),
            self.stop: gr.Button(interactive=False, value=t("ui.stop")),
            self.locked: gr.Button(interactive=True),
        }
