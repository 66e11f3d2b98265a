"""What shows a document while it is read and after: progress, pages to choose from, the page itself, the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.strings import tr
from arena.ui import difference, render
from arena.ui.block import ASSETS
from arena.ui.document_page import page_html
from arena.ui.document_progress import progress, strip
from arena.ui.document_reading import Reading
from arena.ui.i18n import t
from arena.ui.live import Live
from arena.ui.run_panel import Frames, Running

Update = dict[Any, Any]


def block(name: str) -> gr.HTML:
    return gr.HTML(
        css_template=(ASSETS / "documents.css").read_text(encoding="utf-8"),
        js_on_load=(ASSETS / "documents.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=name,
        elem_classes="document",
    )


@dataclass(frozen=True)
class Board:
    """What shows a document. view, unit, spaces: how the visitor looks at it. how: the choice of the last two."""

    far: gr.HTML
    strip: gr.HTML
    page: gr.HTML
    panes: gr.HTML
    view: gr.Radio
    unit: gr.Radio
    spaces: gr.Checkbox
    how: gr.Row

    @property
    def outputs(self) -> list[Any]:
        return [self.far, self.strip, self.page, self.panes, self.how]

    def nothing(self, lang: str) -> Update:
        hint = f'<p class="hint">{render.text(tr("documents.none", lang))}</p>'
        return {self.far: "", self.strip: "", self.page: hint, self.panes: "", self.how: gr.Row(visible=False)}


class DocumentFrames:
    """A document as it is read: each call of `next` gives what has changed on the page."""

    def __init__(self, board: Board, reading: Reading) -> None:
        self.board = board
        self.reading = reading
        self._shown: dict[Any, str] = {}
        self._page: object = None

    def next(self) -> Update:
        board, reading, lang = self.board, self.reading, self.reading.lang
        now: dict[Any, str] = {board.far: progress(reading, lang), board.strip: strip(reading, lang)}
        page, how = reading.shown, (reading.view, reading.how)
        if (page, how, lang) != self._page:  # the costly part
            self._page = page, how, lang
            now |= spread(board, reading, lang)
        changed = {block: html for block, html in now.items() if self._shown.get(block) != html}
        self._shown |= changed
        return changed


def spread(board: Board, reading: Reading, lang: str) -> dict[Any, str]:
    """The page that is looked at, in the view that the visitor has chosen."""
    page = reading.shown
    titles = {view.letter: view.label for view in reading.views}
    if reading.view == "diff" and not page.trouble:
        texts = [page.text(letter) for letter in titles]
        return {board.page: "", board.panes: difference.panes(texts, list(titles.values()), None, reading.how, lang)}
    return {board.page: page_html(page, titles, reading.view, reading.id, lang), board.panes: ""}


@dataclass(frozen=True)
class DocumentPanel(Running):
    """Run and Stop of a document. last: a `gr.State` with the visitor's last `Reading`."""

    place = Reading.place

    run: gr.Button
    stop: gr.Button
    last: gr.State
    board: Board

    @property
    def outputs(self) -> list[Any]:
        return [self.run, self.stop, self.last, *self.board.outputs]

    def frames(self, live: Live) -> Frames:
        if not isinstance(live, Reading):
            raise TypeError(type(live))
        return DocumentFrames(self.board, live)

    def busy(self, live: Live) -> Update:
        return {
            self.last: live,
            self.run: gr.Button(interactive=False, value=t("documents.running")),
            self.stop: gr.Button(interactive=not live.stopping, value=t("ui.stopping" if live.stopping else "ui.stop")),
        }

    def idle(self) -> Update:
        return {
            self.run: gr.Button(interactive=True, value=t("documents.run")),
            self.stop: gr.Button(interactive=False, value=t("ui.stop")),
        }
