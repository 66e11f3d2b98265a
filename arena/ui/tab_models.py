"""Tab Models: what this machine has, and every model of the catalogue with what it needs to run here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_args

import gradio as gr
from gradio.context import Context

from arena.core import Arena
from arena.doctor import examine
from arena.status import Code, bytes_on_disk, fit
from arena.ui import downloads_panel
from arena.ui.block import block
from arena.ui.downloads_panel import missing
from arena.ui.i18n import language, t, task_title
from arena.ui.model_cards import Entry, cards, machine
from arena.ui.visitor import may_administer

# Where the download that was just begun can be watched and stopped.
TO_THE_PANEL = """() => requestAnimationFrame(() => {
  const panel = document.getElementById('downloads');
  const button = panel.querySelector('li.active button') || panel.querySelector('button');
  panel.scrollIntoView({ block: 'nearest' });
  button?.focus({ preventScroll: true });
})"""
LIGHT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class ModelsTab:
    """What others listen to. cards: ``use_model`` says which model is wanted on which side. downloads:
    ``rows_changed`` says that a model came, went or was removed."""

    cards: gr.HTML
    downloads: gr.HTML


def build(arena: Arena) -> ModelsTab:
    """Lay the tab out inside the current `gr.Tab` and connect it."""
    tab, apart = Context.block, arena.settings.apart

    def entries() -> list[Entry]:
        """A few milliseconds: nothing is imported, no model is touched."""
        coming = {each.spec.source for each in panel.running.under_way()}
        return [
            Entry(
                spec,
                arena.status(spec),
                fit(spec, arena.gpus),
                bytes_on_disk(spec),
                missing(spec, arena),
                spec.source in coming,
            )
            for spec in arena.catalog.visible(arena.settings.dev)
        ]

    def show(words: str, statuses: list[str], tasks: list[str], request: gr.Request) -> str:
        lang, may = language(request), may_administer(request, arena.settings)
        every = entries() if may or not apart else [_without_paths(entry) for entry in entries()]
        found = [
            entry
            for entry in every
            if entry.has(words or "", lang)
            and (not statuses or entry.status.code in statuses)
            and (not tasks or set(tasks) & set(entry.spec.tasks))
        ]
        return cards(found, len(every), arena.catalog.tasks, lang, may_download=may)

    def look(request: gr.Request) -> str:
        if apart and not may_administer(request, arena.settings):
            return ""
        # What is said of a model stands on its card; what the machine is good for, before all the rest.
        found = [each for each in examine(arena.settings) if each.id != "catalogue" and not _of_model(each.id)]
        found.sort(key=lambda each: each.id != "mode")
        return machine(found, language(request))

    def doors(request: gr.Request) -> list[gr.Accordion]:
        """What is of the machine and of changing it: hidden from strangers."""
        seen = not apart or may_administer(request, arena.settings)
        return [gr.Accordion(visible=seen), gr.Accordion(visible=seen)]

    with gr.Accordion(t("models_tab.machine"), elem_id="machine", visible=not apart) as about:
        here = block("machine-found", "models")
        with gr.Row():
            again = gr.Button(t("models_tab.refresh"), size="sm", scale=0, min_width=180, elem_id="look-again")
    panel = downloads_panel.build(arena)
    with gr.Row(elem_classes="filters"):
        words = gr.Textbox(
            label=t("models_tab.filter.text"),
            placeholder=t("models_tab.filter.text_hint"),
            scale=3,
            min_width=300,
            elem_id="models-search",
        )
        codes = [(t(f"models.badge.{code}"), code) for code in get_args(Code)]
        statuses = gr.Dropdown(
            codes,
            multiselect=True,
            label=t("models_tab.filter.statuses"),
            scale=2,
            min_width=140,
            elem_id="models-status",
        )
        kinds = [(task_title(task), task.id) for task in arena.catalog.tasks.values()]
        tasks = gr.Dropdown(
            kinds, multiselect=True, label=t("models_tab.filter.tasks"), scale=2, min_width=140, elem_id="models-task"
        )
    found = block("models-found", "models")

    filters = [words, statuses, tasks]
    for changed in filters:
        changed.change(show, filters, found, trigger_mode="always_last", **LIGHT)
    for event in (tab.select, again.click, found.write_again):
        event(show, filters, found, **LIGHT)
        event(look, None, here, **LIGHT)
    tab.select(panel.shown, None, panel.list, **LIGHT)
    if apart:
        tab.select(doors, None, [about, panel.box], **LIGHT)
    panel.list.rows_changed(show, filters, found, **LIGHT)
    begun = found.start_download(panel.start, None, [panel.box, panel.list], **downloads_panel.WATCHED)
    begun.then(None, js=TO_THE_PANEL, show_progress="hidden", api_visibility="private")
    return ModelsTab(found, panel.list)


def _of_model(id: str) -> bool:
    """``engine.tesseract`` is of a model, ``engine.tesseract.ru`` of the machine."""
    return id.startswith("engine.") and id.count(".") == 1


def _without_paths(entry: Entry) -> Entry:
    """The entry as a stranger reads it: what the model is, not what to type on this machine nor where its files lie."""
    source = "" if entry.spec.local else entry.spec.source
    status = replace(entry.status, command="")
    return replace(entry, spec=replace(entry.spec, source=source), status=status, missing=False)
