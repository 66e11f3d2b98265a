"""From OpenAI's list of messages to what a run is given: what is told before all, the turns before, what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.api.errors import ApiError
from arena.api.schema import ImageUrl, Message, Part


@dataclass(frozen=True)
class Conversation:
    """system: told before all turns, or "". history: questions and their answers. prompt: what is asked now.
    image: its URL, None when nothing is shown. image_turn: the number of the turn it stands in, 0 the first."""

    system: str
    history: tuple[tuple[str, str], ...]
    prompt: str
    image: str | None = None
    image_turn: int = 0


def read(messages: Sequence[Message]) -> Conversation:
    """Messages of one role in a row are one. Raises `ApiError` for what no model here could be told."""
    system: list[str] = []
    turns: list[tuple[list[str], list[str]]] = []
    images: list[tuple[str, int]] = []
    for number, message in enumerate(messages):
        texts, shown = content(message, f"messages.{number}.content")
        if message.role in ("system", "developer"):
            system += texts
        elif message.role == "assistant":
            if not turns:
                raise ApiError(400, "api.begins_with_answer", param=f"messages.{number}.role")
            turns[-1][1].extend(texts or [""])
        else:
            if not turns or turns[-1][1]:
                turns.append(([], []))
            turns[-1][0].extend(texts)
        if shown and message.role != "user":
            raise ApiError(400, "api.image_of_user", param=f"messages.{number}.content")
        images += [(url, len(turns) - 1) for url in shown]
    if not turns or turns[-1][1]:
        raise ApiError(400, "api.ends_with_question", param="messages")
    if len(images) > 1:
        raise ApiError(400, "api.one_image", param="messages", count=len(images))
    *before, (asked, _) = [("\n".join(question), "\n".join(answer)) for question, answer in turns]
    image, turn = images[0] if images else (None, 0)
    if not asked.strip() and (image is None or turn != len(before)):
        raise ApiError(400, "api.nothing_asked", param="messages")
    return Conversation("\n\n".join(system), tuple(before), asked, image, turn)


def content(message: Message, where: str) -> tuple[list[str], list[str]]:
    """Texts of a message and URLs of its images."""
    if isinstance(message.content, str):
        return [message.content], []
    texts, images = [], []
    for number, part in enumerate(message.content or ()):
        if part.type == "text" and part.text is not None:
            texts.append(part.text)
        elif part.type == "image_url" and part.image_url is not None:
            images.append(part.image_url.url if isinstance(part.image_url, ImageUrl) else part.image_url)
        else:
            raise unreadable(part, f"{where}.{number}")
    return texts, images


def unreadable(part: Part, where: str) -> ApiError:
    key = "api.part_empty" if part.type in ("text", "image_url") else "api.part"
    return ApiError(400, key, param=where, type=part.type[:40])
