"""``/chat/<id>.md`` and ``.json``: a conversation as a file, for whom it belongs to."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter, HTTPException, Request, Response

from arena.conversations import Conversation, Conversations
from arena.core import Arena
from arena.errors import ArenaError
from arena.run_json import run_json
from arena.strings import tr
from arena.types import Run
from arena.ui.chat_panel import known_to, owner_of
from arena.ui.chat_view import Known, costs
from arena.ui.i18n import language

TYPES = {"md": "text/markdown; charset=utf-8", "json": "application/json"}


def router(arena: Arena) -> APIRouter:
    """The route. Whose a conversation is not gets the answer of one that is not there."""
    routes = APIRouter(include_in_schema=False)
    conversations = Conversations(arena.store)

    @routes.get("/chat/{name}.{kind}")
    def saved(name: str, kind: Literal["md", "json"], request: Request) -> Response:
        lang = language(request)
        try:
            found = conversations.load(name, owner_of(request, arena))
            known = known_to(arena, found)
        except ArenaError as error:
            raise HTTPException(404, error.text(lang)) from error
        text = as_markdown(found, known, lang) if kind == "md" else as_json(found, known)
        return Response(
            text.encode("utf-8", "replace"),
            media_type=TYPES[kind],
            headers={
                "Content-Disposition": f'attachment; filename="chat-{found.id}.{kind}"',
                "Cache-Control": "no-store",
            },
        )

    return routes


def as_json(conversation: Conversation, known: Known) -> str:
    """Everything: the setup, the turns, and of each answer its run as far as that is kept."""
    turns = []
    for turn in conversation.turns:
        answers = {}
        for side, given in turn.answers.items():
            run = known.runs.get(given.run_id)
            answers[side] = {**asdict(given), "run": run_json(run) if run else None}
        turns.append({"question": turn.text, "images": list(turn.images), "answers": answers})
    told = {"id": conversation.id, "title": conversation.title, "setup": conversation.setup}
    moments = {"created_at": conversation.created_at.isoformat(), "updated_at": conversation.updated_at.isoformat()}
    return json.dumps({**told, **moments, "turns": turns}, ensure_ascii=False, indent=2)


def as_markdown(conversation: Conversation, known: Known, lang: str) -> str:
    """The conversation to be read. Pictures are named by the beginning of their hashes."""
    begun = tr("chat.file.begun", lang, date=f"{conversation.created_at:%Y-%m-%d %H:%M} UTC")
    lines = [f"# {conversation.title}", begun]
    if system := str(conversation.setup.get("system") or "").strip():
        lines.append(f"**{tr('chat.file.system', lang)}:** {system}")
    for turn in conversation.turns:
        lines.append(f"## {tr('chat.you', lang)}")
        lines += [f"*{tr('chat.file.picture', lang, name=name[:12])}*" for name in turn.images]
        lines.append(turn.text)
        for side, given in sorted(turn.answers.items()):
            run = known.runs.get(given.run_id)
            lines.append(f"### {side}: {known.titles.get(given.model, given.model)}")
            lines.append(given.text.strip() or tr("chat.file.no_answer", lang))
            if said := _cost(run, lang) if run else "":
                lines.append(f"*{said}*")
    return "\n\n".join(lines) + "\n"


def _cost(run: Run, lang: str) -> str:
    """How it ended, where that was not well, and what it cost."""
    ended = "" if run.status == "ok" else tr(f"statuses.{run.status}", lang)
    return " · ".join(
        filter(None, [ended, *(f"{tr(f'chat.cost.{name}', lang)} {said}" for name, said in costs(run, lang))])
    )
