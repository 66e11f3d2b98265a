"""The page: assembles the tabs, nothing else. A tab is one file, `build(arena)`, called inside its `gr.Tab`."""

from __future__ import annotations

import gradio as gr

from arena.core import Arena
from arena.ui import tab_benchmark, tab_compare, tab_models
from arena.ui.i18n import t


def build_ui(arena: Arena) -> gr.Blocks:
    """The whole page over one open `Arena`."""
    with gr.Blocks(title="VLM Arena", analytics_enabled=False, delete_cache=(600, 3600), fill_width=True) as page:
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(t("ui.tab.compare"), id="compare"):
                tab_compare.build(arena)
            with gr.Tab(t("ui.tab.benchmark"), id="benchmark"):
                tab_benchmark.build(arena)
            with gr.Tab(t("ui.tab.models"), id="models"):
                tab_models.build(arena)
    return page
