"""Beside the conversation, as HTML: the list of those that are kept, the pictures of the next question, the files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from arena.conversations import Conversation
from arena.strings import tr
from arena.ui import render
from arena.ui.samples import samples


def kept(conversations: Sequence[Conversation], current: str, lang: str) -> str:
    """The list, and the button for a new one."""
    items = "".join(_item(each, each.id == current, lang) for each in conversations)
    none = f'<p class="hint">{_t("chat.none_kept", lang)}</p>'
    return (
        f'<nav aria-label="{_t("chat.kept", lang)}" lang="{lang}">'
        f'<button type="button" class="tool new" data-event="new_talk">+ {_t("chat.new", lang)}</button>'
        f"<details open><summary>{_t('chat.kept', lang)} <span>{len(conversations)}</span></summary>"
        f"{f'<ul>{items}</ul>' if items else none}</details></nav>"
    )


def _item(each: Conversation, current: bool, lang: str) -> str:
    name, title = render.text(each.id), render.text(each.title)
    on = ' aria-current="true"' if current else ""

    def labelled(key: str) -> str:
        said = render.text(tr(f"chat.{key}", lang, title=each.title))
        return f'aria-label="{said}" title="{said}"'

    return (
        f'<li data-source="{name}"{" class=on" if current else ""}>'
        f'<button type="button" class="open" data-event="open_talk" data-value="{name}"{on}>{title}'
        f'<small><time datetime="{_iso(each.updated_at)}">{each.updated_at:%Y-%m-%d}</time></small></button>'
        f'<span class="acts"><button type="button" data-act="rename" {labelled("rename")}>✎</button>'
        f'<button type="button" data-act="ask-delete" {labelled("delete")}>×</button></span>'
        f'<form class="edit" data-event="rename_talk" data-value="{name}" hidden>'
        f'<input type="text" maxlength="100" value="{title}" {labelled("rename")}>'
        f'<button type="submit" class="tool main">{_t("chat.save", lang)}</button>'
        f'<button type="button" class="tool" data-act="keep">{_t("chat.keep", lang)}</button></form>'
        f'<p class="sure" hidden><span>{_t("chat.sure", lang)}</span>'
        f'<button type="button" class="tool bad" data-event="delete_talk" data-value="{name}">'
        f"{_t('chat.delete_now', lang)}</button>"
        f'<button type="button" class="tool" data-act="keep">{_t("chat.keep", lang)}</button></p></li>'
    )


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def gallery(lang: str) -> str:
    """The samples to choose from, behind a button."""
    buttons = "".join(
        f'<button type="button" data-event="take_sample" data-value="{render.text(sample.id)}">'
        f'<img src="media/sample/{render.text(sample.id)}.webp" alt="" loading="lazy">'
        f"<span>{render.text(sample.titles[lang])}</span></button>"
        for sample in samples().values()
    )
    return (
        f'<details class="menu"><summary class="tool">{_t("ui.image.samples", lang)}</summary>'
        f'<div class="gallery" role="group" aria-label="{_t("ui.image.samples", lang)}">{buttons}</div></details>'
    )


def files(conversation_id: str, lang: str) -> str:
    """Where the conversation can be had as a file."""
    if not conversation_id:
        return ""
    name = render.text(conversation_id)
    links = "".join(
        f'<a class="tool" href="chat/{name}.{kind}" download>{_t(f"chat.export.{kind}", lang)}</a>'
        for kind in ("md", "json")
    )
    return f'<div class="tools">{links}</div>'


def _t(key: str, lang: str) -> str:
    return render.text(tr(key, lang))
