"""What the tab Class shows, as HTML: the way in for everybody; for the teacher the lesson, the class and the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from arena.lesson import Rules, Scene, Waiting
from arena.lesson_steps import steps
from arena.strings import tr
from arena.ui.render import text
from arena.ui.samples import samples
from arena.ui.variant import Entrant
from arena.votes import OUTCOMES

PUPILS = ("locked", "paused", "own_pictures", "own_prompts")
BOARD = ("hidden", "blind", "names")


@dataclass(frozen=True)
class Voice:
    """Our words in one language, HTML-safe, and buttons that say what they do to the server."""

    lang: str

    def __call__(self, key: str, **params: object) -> str:
        return text(tr(f"lesson.{key}", self.lang, **params))

    def button(self, key: str, value: str, *, main: bool = False, off: bool = False) -> str:
        kind = "act main" if main else "act"
        disabled = " disabled" if off else ""
        return (
            f'<button type="button" class="{kind}" data-event="class_act" data-value="{text(value)}"{disabled}>'
            f"{self(key)}</button>"
        )

    def switch(self, label: str, value: str, on: bool) -> str:
        """A button that is on or off; pressing it asks for the other."""
        return (
            f'<button type="button" class="switch" data-event="class_act" data-value="{text(value)}" '
            f'data-on="{int(not on)}" aria-pressed="{str(on).lower()}">{label}</button>'
        )


def door(address: str, code: str, lang: str, *, teacher: bool) -> str:
    """Where the class meets. code: the address as a QR code, an SVG."""
    say = Voice(lang)
    if teacher:
        links = (
            f'<a class="act main" href="class/board" target="_blank" rel="noopener">{say("panel.open_board")}</a> '
            f'<a class="act" href="class" target="_blank" rel="noopener">{say("panel.open_class")}</a>'
        )
        leave = f'<form method="post" action="logout"><button class="act">{say("panel.leave")}</button></form>'
        info = say("panel.info")
    else:
        links = f'<a class="act main" href="class">{say("door.vote")}</a>'
        leave = f'<a class="act" href="login?next=/">{say("door.teacher")}</a>'
        info = say("door.info")
    return (
        f'<div class="door">{code}<div><p class="address">{text(address.removeprefix("http://"))}</p>'
        f'<p>{info}</p><div class="acts">{links}{leave}</div></div></div>'
    )


def lesson(scene: Scene, entrants: Mapping[str, Entrant], lang: str, trouble: str = "") -> str:
    """The step of the lesson and what starts its comparison. entrants: the models that can do its task."""
    say, all_steps = Voice(lang), steps()
    at, step = scene.plan.step, all_steps[scene.plan.step]
    words = step.words[lang]
    where = say("panel.step", number=at + 1, count=len(all_steps))
    turn = say.button("panel.before", "before", off=at == 0)
    turn += say.button("panel.next", "next", off=at == len(all_steps) - 1)
    chosen = "".join(
        f"<label>{text(letter)} <select data-change='class_act' data-side='{index}'>"
        f"{_options(entrants, scene.plan.models[index])}</select></label>"
        for index, letter in enumerate("AB")
    )
    start = say.button("panel.start", "start", main=True)
    wrong = f'<p class="trouble" role="alert">{text(trouble)}</p>' if trouble else ""
    return (
        f'<section class="step" aria-label="{say("panel.lesson")}"><header><p class="where">{where}</p>'
        f'<div class="acts">{turn}</div></header><div class="what"><img src="media/sample/{text(step.sample)}.webp" '
        f'alt="{text(samples()[step.sample].titles[lang])}"><div><h2>{text(words.title)}</h2>'
        f"<h3>{say('panel.look')}</h3>{_list(words.look)}<h3>{say('panel.ask')}</h3>{_list(words.ask)}"
        f"<details><summary>{say('panel.insight')}</summary><p>{text(words.insight)}</p></details></div></div>"
        f'<div class="start">{chosen}<div class="acts">{start}</div></div>{wrong}</section>'
    )


def live(scene: Scene, queue: Iterable[Waiting], lang: str) -> str:
    """The class now: who is here, the votes, what can be done with them, and who waits for the device."""
    say, now = Voice(lang), scene.round
    most = max([1, *scene.counts.values()])
    bars = "".join(
        f'<li class="{outcome}"><span>{say(f"outcome.{outcome}")}</span><span class="bar">'
        f"<i{_width(scene.counts[outcome] / most)}></i></span><b>{scene.counts[outcome]}</b></li>"
        for outcome in OUTCOMES
        if now
    )
    voted = f'<p class="voted">{say("board.voted")} <b>{sum(scene.counts.values())}</b></p>' if now else ""
    voters = f'<p class="hint">{text(", ".join(scene.voters))}</p>' if scene.voters else ""
    acts = ""
    if now and not now.work.done:
        acts = say.button("panel.stop", "stop")
    if now:
        ended = say.button("panel.reopen", "reopen") if now.closed else say.button("panel.close", "close")
        acts += ended + say.button("panel.reveal", "reveal", off=scene.told) + say.button("panel.reset", "reset")
    waiting = "".join(
        f"<li>{text(each.who or '?')} <span>{_place(each, say, now.id if now else '')}</span>"
        f'<button type="button" class="act" data-event="class_act" data-value="out:{text(each.id)}">'
        f"{say('panel.out')}</button></li>"
        for each in queue
    )
    waiting = f"<ol>{waiting}</ol>" if waiting else f'<p class="hint">{say("panel.nobody")}</p>'
    return (
        f'<section class="live" data-news="2" aria-label="{say("panel.class")}"><p class="say">'
        f"{say(f'say.{scene.phase}')}</p><p>{say('here')} <b>{scene.here}</b></p>{voted}<ul class='bars'>{bars}</ul>"
        f'{voters}<div class="acts">{acts}</div><h3>{say("panel.queue")}</h3>{waiting}'
        f'<div class="acts">{say.button("panel.all_out", "all_out")}</div></section>'
    )


def rules(now: Rules, models: Mapping[str, str], tasks: Mapping[str, str], lang: str) -> str:
    """What pupils may do. models, tasks: titles by id."""
    say = Voice(lang)

    def row(*names: str) -> str:
        return "".join(say.switch(say(f"rule.{name}"), name, getattr(now, name)) for name in names)

    def many(kind: str, titles: Mapping[str, str], allowed: frozenset[str] | None) -> str:
        return "".join(
            say.switch(text(title), f"{kind}:{name}", allowed is None or name in allowed)
            for name, title in titles.items()
        )

    return (
        f'<section class="rules" aria-label="{say("panel.rules")}">'
        f"<h3>{say('panel.pupils')}</h3><div class='acts'>{row(*PUPILS)}</div>"
        f"<h3>{say('panel.board')}</h3><div class='acts'>{row(*BOARD)}</div>"
        f"<h3>{say('panel.tasks')}</h3><div class='acts'>{many('task', tasks, now.tasks)}</div>"
        f"<h3>{say('panel.models')}</h3><div class='acts'>{many('model', models, now.models)}</div></section>"
    )


def _width(share: float) -> str:
    return f' style="width:{share:.0%}"' if share else " hidden"


def _options(entrants: Mapping[str, Entrant], chosen: str) -> str:
    return "".join(
        f'<option value="{text(name)}"{" selected" if name == chosen else ""}'
        f"{'' if each.status.ready or name == chosen else ' disabled'}>{text(each.spec.title)}</option>"
        for name, each in entrants.items()
    )


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{text(each)}</li>' for each in lines)}</ul>"


def _place(each: Waiting, say: Voice, shown: str) -> str:
    if each.id == shown:
        return say("panel.for_class")
    return say("panel.place", position=each.position) if each.position else say("panel.served")
