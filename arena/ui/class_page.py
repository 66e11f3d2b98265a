"""The pages of a class: where pupils see both answers and vote, and the same on the projector; light, no framework.

The page itself is words and empty places. What fills them comes as messages (`message`), whose every text the browser
puts in as text.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from arena.lesson import Classroom, Scene
from arena.lesson_steps import steps
from arena.numbers import share
from arena.strings import LANGUAGES, tr
from arena.ui import render
from arena.ui.header import NAMES
from arena.ui.live import View
from arena.ui.shell import MARK, asset
from arena.units import timed
from arena.votes import OUTCOMES

LONGEST = 20_000  # characters of an answer
VOTERS = 60  # names on the projector


def message(room: Classroom, scene: Scene, lang: str, visitor: str, board: bool, sent: list[str]) -> dict[str, Any]:
    """The class as JSON. board: with what only the projector shows.

    sent: the answers as this browser has them already; what it gets is what follows, and `sent` is kept true.
    """
    now, step = scene.round, steps()[scene.plan.step]
    found: dict[str, Any] = {
        "round": now.id if now else "",
        "phase": scene.phase,
        "say": tr(f"lesson.say.{scene.phase}", lang),
        "title": step.words[lang].title,
        "ask": step.words[lang].ask,
        "here": scene.here,
        "voted": sum(scene.counts.values()),
        "mine": "",
        "name": room.name(visitor),
        "sides": [],
        "picture": "",
        "counts": None,
        "voters": [],
    }
    if now is None:
        sent.clear()
        return found
    asked = now.work.request
    if visitor in now.votes:
        found["mine"] = now.votes[visitor].outcome
    if asked.image:
        found["picture"] = f"picture.webp?v={asked.image.sha256[:16]}{'-hidden' if scene.rules.hidden else ''}"
    sent.extend("" for _ in now.work.views[len(sent) :])
    for at, view in enumerate(now.work.views):
        text = view.text[:LONGEST]
        kept = len(sent[at]) if text.startswith(sent[at]) else 0
        sent[at] = text
        found["sides"].append(
            {
                "title": view.label if scene.told else "",
                "stage": stage(view, lang),
                "over": view.run is not None,
                "facts": facts(view, lang) if scene.told else "",
                "from": kept,
                "more": text[kept:],
            }
        )
    if board or scene.phase == "closed":
        found["counts"] = [scene.counts[outcome] for outcome in OUTCOMES]
    if board and scene.rules.names:
        found["voters"] = scene.voters[:VOTERS]
    return found


def stage(view: View, lang: str) -> str:
    """Where a side is, in a few words that name no model."""
    if view.run:
        return tr(f"statuses.{view.run.status}", lang)
    if view.stage == "queued" and view.position:
        return tr("ui.status.position", lang, position=view.position)
    return tr(f"stages.{view.stage}", lang) if view.stage else tr("ui.status.waiting", lang)


def facts(view: View, lang: str) -> str:
    """What is told of a finished side together with its name: its errors, where they are known, and its time."""
    if view.run is None:
        return ""
    said = []
    if view.run.scores.get("cer") is not None:
        said.append(f"{tr('metrics.title.cer', lang)} {share(view.run.scores['cer'], lang)}")
    if view.run.timeline.generate_s is not None:
        said.append(timed(view.run.timeline.generate_s, lang))
    return " · ".join(said)


def page(lang: str, *, board: bool = False, address: str = "", code: str = "") -> str:
    """The whole page. board: for the projector, with the `address` of the pupils' page and its QR `code`, an SVG."""
    up = "../" if board else ""

    def said(key: str) -> str:
        return render.text(tr(f"lesson.{key}", lang))

    def versioned(name: str) -> str:
        return f"{up}class/{name}?v={hashlib.sha256(asset(name).encode()).hexdigest()[:12]}"

    sides = "".join(
        f'<section class="side {letter}" aria-labelledby="of-{letter}"><h2 id="of-{letter}"><span class="letter">'
        f'{letter.upper()}</span> <span class="title"></span></h2><p class="stage"></p><p class="facts">'
        f'</p><pre tabindex="0" aria-labelledby="of-{letter}"></pre></section>'
        for letter in "ab"
    )
    choices = "".join(
        f'<button type="button" data-outcome="{outcome}" class="{outcome}" aria-pressed="false">'
        f"{said(f'outcome.{outcome}')}</button>"
        for outcome in OUTCOMES
    )
    voted = f'<p class="voted">{said("board.voted")} <b>0</b></p>'
    bars = "".join(
        f'<li class="{outcome}"><span class="of">{said(f"outcome.{outcome}")}</span><span class="bar"><i></i></span>'
        f'<b class="count">0</b></li>'
        for outcome in OUTCOMES
    )
    other = " ".join(
        f'<a href="?lang={each}" lang="{each}"{" aria-current=true" if each == lang else ""}>{NAMES[each]}</a>'
        for each in LANGUAGES
    )
    join = (
        f'<aside id="join" aria-label="{said("board.join")}">{code}<p>{said("board.join")}</p>'
        f"<p><b>{render.text(address.removeprefix('http://'))}</b></p></aside>"
    )
    mine = (
        f'<div id="votes" role="group" aria-label="{said("class.vote")}" hidden>{choices}</div>'
        f'<p id="thanks" role="status"></p>'
    )
    named = (
        f'<form id="named"><label for="name">{said("class.name")}</label>'
        f'<input id="name" name="name" maxlength="30" autocomplete="off" autocapitalize="words">'
        f"<button>{said('class.save')}</button><p>{said('class.name_info')}</p></form>"
    )
    words = {key: tr(f"lesson.class.{key}", lang) for key in ("counted", "lost", "failed", "saved", "hidden", "shown")}
    style = f'<link rel="stylesheet" href="{up}media/theme.css"><link rel="stylesheet" href="{versioned("class.css")}">'
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><meta name="robots" content="noindex">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light '
        f'dark"><title>{said("board.title" if board else "class.title")}</title>{style}</head>'
        f'<body class="{"board" if board else "pupil"}" data-at="{up}class/" data-board="{int(board)}" '
        f'data-words="{render.text(json.dumps(words, ensure_ascii=False))}">'
        f'<header>{MARK}<h1 id="title">{said("class.title")}</h1><p id="here"><span>{said("here")}</span> <b>0</b></p>'
        f'<nav aria-label="Language · Язык">{other}</nav></header>'
        f'<p id="trouble" role="alert" hidden></p><main><p id="say" role="status"></p>'
        f"{join if board else ''}<ul id='ask'></ul>"
        f'<figure id="shown" hidden><img id="picture" alt="{render.text(words["shown"])}"></figure>'
        f'<div id="sides" hidden>{sides}</div>{"" if board else mine}'
        f'<section id="bars" hidden aria-label="{said("board.votes")}">{voted}'
        f"<ul>{bars}</ul><p id='voters'></p></section>{'' if board else named}</main>"
        f'<script src="{versioned("class.js")}"></script></body></html>'
    )
