"""Tab Battle: two models that nobody names answer the same question; the visitor says which answer is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.battle import Battles
from arena.compare import Request, Side
from arena.core import Arena
from arena.errors import RunError
from arena.strings import LANGUAGES
from arena.ui import battle_ring, contestant, image_panel, question_panel
from arena.ui.battle_ring import LIGHT, Blind, Ring
from arena.ui.i18n import language, on_language, t
from arena.ui.image_panel import Chosen, ImagePanel, name_of
from arena.ui.samples import samples
from arena.ui.variant import Entrant

START = "() => document.getElementById('battle-run').click()"
Update = dict[Any, Any]


def build(arena: Arena) -> None:
    """Lay the tab out inside the current `gr.Tab` and connect it."""
    with gr.Row(elem_classes="bench", elem_id="battle"):
        with gr.Column(elem_classes="bench-setup"):
            with gr.Column(elem_classes="bench-panel"):
                image = image_panel.build(arena, "battle-")
            with gr.Column(elem_classes="bench-panel"):
                tasks = question_panel.task_choices(arena)
                task = gr.Radio(
                    tasks, value=tasks[0][1], label=t("ui.task"), elem_id="battle-task", elem_classes="pills"
                )
                prompt = gr.Textbox(
                    label=t("ui.prompt"), lines=2, max_lines=8, max_length=100_000, elem_id="battle-prompt"
                )
                spoken = gr.Dropdown(
                    question_panel.language_choices(arena),
                    value="",
                    label=t("ui.document_language"),
                    elem_id="battle-language",
                )
                pool = gr.Dropdown(
                    [],
                    value=[],
                    multiselect=True,
                    label=t("battle.pool.label"),
                    info=t("battle.pool.info"),
                    elem_id="battle-pool",
                )
        with gr.Column(elem_classes="bench-contest"):
            ring = battle_ring.build(arena.visitors)
    BattleTab(arena, Battles(arena.store, arena.votes), image, task, prompt, spoken, pool, ring).connect()


@dataclass(frozen=True)
class BattleTab:
    """The parts of the tab and what happens between them. pool: who may be drawn; with none chosen, all."""

    arena: Arena
    battles: Battles
    image: ImagePanel
    task: gr.Radio
    prompt: gr.Textbox
    spoken: gr.Dropdown
    pool: gr.Dropdown
    ring: Ring

    @property
    def asked(self) -> set[Any]:
        return {self.image.chosen, self.task, self.prompt, self.spoken, self.pool}

    def connect(self) -> None:
        filled = [self.prompt, self.spoken]
        self.task.input(self.on_task, self.asked, [self.prompt, self.pool], trigger_mode="always_last", **LIGHT)
        for change in self.image.changes:
            change.then(self.on_picture, self.asked, filled, **LIGHT)
        opened = [*self.image.outputs, *filled, self.pool, self.ring.state, self.ring.answers]
        on_language(self.on_open, {self.ring.last, *self.asked}, opened)
        other = self.ring.answers.next_sample(self.on_next, self.asked, [*self.image.outputs, *filled], **LIGHT)
        other.then(None, js=START, show_progress="hidden", api_visibility="private")
        self.ring.connect(self.order, self.asked, self.arena.settings.queue_size)

    def on_task(self, data: Update, request: gr.Request) -> Update:
        return self.ask(data, language(request)) | self.offer(data)

    def on_picture(self, data: Update, request: gr.Request) -> Update:
        return self.ask(data, language(request)) | self.speak(data[self.image.chosen])

    def on_next(self, data: Update, request: gr.Request) -> Update:
        """The sample of the gallery that follows the one before."""
        names = list(samples())
        before = data[self.image.chosen].sample
        following = names[(names.index(before) + 1) % len(names)] if before in names else names[0]
        updates = self.image.sample(following, language(request))
        chosen = updates[self.image.chosen]
        return updates | self.ask(data | {self.image.chosen: chosen}, language(request)) | self.speak(chosen)

    def on_open(self, data: Update, request: gr.Request) -> Update:
        """Everything the server has written, when the page opens and in another language after a switch."""
        lang, live = language(request), data[self.ring.last]
        updates = self.image.open(data[self.image.chosen], lang)
        if live:
            live.lang = lang
        if data[self.image.chosen].image is None:
            updates |= self.speak(updates[self.image.chosen])
        now = data | {self.image.chosen: updates[self.image.chosen]}
        return updates | self.ask(now, lang) | self.offer(data) | self.ring.show(live, lang)

    def ask(self, data: Update, lang: str) -> Update:
        """The prompt that fits; written only when it changes, for the visitor may be writing his own."""
        before = data[self.prompt]
        wanted = question_panel.prompt_after(self.arena, data[self.task], before, lang, data[self.image.chosen].sample)
        return {self.prompt: gr.skip() if wanted == before else wanted}

    def speak(self, chosen: Chosen) -> Update:
        """The language of the document: a sample's own, else one that the visitor says."""
        return {self.spoken: samples()[chosen.sample].language if chosen.sample else ""}

    def offer(self, data: Update) -> Update:
        """Who can be drawn for the task."""
        ready = self.ready(data[self.task])
        kept = [name for name in data[self.pool] or () if name in ready]
        return {self.pool: gr.Dropdown(choices=[(each.spec.title, name) for name, each in ready.items()], value=kept)}

    def ready(self, task: str) -> Mapping[str, Entrant]:
        """Who can do the task here and now; in a class, of those that its teacher lets take part."""
        room, found = self.arena.classroom, contestant.field(self.arena, task)
        let = room.rules.models if room else None
        return {name: each for name, each in found.items() if each.status.ready and (let is None or name in let)}

    def order(self, data: Update, lang: str, visitor: str) -> Blind:
        """The battle that the visitor's widgets ask for. Raises `RunError` saying what is missing or wrong."""
        chosen: Chosen = data[self.image.chosen]
        if chosen.image is None:
            raise RunError("bad_input", key="ui.missing.image")
        task, spoken = self.arena.catalog.task(data[self.task]), data[self.spoken] or ""
        ready, pool = self.ready(task.id), data[self.pool]
        able = [name for name in ready if not pool or name in pool]
        if pool and len(able) < 2:
            raise RunError("bad_input", key="battle.too_few_chosen")
        pair, letters = self.battles.draw(able, task.id, spoken)
        sample = samples().get(chosen.sample)
        request = Request(
            sides=tuple(Side(ready[pair["AB".index(letter)]].spec) for letter in letters),
            image=chosen.image,
            task=task,
            prompt=data[self.prompt] or "",
            language=spoken,
            reference=sample.reference if sample and task.metrics else None,
            visitor=visitor,
            letters=letters,
        )
        names = {code: name_of(chosen, code) for code in LANGUAGES}
        return Blind(self.arena, self.battles.battle(request, pair), lang, names)
