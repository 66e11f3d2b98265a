"""The head of the page: our mark, what this is, the switches of language and theme."""

from __future__ import annotations

import gradio as gr

from arena.strings import LANGUAGES
from arena.ui.i18n import HEADER, t
from arena.ui.shell import MARK

NAMES = {"en": "English", "ru": "Русский"}
# Sun and moon; the style sheet shows the one that fits.
THEME = (
    '<svg viewBox="0 0 24 24" class="sun" aria-hidden="true"><circle cx="12" cy="12" r="4.5"/>'
    '<path d="M12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22"/>'
    '<path d="M4.9 4.9l1.8 1.8M17.3 17.3l1.8 1.8M4.9 19.1l1.8-1.8M17.3 6.7l1.8-1.8"/></svg>'
    '<svg viewBox="0 0 24 24" class="moon" aria-hidden="true">'
    '<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/></svg>'
)
SWITCH = """
const show = () => element.querySelectorAll('[data-lang]').forEach((button) =>
  button.setAttribute('aria-pressed', button.dataset.lang === window.arena.lang));
element.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-lang]');
  if (!button || button.dataset.lang === window.arena.lang) return;
  await window.arena.switchLanguage(button.dataset.lang);
  show();
  trigger('select', {});
});
watch(['value', 'label'], show);
show();
"""


def build() -> gr.HTML:
    """Lay the header out in the current block."""
    buttons = "".join(
        f'<button type="button" data-lang="{lang}" lang="{lang}" aria-label="{NAMES[lang]}">{lang.upper()}</button>'
        for lang in LANGUAGES
    )
    return gr.HTML(
        t("ui.tagline"),
        label=t("ui.theme"),
        html_template=(
            f'<div class="top"><div class="brand">{MARK}<div><h1>VLM Arena</h1><p>${{value}}</p></div></div>'
            f'<div class="switches"><div class="languages" role="group" aria-label="Language · Язык">{buttons}</div>'
            f'<button type="button" class="theme" data-theme="switch" aria-label="${{label}}" title="${{label}}">'
            f"{THEME}</button>"
            "</div></div>"
        ),
        js_on_load=SWITCH,
        apply_default_css=False,
        elem_id=HEADER,
    )
