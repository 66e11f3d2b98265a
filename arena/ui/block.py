"""A block of our own HTML in the page, with the style and the script of its tab."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from arena.ui.render import text

ASSETS = Path(__file__).parent.parent.parent / "assets"


def block(name: str, style: str, template: str = "${value}") -> gr.HTML:
    """An empty block: a handler fills it with HTML whose every text is escaped.

    name: its id in the page. style: the file ``assets/<style>.css``, whose rules stay inside the block. What is
    clicked comes back as an event named by ``data-event`` (see assets/blocks.js).
    """
    return gr.HTML(
        "",
        html_template=template,
        css_template=(ASSETS / f"{style}.css").read_text(encoding="utf-8"),
        js_on_load=(ASSETS / "blocks.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=name,
    )


def copy_button(source: str, label: str, done: str) -> str:
    """A button that copies the text of the element with the id `source` (see assets/page.js)."""
    return (
        f'<button type="button" class="copy" data-copy="{text(source)}"><span>{text(label)}</span>'
        f'<span class="after">{text(done)}</span></button>'
    )
