"""What a model is asked in the end: the prompt, and the document's language where it is known."""

from __future__ import annotations

import re

from adapters.base import Job

# English name, and for prompts in Russian the Russian one, of the languages a document may be in.
LANGUAGES = {
    "ar": ("Arabic", "арабский"), "de": ("German", "немецкий"), "en": ("English", "английский"),
    "es": ("Spanish", "испанский"), "fr": ("French", "французский"), "it": ("Italian", "итальянский"),
    "ja": ("Japanese", "японский"), "ko": ("Korean", "корейский"), "pt": ("Portuguese", "португальский"),
    "ru": ("Russian", "русский"), "uk": ("Ukrainian", "украинский"), "vi": ("Vietnamese", "вьетнамский"),
    "zh": ("Chinese", "китайский"),
}  # fmt: skip
READING = ("ocr", "formatted_ocr", "layout")  # tasks in which the document's language matters


def asked(job: Job) -> str:
    """The prompt; when a document in a known language is to be read, with its language said once more."""
    names = LANGUAGES.get(job.language)
    if not names or job.task not in READING or not job.prompt:
        return job.prompt
    russian = re.search("[а-яё]", job.prompt, re.IGNORECASE)
    return f"{job.prompt}\nЯзык документа: {names[1]}." if russian else f"{job.prompt}\nThe document is in {names[0]}."
