"""The page: assembles the tabs, nothing else. A tab is one file, `build(arena)`, called inside its `gr.Tab`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from arena.core import Arena
from arena.strings import tr
from arena.ui import (
    closed_pages,
    header,
    kept_banner,
    tab_battle,
    tab_benchmark,
    tab_chat,
    tab_compare,
    tab_documents,
    tab_lesson,
    tab_models,
    tab_ratings,
)
from arena.ui.i18n import language, on_language, t
from arena.ui.sound_choices import SoundChoices

TO_THE_TOP = """() => requestAnimationFrame(() => {
  scrollTo({ top: 0 });
  document.querySelector('#tabs [role=tab][aria-selected=true]')?.focus({ preventScroll: true });
})"""
TABS = {
    "compare": tab_compare.build,
    "battle": tab_battle.build,
    "chat": tab_chat.build,
    "documents": tab_documents.build,
    "ratings": tab_ratings.build,
    "lesson": tab_lesson.build,
    "benchmark": tab_benchmark.build,
    "models": tab_models.build,
}


def heading(name: str) -> None:
    """What a tab is called, for those who go by headings; the others see it above."""
    gr.HTML(
        t(f"ui.tab.{name}"), html_template="<h2>${value}</h2>", apply_default_css=False, elem_classes="sr tab-heading"
    )


def build_ui(arena: Arena) -> gr.Blocks:
    """The whole page over one open `Arena`."""
    with SoundChoices(title="VLM Arena", analytics_enabled=False, delete_cache=(600, 3600), fill_width=True) as page:
        header.build()
        if arena.settings.apart:
            kept_banner.build(arena)
        tabs: dict[str, gr.Tab] = {}
        built: dict[str, Any] = {}
        # All of them stand in one row, which is pushed sideways where it is too narrow (see assets/theme.css).
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as bar:
            for name, build in TABS.items():
                if name == "lesson" and not arena.classroom:
                    continue
                with gr.Tab(t(f"ui.tab.{name}"), id=name) as tabs[name]:
                    heading(name)
                    built[name] = build(arena)

        def titles(request: gr.Request) -> dict[gr.Tab, gr.Tab]:
            return {tab: gr.Tab(label=tr(f"ui.tab.{name}", language(request))) for name, tab in tabs.items()}

        compare: tab_compare.CompareTab = built["compare"]
        models: tab_models.ModelsTab = built["models"]
        light: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        models.downloads.rows_changed(compare.on_choice, compare.choice, compare.described, **light)
        used = models.cards.use_model(compare.on_use, compare.choice, [*compare.described, compare.asked.task], **light)
        used.then(lambda: gr.Tabs(selected="compare"), None, bar, **light).then(None, js=TO_THE_TOP)
        repeated = compare.run_again(built["benchmark"].run_again)
        repeated.then(lambda: gr.Tabs(selected="compare"), None, bar, **light).then(None, js=TO_THE_TOP)
        # A tab that was never opened does not hear of a switch of the language.
        on_language(titles, None, list(tabs.values()))
        closed_pages.forgotten(page)
    # The framework would write how far an event is to everything that it may change, at every step of it: with the
    # tabs of this page that takes the browser longer than the step. Nothing of ours shows it.
    for event in page.fns.values():
        if event.show_progress == "hidden":
            event.show_progress_on = []
    return page
