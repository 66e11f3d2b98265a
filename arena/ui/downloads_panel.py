"""Downloads of the Models tab: started from a model's card, watched, stopped, gone on with, removed after a question.

Whoever may not change this machine sees everything, and the commands instead; every handler asks for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena import downloads, hub
from arena.core import Arena
from arena.downloading import Downloads
from arena.errors import RunError
from arena.spec import ModelSpec
from arena.status import download_status
from arena.strings import tr
from arena.ui import render
from arena.ui.block import block
from arena.ui.download_rows import Row, question, rows
from arena.ui.i18n import language, t
from arena.ui.visitor import may_administer
from arena.units import stored

WATCHED: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}  # may say something: queued
LIGHT: dict[str, Any] = WATCHED | {"queue": False}
DIALOG = "${value ? '<dialog open>' + value + '</dialog>' : ''}"


@dataclass(frozen=True)
class DownloadsPanel:
    """box: what folds. list: the rows. dialog: the question before a model is removed."""

    arena: Arena
    running: Downloads
    box: gr.Accordion
    list: gr.HTML
    dialog: gr.HTML

    def shown(self, request: gr.Request) -> str:
        place = hub.repository("x/y").parent
        found = self.rows()
        return rows(
            found,
            downloads.free_bytes(),
            str(place),
            language(request),
            may=may_administer(request, self.arena.settings),
        )

    def news(self, before: str, request: gr.Request) -> Any:
        """The rows, if anything in them has changed."""
        now = self.shown(request)
        return gr.skip() if now == before else now

    def start(self, event: gr.EventData, request: gr.Request) -> Any:
        """Begin, or go on with, the download of a model of the catalogue."""
        if self._refused(request):
            return gr.skip()
        spec = self.arena.catalog.models.get(str(event._data.get("value")))
        if spec and missing(spec, self.arena):
            self.running.start(spec)
        return gr.Accordion(open=True), self.shown(request)

    def stop(self, event: gr.EventData, request: gr.Request) -> Any:
        if self._refused(request):
            return gr.skip()
        if known := self.running.of(str(event._data.get("value"))):
            known.stop()
        return self.shown(request)

    def forget(self, event: gr.EventData, request: gr.Request) -> Any:
        if self._refused(request):
            return gr.skip()
        self.running.forget(str(event._data.get("value")))
        return self.shown(request)

    def ask(self, event: gr.EventData, request: gr.Request) -> Any:
        """The question before a model is removed."""
        if self._refused(request):
            return gr.skip()
        row = self._removable(event)
        return question(row, language(request)) if row else ""

    def remove(self, event: gr.EventData, request: gr.Request) -> Any:
        if self._refused(request):
            return gr.skip()
        row, lang = self._removable(event), language(request)
        if row:
            spec = self.arena.catalog.models.get(row.model)
            sources = {row.source, *(spec.also if spec else ())}
            try:
                freed = downloads.remove(one for one in downloads.cached() if one.source in sources)
            except RunError as error:
                gr.Warning(render.text(error.text(lang)))
            else:
                self.running.forget(row.source)
                gr.Info(render.text(tr("downloads_panel.removed", lang, title=row.title, size=stored(freed, lang))))
        return "", self.shown(request)

    def rows(self) -> list[Row]:
        """What is on the disk, what is coming and what failed: a row a model, then what other programs have brought."""
        known = downloadable(self.arena)
        cached = {one.source: one for one in downloads.cached()}
        found = []
        for spec in known.values():
            size = sum(cached[source].size for source in (spec.source, *spec.also) if source in cached)
            download = self.running.of(spec.source)
            if size or download:
                found.append(Row(spec.source, spec.title, spec.id, size, not missing(spec, self.arena), download))
        ours = {source for spec in self.arena.catalog.models.values() for source in (spec.source, *spec.also)}
        others = [one for source, one in cached.items() if source not in ours]
        return found + [Row(one.source, one.source, "", one.size, one.whole and not one.unfinished) for one in others]

    def _refused(self, request: gr.Request) -> bool:
        """Whether this visitor may only look; if so, he is told. The first thing every handler that changes asks."""
        if may_administer(request, self.arena.settings):
            return False
        gr.Warning(render.text(tr("downloads_panel.remote", language(request))))
        return True

    def _removable(self, event: gr.EventData) -> Row | None:
        """The row that is asked for, if it is on the disk and nothing of it is coming."""
        source = str(event._data.get("value"))
        return next((row for row in self.rows() if row.source == source and row.size and not row.active), None)


def downloadable(arena: Arena) -> dict[str, ModelSpec]:
    """The models of the catalogue that come from the Hub, by source; of two entries for one source the first."""
    found: dict[str, ModelSpec] = {}
    for spec in arena.catalog.visible(arena.settings.dev):
        if spec.source and not spec.local:
            found.setdefault(spec.source, spec)
    return found


def missing(spec: ModelSpec, arena: Arena) -> bool:
    """Whether some of the model's files have to be downloaded yet."""
    return bool(spec.source) and download_status(spec, arena.settings) is not None


def build(arena: Arena) -> DownloadsPanel:
    """Lay the panel out in the current column and connect it, but for what the cards start."""
    with gr.Accordion(
        t("downloads_panel.title"), open=True, elem_id="downloads", visible=not arena.settings.apart
    ) as box:
        listed = block("downloads-list", "models")
    dialog = block("remove-dialog", "benchmark", DIALOG)
    panel = DownloadsPanel(arena, Downloads(arena.settings), box, listed, dialog)
    listed.write_again(panel.news, listed, listed, **LIGHT)
    listed.start_download(panel.start, None, [box, listed], **WATCHED)
    listed.stop_download(panel.stop, None, listed, **WATCHED)
    listed.forget_download(panel.forget, None, listed, **WATCHED)
    listed.ask_remove(panel.ask, None, dialog, **WATCHED)
    dialog.confirm_remove(panel.remove, None, [dialog, listed], **WATCHED)
    return panel
