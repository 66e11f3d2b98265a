"""Left above: the picture, and the ways to bring another one: a file, the clipboard, the camera, a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from arena.core import Arena
from arena.errors import RunError
from arena.images import StoredImage
from arena.strings import tr
from arena.ui import render
from arena.ui.i18n import language, t
from arena.ui.picture import picture
from arena.ui.samples import gallery, samples

Update = dict[Any, Any]
CLICKED = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-sample]');
  if (button) trigger('select', { id: button.dataset.sample });
});
"""


@dataclass(frozen=True)
class Chosen:
    """The picture of one visitor. source: the uploaded file while its pages can be turned."""

    image: StoredImage | None = None
    name: str = ""
    sample: str = ""
    source: Path | None = None
    pages: int = 1
    page: int = 1


@dataclass(frozen=True)
class ImagePanel:
    """chosen: a `gr.State` with `Chosen`. picture: the block that shows it, boxes included.

    changes: the events after which another picture may be chosen.
    """

    arena: Arena
    chosen: gr.State
    picture: gr.HTML
    page: gr.Slider
    file: gr.File
    trouble: gr.HTML
    samples: gr.HTML
    changes: list[Dependency] = field(default_factory=list)

    @property
    def outputs(self) -> list[Any]:
        return [self.chosen, self.picture, self.page, self.file, self.trouble, self.samples]

    def show(self, now: Chosen, lang: str, trouble: str = "") -> Update:
        """The panel with a picture, and with what was wrong with the one that was to come instead."""
        wrong = f'<p class="trouble" role="alert">{render.text(trouble)}</p>' if trouble else ""
        return {
            self.chosen: now,
            self.picture: picture(now.image, (), lang, name_of(now, lang)),
            self.page: gr.Slider(maximum=max(2, now.pages), value=now.page, visible=now.pages > 1),
            self.file: None,
            self.trouble: wrong,
            self.samples: gallery(lang, now.sample),
        }

    def open(self, now: Chosen, lang: str) -> Update:
        """The panel when the page opens, with the first sample, or when its language was switched."""
        return self.show(now, lang) if now.image else self.sample(next(iter(samples())), lang)

    def take(self, path: str | None, before: Chosen, request: gr.Request) -> Iterator[Update]:
        """A new file, from wherever: read it and show it, or say what is wrong with it and keep the one before."""
        if path:
            yield from self._read(Path(path), 1, before, language(request))

    def turn(self, number: float, before: Chosen, request: gr.Request) -> Iterator[Update]:
        """Another page of the PDF. A file that has just been shown says its first page itself."""
        if before.source and int(number) != before.page:
            yield from self._read(before.source, int(number), before, language(request))

    def pick(self, event: gr.EventData, request: gr.Request) -> Update:
        return self.sample(str(event.id), language(request))

    def sample(self, name: str, lang: str) -> Update:
        """The panel with a sample of the gallery; an unknown one, which only a forged request names, is the first."""
        sample = samples().get(name) or next(iter(samples().values()))
        try:
            image = self.arena.images.add(sample.path)
        except RunError as error:
            return self.show(Chosen(), lang, error.text(lang))
        return self.show(Chosen(image, sample.path.name, sample=sample.id), lang)

    def _read(self, source: Path, page: int, before: Chosen, lang: str) -> Iterator[Update]:
        yield {self.trouble: f'<p class="hint busy" role="status">{render.text(tr("ui.image.reading", lang))}</p>'}
        try:
            pages = self.arena.images.pages(source)
            image = self.arena.images.add(source, page)
        except RunError as error:
            yield self.show(before, lang, error.text(lang))
        else:
            yield self.show(Chosen(image, source.name, source=source, pages=pages, page=page), lang)


def build(arena: Arena) -> ImagePanel:
    """Lay the panel out in the current column and connect it."""
    chosen = gr.State(Chosen())
    shown = gr.HTML(elem_id="picture", apply_default_css=False)
    page = gr.Slider(1, 2, 1, step=1, label=t("ui.image.page"), visible=False, elem_id="page")
    trouble = gr.HTML(elem_id="image-trouble", apply_default_css=False)
    with gr.Row(elem_id="bring"):
        file = gr.File(label=t("ui.image.drop"), show_label=False, elem_id="source", height=84)
        open_camera = gr.Button(t("ui.image.camera"), elem_id="open-camera", size="sm")
    camera = gr.Image(
        label=t("ui.image.camera"),
        sources=["webcam"],
        type="filepath",
        image_mode=None,  # the bytes as they are: the one decoder of the program reads them
        webcam_options=gr.WebcamOptions(mirror=False),
        visible=False,
        elem_id="camera",
        height=260,
    )
    strip = gr.HTML(elem_id="samples", js_on_load=CLICKED, apply_default_css=False)
    panel = ImagePanel(arena, chosen, shown, page, file, trouble, strip)
    watched: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    reading = watched | {"concurrency_limit": 4, "concurrency_id": "reading"}
    panel.changes.extend(
        [
            file.upload(panel.take, [file, chosen], panel.outputs, **reading),
            camera.change(panel.take, [camera, chosen], panel.outputs, **reading),
            page.change(panel.turn, [page, chosen], panel.outputs, trigger_mode="always_last", **reading),
            strip.select(panel.pick, None, panel.outputs, queue=False, **watched),
        ]
    )
    open_camera.click(lambda: gr.Image(visible=True), None, camera, queue=False, **watched)
    return panel


def name_of(now: Chosen, lang: str) -> str:
    return samples()[now.sample].titles[lang] if now.sample else now.name
