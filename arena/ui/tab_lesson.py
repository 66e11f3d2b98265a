"""Tab Class, in school mode only: where pupils find the way to the vote, and the teacher's panel."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from gradio.context import Context

from arena.access import visitor_of
from arena.address import address_for, qr_svg
from arena.compare import Request, Side
from arena.core import Arena
from arena.errors import RunError
from arena.lesson import Classroom
from arena.lesson_steps import steps
from arena.strings import LANGUAGES, tr
from arena.ui import class_panel, contestant, render, variant
from arena.ui.block import block
from arena.ui.class_rules import teaches
from arena.ui.i18n import language
from arena.ui.live import Live
from arena.ui.samples import samples

LIGHT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
Update = dict[Any, Any]


def build(arena: Arena) -> LessonTab:
    """Lay the tab out inside the current `gr.Tab` and connect it. Only where there is a class."""
    if arena.classroom is None:
        raise RuntimeError("there is a class in school mode only")
    tab = Context.block
    door = block("class-door", "lesson")
    with gr.Row(elem_id="class-work", equal_height=False):
        with gr.Column(scale=3, min_width=340):
            lesson = block("class-lesson", "lesson")
        with gr.Column(scale=2, min_width=300):
            live = block("class-live", "lesson")
    rules = block("class-rules", "lesson")
    made = LessonTab(arena, arena.classroom, door, lesson, live, rules)
    tab.select(made.show, None, made.outputs, **LIGHT)
    door.write_again(made.show, None, made.outputs, **LIGHT)  # the language was switched
    live.write_again(made.watch, None, live, **LIGHT)
    for each in (lesson, live, rules):
        each.class_act(made.act, None, made.outputs[1:], trigger_mode="multiple", **LIGHT)
    return made


@dataclass(frozen=True)
class LessonTab:
    """The blocks of the tab and what happens in them. Every handler asks again whether the caller teaches."""

    arena: Arena
    room: Classroom
    door: gr.HTML
    lesson: gr.HTML
    live: gr.HTML
    rules: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.door, self.lesson, self.live, self.rules]

    def show(self, request: gr.Request) -> Update:
        """The tab is opened, or its language was switched."""
        lang, address = language(request), address_for(request.headers.get("host", ""))
        code = qr_svg(address, render.text(tr("lesson.board.code", lang, address=address)))
        teacher = teaches(request, self.arena)
        shown = {self.door: class_panel.door(address, code, lang, teacher=teacher)}
        return shown | (self.panel(lang) if teacher else dict.fromkeys(self.outputs[1:], ""))

    def watch(self, request: gr.Request) -> str:
        """The class goes on while the panel is open."""
        if not teaches(request, self.arena):
            return ""
        return class_panel.live(self.room.scene(), self.room.queue(), language(request))

    def act(self, event: gr.EventData, request: gr.Request) -> Update:
        """A button of the panel was pressed, or a model chosen."""
        if not teaches(request, self.arena):
            return dict.fromkeys(self.outputs[1:], "")
        lang = language(request)
        said = event._data
        try:
            if "side" in said:
                self.choose(int(said["side"]), str(said.get("value")))
                return {self.live: gr.skip()}  # what was chosen is seen already, and keeps the keyboard
            self.do(str(said.get("value")), said.get("on") == "1", lang, request)
        except RunError as error:
            return self.panel(lang, error.text(lang))
        return self.panel(lang)

    def panel(self, lang: str, trouble: str = "") -> Update:
        scene, catalog = self.room.scene(), self.arena.catalog
        task = steps()[scene.plan.step].task
        models = {spec.id: spec.title for spec in catalog.visible(self.arena.settings.dev)}
        tasks = {name: each.title_for(lang) for name, each in catalog.tasks.items() if not each.conversation}
        return {
            self.lesson: class_panel.lesson(scene, contestant.field(self.arena, task), lang, trouble),
            self.live: class_panel.live(scene, self.room.queue(), lang),
            self.rules: class_panel.rules(scene.rules, models, tasks, lang),
        }

    def choose(self, side: int, model: str) -> None:
        """Another model for a side. Raises `RunError` for one there is not."""
        name = self.arena.catalog.find(model).id
        one, two = self.room.plan.models
        self.room.prepare(replace(self.room.plan, models=(one, name) if side else (name, two)))

    def do(self, what: str, on: bool, lang: str, request: gr.Request) -> None:
        """One action of the teacher. Raises `RunError` when it cannot be done now."""
        room, (name, _, detail) = self.room, what.partition(":")
        simple = {
            "before": lambda: room.turn_to(room.plan.step - 1),
            "next": lambda: room.turn_to(room.plan.step + 1),
            "close": room.close,
            "reopen": room.reopen,
            "reveal": room.reveal,
            "reset": room.reset,
            "all_out": room.stop,
        }
        if name in simple:
            simple[name]()
        elif name == "start":
            self.start(lang, visitor_of(request))
        elif name == "stop":
            now = room.scene().round
            if now:
                now.work.stop()
        elif name == "out" and detail:
            room.stop(detail)
        elif name in (*class_panel.PUPILS, *class_panel.BOARD):
            room.decide(**{name: on})
        elif name in ("model", "task"):
            self.allow(name, detail, on)

    def allow(self, kind: str, name: str, on: bool) -> None:
        """Let pupils use a model or a task, or no more."""
        catalog, rules = self.arena.catalog, self.room.rules
        if kind == "model":
            every, before = {spec.id for spec in catalog.visible(self.arena.settings.dev)}, rules.models
        else:
            every, before = {task for task, each in catalog.tasks.items() if not each.conversation}, rules.tasks
        after = ((every if before is None else set(before)) | ({name} if on else set())) - (set() if on else {name})
        self.room.decide(**{f"{kind}s": None if after >= every else frozenset(after & every)})

    def start(self, lang: str, visitor: str) -> None:
        """The step's comparison, before the class. Raises `RunError` while another one runs."""
        room, arena = self.room, self.arena
        now = room.scene().round
        if now and not now.work.done:
            raise RunError("busy", key="lesson.refused.running")
        plan = room.plan
        step, sample = steps()[plan.step], samples()[steps()[plan.step].sample]
        sides = [Side(variant.usual(arena, arena.catalog.find(model)).spec) for model in plan.models]
        if room.rules.blind:
            secrets.SystemRandom().shuffle(sides)
        task = arena.catalog.task(step.task)
        asked = Request(
            sides=tuple(sides),
            image=arena.images.add(sample.path),
            task=task,
            prompt=task.prompt_for(lang),
            language=sample.language,
            reference=sample.reference,
            visitor=visitor,
        )
        work = Live(arena, asked, lang, {code: sample.titles[code] for code in LANGUAGES})
        work.start()
        room.begin(work)
