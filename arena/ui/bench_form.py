"""What a new benchmark shall ask: the widgets, what can be chosen in them, and what was chosen, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.bench_jobs import Wanted
from arena.core import Arena
from arena.errors import RunError
from arena.own_sets import WORDS
from arena.spec import ModelSpec
from arena.strings import tr
from arena.ui import variant
from arena.ui.i18n import t, task_title
from benchmarks.datasets.reading import IMAGES

MOST = {"repeat": 100, "warmup": 100, "limit": 1_000_000}
LONGEST = 200  # characters of a name


@dataclass(frozen=True)
class Form:
    """The widgets, and what was chosen in them."""

    dataset: gr.Dropdown
    own: gr.UploadButton
    models: gr.Dropdown
    task: gr.Dropdown
    repeat: gr.Textbox
    warmup: gr.Textbox
    limit: gr.Textbox
    name: gr.Textbox
    cached: gr.Checkbox
    estimate: gr.HTML
    start: gr.Button

    @property
    def counted(self) -> list[Any]:
        """What the number of answers depends on."""
        return [self.dataset, self.models, self.task, self.repeat, self.warmup, self.limit]

    @property
    def inputs(self) -> list[Any]:
        return [*self.counted, self.name, self.cached]

    def wanted(self, data: Mapping[Any, Any], lang: str) -> Wanted:
        """What was chosen. Raises `RunError` (``bad_input``) for what is missing or makes no sense."""
        if not data[self.dataset]:
            raise RunError("bad_input", key="bench_panel.pick.dataset")
        if not data[self.models]:
            raise RunError("bad_input", key="bench_panel.pick.models")
        limit = str(data[self.limit] or "").strip()
        return Wanted(
            dataset=str(data[self.dataset]),
            models=tuple(data[self.models]),
            name=str(data.get(self.name) or "").strip()[:LONGEST],
            task=str(data[self.task]),
            repeat=_whole("repeat", data[self.repeat], 1, lang),
            warmup=_whole("warmup", data[self.warmup], 0, lang),
            limit=_whole("limit", limit, 1, lang) if limit else None,
            cached=bool(data.get(self.cached)),
        )


def build(arena: Arena) -> Form:
    """Lay the form out in the current column. What there is to choose is filled in for whoever may."""
    say = {
        name: t(f"bench_panel.{name}") for name in ("dataset", "models", "task", "repeat", "warmup", "limit", "name")
    }
    dataset = gr.Dropdown([], label=say["dataset"], info=t("bench_panel.dataset_info"), elem_id="benchmark-dataset")
    own = gr.UploadButton(
        t("bench_panel.own.button"),
        file_count="multiple",
        file_types=[".zip", *WORDS, *sorted(IMAGES)],
        elem_id="benchmark-own",
        size="sm",
    )
    gr.HTML(t("bench_panel.own.info"), elem_classes="hint", apply_default_css=False)
    models = gr.Dropdown(
        [], multiselect=True, label=say["models"], info=t("bench_panel.models_info"), elem_id="benchmark-models"
    )
    tasks = [task for task in arena.catalog.tasks.values() if not task.conversation]
    task = gr.Dropdown(
        [(task_title(each), each.id) for each in tasks], value="ocr", label=say["task"], elem_id="benchmark-task"
    )
    with gr.Accordion(t("bench_panel.more"), open=False, elem_id="benchmark-more"):
        with gr.Row(elem_classes="params"):
            # Not the framework's field of numbers: that takes nothing for 0, and refuses in English alone.
            repeat, warmup, limit = (
                gr.Textbox(
                    value,
                    label=say[name],
                    info=t(f"bench_panel.{name}_info"),
                    max_length=9,
                    min_width=110,
                    elem_id=f"benchmark-{name}",
                )
                for name, value in (("repeat", "1"), ("warmup", "1"), ("limit", ""))
            )
        name = gr.Textbox(
            label=say["name"], info=t("bench_panel.name_info"), max_length=LONGEST, elem_id="benchmark-name"
        )
        cached = gr.Checkbox(False, label=t("bench_panel.cached"), elem_id="benchmark-cached")
    estimate = gr.HTML(elem_id="benchmark-estimate", elem_classes="hint", apply_default_css=False)
    start = gr.Button(t("bench_panel.start"), variant="primary", elem_id="benchmark-start")
    return Form(dataset, own, models, task, repeat, warmup, limit, name, cached, estimate, start)


def choices_of_models(arena: Arena) -> list[tuple[str, str]]:
    """Every model as it suits this machine, those first that are ready, and the other precisions of these."""
    found = [(variant.usual(arena, spec), spec) for spec in arena.catalog.visible(arena.settings.dev)]
    choices: list[tuple[str, str]] = []
    for entrant, entry in sorted(found, key=lambda each: not each[0].status.ready):
        choices.append((f"{'●' if entrant.status.ready else '○'} {entrant.spec.label}", named(entrant.spec, entry)))
        if not entrant.status.ready:
            continue
        for quantization in entrant.spec.in_mode(entrant.spec.mode).quantizations:
            other = entrant.spec.with_options(quantization=quantization)
            if other != entrant.spec:
                sign = "●" if arena.status(other).ready else "○"
                choices.append((f"{sign} {other.label}", named(other, entry)))
    return choices


def named(spec: ModelSpec, entry: ModelSpec) -> str:
    """The shortest name that means this model, set in this way: what the catalogue says anyway is left out."""
    words = [
        getattr(spec, name) for name in ("mode", "quantization", "dtype") if getattr(spec, name) != getattr(entry, name)
    ]
    return ":".join([entry.id, *words])


def _whole(name: str, given: Any, least: int, lang: str) -> int:
    said = str(given or "").strip()
    if said.isascii() and said.isdigit() and least <= int(said) <= MOST[name]:
        return int(said)
    field = tr(f"bench_panel.pick.{name}", lang)
    raise RunError("bad_input", key="bench_panel.pick.number", field=field, least=least, most=MOST[name])
