"""Right below: the two answers with their timelines, the boxes on the picture, the table of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.strings import tr
from arena.types import Run
from arena.ui import answer, difference, figures, link_bar, render, timeline
from arena.ui.difference import DifferencePanel
from arena.ui.i18n import t
from arena.ui.live import Live, View
from arena.ui.picture import picture

LETTERS = "AB"
VIEW = "(view) => { document.documentElement.dataset.view = view; return view; }"
BOXES = "(on) => { document.documentElement.dataset.boxes = on.join(''); return on; }"


@dataclass(frozen=True)
class Board:
    """The blocks of the results. heads and answers: one a side. picture: belongs to the image panel.

    differences: what the answers do not share, made when it is asked for. links: what can be done with the comparison.
    """

    picture: gr.HTML
    heads: tuple[gr.HTML, ...]
    answers: tuple[gr.HTML, ...]
    figures: gr.HTML
    said: gr.HTML
    differences: DifferencePanel
    links: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.picture, *self.heads, *self.answers, self.figures, self.said, self.links]


def build(shown: gr.HTML) -> Board:
    """Lay the results out in the current column."""
    with gr.Row(elem_id="views"):
        views = [(t(f"ui.view.{name}"), name) for name in ("text", "rendered", "diff")]
        view = gr.Radio(views, value="text", label=t("ui.view.title"), elem_id="view", elem_classes="pills")
        boxes = gr.CheckboxGroup(
            list(LETTERS), value=list(LETTERS), label=t("ui.view.boxes"), elem_id="boxes", elem_classes="pills"
        )
    with gr.Row(elem_id="how-different"):
        unit, spaces = difference.choices()
    heads, answers = [], []
    with gr.Row(elem_id="results"):
        for letter in LETTERS:
            with gr.Column(elem_id=f"result-{letter.lower()}", elem_classes=f"result {letter.lower()}"):
                heads.append(gr.HTML(elem_id=f"head-{letter.lower()}", apply_default_css=False))
                answers.append(gr.HTML(elem_id=f"said-{letter.lower()}", apply_default_css=False))
    panes = difference.block("differences")
    links = link_bar.build()
    table = gr.HTML(elem_id="figures", apply_default_css=False)
    said = gr.HTML(elem_id="announcer", apply_default_css=False)
    view.change(None, view, js=VIEW)
    boxes.change(None, boxes, js=BOXES)
    differences = DifferencePanel(view, unit, spaces, panes)
    return Board(shown, tuple(heads), tuple(answers), table, said, differences, links)


def nothing(board: Board, lang: str) -> dict[Any, Any]:
    """Before the first run."""
    hint = f'<p class="hint">{render.text(tr("ui.answer.none", lang))}</p>'
    idle = answer.chip(tr("ui.status.waiting", lang), "·", "waiting")
    return {
        **{
            head: answer.head(letter, tr(f"ui.model.{letter.lower()}", lang), idle, timeline.empty(lang))
            for letter, head in zip(LETTERS, board.heads, strict=True)
        },
        **dict.fromkeys(board.answers, hint),
        **dict.fromkeys((board.figures, board.said, board.links), ""),
    }


class Frames:
    """The pictures of a comparison as it goes on: each call of `next` gives what has changed on the page."""

    def __init__(self, board: Board, live: Live) -> None:
        self.board = board
        self.live = live
        self._shown: dict[Any, str] = {}
        self._ended: tuple[str, Sequence[Run | None]] | None = None

    def next(self) -> dict[Any, Any]:
        views, lang = self.live.views, self.live.lang
        ended = lang, [view.run for view in views]
        lines = timeline.timelines(views, lang)
        now: dict[Any, str] = {}
        for view, line, head in zip(views, lines, self.board.heads, strict=True):
            now[head] = answer.head(view.letter, view.title, answer.chips(view, lang), line, view.how)
        for view, block in zip(views, self.board.answers, strict=True):
            if view.run is None:
                now[block] = answer.streaming(view, lang)
        if ended != self._ended:  # the costly parts, made anew only when a side has come to its end
            self._ended = ended
            now |= self._after(views, ended[1], lang)
        if not self.live.pictured:
            now.pop(self.board.picture, None)
        changed = {block: html for block, html in now.items() if self._shown.get(block) != html}
        self._shown |= changed
        return changed

    def _after(self, views: Sequence[View], ended: Sequence[Run | None], lang: str) -> dict[Any, str]:
        request = self.live.request
        now: dict[Any, str] = {}
        for view, block in zip(views, self.board.answers, strict=True):
            if view.run:
                now[block] = answer.finished(view, lang)
        if any(ended):
            now[self.board.figures] = figures.table(ended, [view.label for view in views], lang)
        boxes = [run.boxes if run else () for run in ended]
        now[self.board.picture] = picture(request.image, boxes, lang, self.live.names[lang])
        now[self.board.said] = announced(views, request.comparison_id, lang)
        shares, before = self.live.arena.settings.apart, self.live.before
        now[self.board.links] = (
            link_bar.finished(request.comparison_id, views, before, lang, shares=shares) if all(ended) else ""
        )
        return now


def announced(views: Sequence[View], comparison_id: str, lang: str) -> str:
    """For those who cannot see it: how each side has ended, and which comparison it was once all have."""
    ended = [f"{view.letter}, {view.label}: {tr(f'statuses.{view.run.status}', lang)}" for view in views if view.run]
    over = f' data-over="{comparison_id}"' if len(ended) == len(views) else ""
    return f'<p class="sr" role="status"{over}>{render.text(". ".join(ended))}</p>'
