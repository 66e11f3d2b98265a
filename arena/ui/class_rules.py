"""Whether somebody may start what he asks for, where a teacher decides that; asked before anything runs."""

from __future__ import annotations

import gradio as gr

from arena.access import KEEPERS, role_of, visitor_of
from arena.compare import Request
from arena.core import Arena
from arena.strings import LANGUAGES
from arena.ui.samples import samples


def teaches(request: gr.Request, arena: Arena) -> bool:
    """Whether the caller leads the class."""
    return role_of(request, arena.settings) in KEEPERS


def admit(arena: Arena, asked: Request, caller: gr.Request) -> None:
    """Raises `RunError` with the reason when a pupil may not start this now; without a class everybody may."""
    room = arena.classroom
    if room is None or teaches(caller, arena):
        return
    room.see(visitor_of(caller))
    room.admit(
        [side.spec.id for side in asked.sides],
        asked.task.id,
        own_prompt=asked.prompt.strip() not in ready_prompts(arena),
        own_picture=asked.image is not None and asked.image.sha256 not in ready_pictures(arena),
    )


def ready_prompts(arena: Arena) -> set[str]:
    """Those of the tasks and the questions to the samples."""
    tasks = {task.prompt_for(lang).strip() for task in arena.catalog.tasks.values() for lang in LANGUAGES}
    return tasks | {each.question[lang].strip() for each in samples().values() for lang in LANGUAGES} | {""}


def ready_pictures(arena: Arena) -> set[str]:
    """The samples' hashes; the store remembers what it has stored before."""
    return {arena.images.add(each.path).sha256 for each in samples().values()}
