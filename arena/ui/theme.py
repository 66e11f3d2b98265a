"""Colours and type of the page for the framework's own components; everything else is assets/theme.css."""

from __future__ import annotations

import gradio as gr

SANS = ("Segoe UI Variable Text", "Segoe UI", "Roboto", "Helvetica Neue", "Noto Sans", "PT Sans", "sans-serif")
MONO = ("Cascadia Mono", "SF Mono", "Consolas", "Noto Sans Mono", "DejaVu Sans Mono", "monospace")


def theme() -> gr.themes.Base:
    """System fonts only: nothing is fetched. The colours are the variables of assets/theme.css."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        text_size=gr.themes.sizes.text_md,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
        font=SANS,
        font_mono=MONO,
    ).set(**COLOURS, **{f"{name}_dark": value for name, value in COLOURS.items() if name not in ONE_FOR_BOTH})


ONE_FOR_BOTH = ("color_accent", "shadow_drop", "shadow_drop_lg")
COLOURS = {
    "body_background_fill": "var(--paper)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--ink-soft)",
    "background_fill_primary": "var(--card)",
    "background_fill_secondary": "var(--well)",
    "block_background_fill": "var(--card)",
    "block_border_color": "var(--line)",
    "block_label_background_fill": "transparent",
    "block_label_text_color": "var(--ink-soft)",
    "block_title_text_color": "var(--ink-soft)",
    "block_info_text_color": "var(--ink-soft)",
    "border_color_primary": "var(--line)",
    "border_color_accent": "var(--accent)",
    "color_accent": "var(--accent)",
    "color_accent_soft": "var(--accent-soft)",
    "link_text_color": "var(--accent)",
    "input_background_fill": "var(--well)",
    "input_background_fill_focus": "var(--card)",
    "input_border_color": "var(--line)",
    "input_border_color_focus": "var(--accent)",
    "input_placeholder_color": "var(--ink-faint)",
    "panel_background_fill": "var(--card)",
    "panel_border_color": "var(--line)",
    "button_primary_background_fill": "var(--button)",
    "button_primary_background_fill_hover": "var(--button-hover)",
    "button_primary_text_color": "var(--button-ink)",
    "button_primary_border_color": "transparent",
    "button_secondary_background_fill": "var(--card)",
    "button_secondary_background_fill_hover": "var(--well)",
    "button_secondary_text_color": "var(--ink)",
    "button_secondary_border_color": "var(--line-strong)",
    "checkbox_background_color": "var(--card)",
    "checkbox_background_color_selected": "var(--accent)",
    "checkbox_border_color": "var(--line-strong)",
    "checkbox_border_color_selected": "var(--accent)",
    "checkbox_label_background_fill": "var(--card)",
    "checkbox_label_background_fill_selected": "var(--accent-soft)",
    "checkbox_label_text_color": "var(--ink)",
    "checkbox_label_text_color_selected": "var(--ink)",
    "checkbox_label_border_color": "var(--line)",
    "slider_color": "var(--accent)",
    "table_border_color": "var(--line)",
    "table_even_background_fill": "var(--card)",
    "table_odd_background_fill": "var(--well)",
    "table_row_focus": "var(--accent-soft)",
    "error_background_fill": "var(--bad-soft)",
    "error_border_color": "var(--bad)",
    "error_text_color": "var(--bad)",
    "loader_color": "var(--accent)",
    "shadow_drop": "none",
    "shadow_drop_lg": "none",
}
