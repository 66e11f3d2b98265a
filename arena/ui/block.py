"""A block of our own HTML in the page, with the style and the script of its tab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from arena.ui.render import text

if TYPE_CHECKING:
    import gradio as gr

ASSETS = Path(__file__).parent.parent.parent / "assets"


def block(name: str, style: str, template: str = "${value}") -> gr.HTML:
    """An empty block: a handler fills it with HTML whose every text is escaped.

    name: its id in the page. style: the file ``assets/<style>.css``, whose rules stay inside the block. What is
    clicked comes back as an event named by ``data-event`` (see assets/blocks.js).
    """
    import gradio as gr  # a second and more, for who only wants the button below

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
