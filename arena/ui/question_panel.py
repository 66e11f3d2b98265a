"""Left below: what is asked of the picture: the task, its prompt, the language, the right answer if it is known."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr
from gradio.i18n import I18nData

from arena.core import Arena
from arena.strings import LANGUAGES, strings
from arena.ui.i18n import t, task_title
from arena.ui.samples import samples

QUESTION = "question"
ORDER = ("ocr", "formatted_ocr", "description", QUESTION, "layout")  # the first is chosen; others come after


@dataclass(frozen=True)
class QuestionPanel:
    task: gr.Radio
    prompt: gr.Textbox
    language: gr.Dropdown
    reference: gr.Textbox


def document_languages(arena: Arena) -> list[str]:
    """The languages that some model of the catalogue reads, if we have a name for them: ours first."""
    known = {code for spec in arena.catalog.models.values() for code in spec.languages}
    named = {code for code in known if f"ui.language.{code}" in strings("en")}
    return ["ru", "en", *sorted(named - set(LANGUAGES))]


def task_choices(arena: Arena) -> list[tuple[I18nData, str]]:
    """What can be asked of one image, in words and by id."""
    known = {name: task for name, task in arena.catalog.tasks.items() if not task.conversation}
    ordered = [name for name in ORDER if name in known] + [name for name in known if name not in ORDER]
    return [(task_title(known[name]), name) for name in ordered]


def language_choices(arena: Arena) -> list[tuple[I18nData, str]]:
    """The languages of a document, in words and by code; first that nothing is known."""
    named = [(t(f"ui.language.{code}"), code) for code in document_languages(arena)]
    return [(t("ui.language.any"), ""), *named]


def build(arena: Arena) -> QuestionPanel:
    """Lay the panel out in the current column."""
    tasks, languages = task_choices(arena), language_choices(arena)
    task = gr.Radio(tasks, value=tasks[0][1], label=t("ui.task"), elem_id="task", elem_classes="pills")
    prompt = gr.Textbox(label=t("ui.prompt"), lines=2, max_lines=8, max_length=100_000, elem_id="prompt")
    language = gr.Dropdown(languages, value="", label=t("ui.document_language"), elem_id="document-language")
    with gr.Accordion(t("ui.reference.title"), open=False, elem_id="reference-box"):
        reference = gr.Textbox(
            label=t("ui.reference.label"),
            info=t("ui.reference.info"),
            lines=4,
            max_lines=12,
            max_length=500_000,
            elem_id="reference",
        )
    return QuestionPanel(task, prompt, language, reference)


def prompt_after(arena: Arena, task: str, before: str, lang: str, sample: str) -> str:
    """The prompt once the task, the picture or the language has changed; one that the visitor wrote is kept.

    A sample of the gallery brings a question of its own.
    """
    ours = {each.prompt_for(code).strip() for each in arena.catalog.tasks.values() for code in LANGUAGES}
    ours |= {each.question[code].strip() for each in samples().values() for code in LANGUAGES}
    if before and before.strip() not in ours:
        return before
    if task == QUESTION and sample:
        return samples()[sample].question[lang]
    return arena.catalog.task(task).prompt_for(lang)
