"""A turn of a conversation as a comparison: what each side is told of the turns before, and what is kept of its answer.

A side hears its own answers and nothing of the other's; of the turns that it did not answer it gets the pictures alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from arena.cancel import Cancel
from arena.compare import Request, Side, compare
from arena.conversations import Answer, Conversation, Conversations, Turn
from arena.core import Arena
from arena.errors import RunError
from arena.images import ImageStore, StoredImage
from arena.params import traits
from arena.spec import ModelSpec
from arena.types import Event, Run

TASK = "chat"
SIDES = ("A", "B")
LIVELY = 0.7  # temperature of another answer to the same question, where none is given
log = logging.getLogger(__name__)
Shown = list[tuple[int, StoredImage]]  # with the number of the turn, the oldest first


def takes_several(spec: ModelSpec) -> bool:
    """Whether the model is shown every picture of a conversation; the others get the newest alone.

    A server in vLLM's mode is started for one picture a request.
    """
    return traits(spec).several_images and spec.mode != "vllm"


def heard(turns: Sequence[Turn], side: str) -> tuple[list[list[str]], list[tuple[int, str]]]:
    """Questions and answers before the last turn as `side` knows them, and the hashes of all pictures with the numbers
    of the turns, as it counts them, in which they stand."""
    before: list[list[str]] = []
    pictures: list[tuple[int, str]] = []
    for turn in turns:
        pictures += [(len(before), sha256) for sha256 in turn.images]
        answer = turn.answers.get(side)
        if turn is not turns[-1] and answer and answer.text.strip():
            before.append([turn.text, answer.text])
    return before, pictures


def pictures_of(images: ImageStore, pictures: Sequence[tuple[int, str]]) -> Shown:
    """Those that are still kept."""
    return [(turn, stored) for turn, sha256 in pictures if (stored := images.get(sha256))]


def told(spec: ModelSpec, before: list[list[str]], pictures: Shown, system: str) -> dict[str, object]:
    """What a side is told besides the question, as `adapters.base.Job` and `adapters.shown` name it."""
    found: dict[str, object] = {"history": before, "system": system}
    if pictures:
        *earlier, (turn, newest) = pictures
        found["image_turn"] = turn
        if takes_several(spec):
            found["earlier_images"] = [[at, beside(newest, each)] for at, each in earlier]
    return {name: value for name, value in found.items() if value}


def beside(newest: StoredImage, other: StoredImage) -> str:
    """The other's file, named from the folder of the newest."""
    return Path(os.path.relpath(other.path, newest.path.parent)).as_posix()


def request_of(
    arena: Arena,
    conversation: Conversation,
    models: Mapping[str, ModelSpec],
    params: Mapping[str, Mapping[str, object]],
    *,
    visitor: str,
    again: bool = False,
) -> Request:
    """What is asked for the last turn of the conversation, by the side's letter.

    again: there was an answer already, so that another one is wished.
    """
    turns = conversation.turns
    system = str(conversation.setup.get("system") or "").strip()
    sides, newest = [], None
    for letter, spec in models.items():
        before, hashes = heard(turns, letter)
        pictures = pictures_of(arena.images, hashes)
        newest = pictures[-1][1] if pictures else None
        given = dict(params.get(letter, {}))
        if again and "temperature" in traits(spec).params:
            given.setdefault("temperature", LIVELY)
        sides.append(Side(spec, {**given, **told(spec, before, pictures, system)}))
    return Request(
        sides=tuple(sides),
        image=newest,
        task=arena.catalog.task(TASK),
        prompt=turns[-1].text,
        visitor=visitor,
        letters="".join(models),
    )


def answering(
    conversations: Conversations,
    write: Callable[[], None],
    conversation: Conversation,
    arena: Arena,
    request: Request,
    cancel: Cancel,
) -> Iterator[Event]:
    """The comparison that asks the last turn. First `write` keeps the question; each answer is kept before it is passed
    on."""
    write()
    for event in compare(arena, request, cancel):
        if isinstance(event, Run):
            try:
                answer = Answer(event.text, event.model, event.run_id)
                conversations.answered(conversation.id, len(conversation.turns) - 1, event.side, answer)
            except RunError as error:  # the other side is asked all the same
                log.warning("an answer is missing from conversation %s: %s", conversation.id, error)
        yield event
