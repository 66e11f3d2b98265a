"""The pictures that go with the next question: each can be taken away, and of a PDF another page be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr

from arena.access import visitor_of
from arena.core import Arena
from arena.errors import RunError
from arena.strings import tr
from arena.ui import render
from arena.ui.image_panel import Chosen
from arena.ui.picture import url

MOST = 8  # of one question
Brought = tuple[Chosen, ...]


def hashes(brought: Brought) -> tuple[str, ...]:
    return tuple(each.image.sha256 for each in brought if each.image)


def with_picture(arena: Arena, brought: Brought, source: Path, request: gr.Request) -> Brought:
    """One more; of a PDF its first page. Raises `RunError` (``bad_input``) saying what is wrong with it."""
    if len(brought) >= MOST:
        raise RunError("bad_input", key="chat.too_many", most=MOST)
    pages = arena.images.pages(source)
    return _kept(arena, brought, len(brought), Chosen(source=source, pages=pages), request)


def turned(arena: Arena, brought: Brought, said: str, request: gr.Request) -> Brought:
    """Another page of one of them. said: ``place:page``. Raises `RunError` (``bad_input``)."""
    place, _, page = said.partition(":")
    if not (place.isdecimal() and page.isdecimal() and int(place) < len(brought)):
        return brought
    before = brought[int(place)]
    return _kept(arena, brought, int(place), replace(before, page=min(max(1, int(page)), before.pages)), request)


def _kept(arena: Arena, brought: Brought, place: int, wanted: Chosen, request: gr.Request) -> Brought:
    """With this one in its place, unless the same is there already."""
    if wanted.source is None:
        return brought
    stored = arena.images.add(wanted.source, wanted.page)
    arena.pictures.brought(visitor_of(request), stored.sha256)
    others = brought[:place] + brought[place + 1 :]
    if stored.sha256 in hashes(others) and wanted.pages < 2:
        return brought
    return (*brought[:place], replace(wanted, image=stored), *brought[place + 1 :])


def attached(brought: Sequence[Chosen], lang: str) -> str:
    """As HTML: small previews with what can be done with each."""
    found = []
    for at, each in enumerate(brought):
        if each.image is None:
            continue
        alt, away = (render.text(tr(f"chat.{key}", lang, number=at + 1)) for key in ("picture", "drop"))
        found.append(
            f'<li><img src="{url(render.text(each.image.sha256))}" alt="{alt}" loading="lazy">'
            f'<button type="button" class="drop" data-event="drop_picture" data-value="{at}" aria-label="{away}">×'
            f"</button>{_pager(at, each, lang)}</li>"
        )
    return f'<ul class="pictures">{"".join(found)}</ul>' if found else ""


def _pager(at: int, each: Chosen, lang: str) -> str:
    if each.pages < 2:
        return ""

    def turn(page: int, sign: str, key: str) -> str:
        off = "" if 1 <= page <= each.pages else " disabled"
        label = render.text(f"{tr(key, lang)}: {tr('chat.picture', lang, number=at + 1)}")
        return (
            f'<button type="button" data-event="turn_picture" data-value="{at}:{page}" aria-label="{label}"{off}>'
            f"{sign}</button>"
        )

    where = render.text(f"{each.page} / {each.pages}")
    said = render.text(f"{tr('ui.image.page', lang)} {each.page} {tr('ui.image.of', lang, pages=each.pages)}")
    return (
        f'<span class="pages">{turn(each.page - 1, "‹", "ui.image.before")}'
        f'<span role="status" aria-label="{said}">{where}</span>'
        f"{turn(each.page + 1, '›', 'ui.image.after')}</span>"
    )
