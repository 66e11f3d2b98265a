"""The gallery of sample pictures made for this project: title, picture, its exact text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from arena.strings import tr
from arena.ui import render

FOLDER = Path(__file__).parent.parent.parent / "assets" / "samples"


@dataclass(frozen=True)
class Sample:
    """language: of the text in the picture, ISO 639-1. reference: that text. question: by language of the visitor."""

    id: str
    path: Path
    titles: dict[str, str]
    language: str
    reference: str
    question: dict[str, str]


@cache
def samples() -> dict[str, Sample]:
    """By id, in the order of the gallery; a page opens with the first unless another suits its models."""
    found = yaml.safe_load((FOLDER / "samples.yaml").read_text(encoding="utf-8"))
    return {
        entry["id"]: Sample(
            id=entry["id"],
            path=FOLDER / entry["file"],
            titles=entry["titles"],
            language=entry["language"],
            reference=(FOLDER / entry["reference"]).read_text(encoding="utf-8").strip(),
            question=entry["question"],
        )
        for entry in found
    }


def gallery(lang: str, chosen: str = "") -> str:
    """The pictures as a row of buttons."""
    pressed = {True: "true", False: "false"}
    buttons = "".join(
        f'<button type="button" data-sample="{render.text(sample.id)}" aria-pressed="{pressed[sample.id == chosen]}">'
        f'<img src="media/sample/{render.text(sample.id)}.webp" alt="" loading="lazy">'
        f"<span>{render.text(sample.titles[lang])}</span></button>"
        for sample in samples().values()
    )
    paste = render.text(tr("ui.image.paste", lang))
    label = render.text(tr("ui.image.samples", lang))
    return f'<div class="gallery" role="group" aria-label="{label}">{buttons}</div><p class="hint">{paste}</p>'
