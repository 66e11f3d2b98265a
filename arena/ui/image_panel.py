"""Left above: the picture, and the ways to bring another one: a file, the clipboard, the camera, a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from arena.access import visitor_of
from arena.core import Arena
from arena.errors import RunError
from arena.images import StoredImage
from arena.pictures import EVERYBODY
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
element.addEventListener('too-large', (event) => trigger('input', event.detail));
"""

TURNED = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-turn]');
  if (button) trigger('select', { page: button.dataset.turn });
});
element.addEventListener('change', (event) => {
  if (event.target.checkValidity() && event.target.value) trigger('select', { page: event.target.value });
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

    changes: the events after which another picture may be chosen. camera: whether the dialog of the camera is here; a
    page has one. first: the sample that it opens with, the gallery's first when empty.
    """

    arena: Arena
    chosen: gr.State
    picture: gr.HTML
    pager: gr.HTML
    file: gr.File
    trouble: gr.HTML
    samples: gr.HTML
    camera: bool = True
    first: str = ""
    changes: list[Dependency] = field(default_factory=list)

    @property
    def outputs(self) -> list[Any]:
        return [self.chosen, self.picture, self.pager, self.file, self.trouble, self.samples]

    def show(self, now: Chosen, lang: str, trouble: str = "") -> Update:
        """The panel with a picture, and with what was wrong with the one that was to come instead."""
        return {
            self.chosen: now,
            self.picture: picture(now.image, (), lang, name_of(now, lang)),
            self.pager: pager(now, lang),
            self.file: None,
            self.trouble: _alert(trouble) if trouble else "",
            self.samples: gallery(lang, now.sample) + (camera(lang) if self.camera else ""),
        }

    def open(self, now: Chosen, lang: str) -> Update:
        """The panel when the page opens, with the first sample, or when its language was switched."""
        return self.show(now, lang) if now.image else self.sample(self.first, lang)

    def take(self, path: str | None, before: Chosen, request: gr.Request) -> Iterator[Update]:
        """A new file, from wherever: read it and show it, or say what is wrong with it and keep the one before."""
        if path:
            yield from self._read(Path(path), 1, before, request)

    def turn(self, before: Chosen, event: gr.EventData, request: gr.Request) -> Iterator[Update]:
        """Another page of the PDF."""
        if before.source:
            page = min(max(1, int(event.page)), before.pages)
            yield from self._read(before.source, page, before, request)

    def refuse(self, event: gr.EventData, request: gr.Request) -> str:
        """A file so large that the page did not even send it."""
        size = f"{int(event.size):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        limit = f"{self.arena.images.max_bytes / 1e6:g}"
        return _alert(tr("images.too_many_bytes", language(request), size=size, limit=limit))

    def pick(self, event: gr.EventData, request: gr.Request) -> Update:
        return self.sample(str(event.id), language(request))

    def sample(self, name: str, lang: str) -> Update:
        """The panel with a sample of the gallery; an unknown one, which only a forged request names, is the first."""
        sample = samples().get(name) or next(iter(samples().values()))
        try:
            image = self.arena.images.add(sample.path)
            self.arena.pictures.brought(EVERYBODY, image.sha256)
        except RunError as error:
            return self.show(Chosen(), lang, error.text(lang))
        return self.show(Chosen(image, sample.path.name, sample=sample.id), lang)

    def _read(self, source: Path, page: int, before: Chosen, request: gr.Request) -> Iterator[Update]:
        lang = language(request)
        yield {self.trouble: f'<p class="hint busy" role="status">{render.text(tr("ui.image.reading", lang))}</p>'}
        try:
            pages = self.arena.images.pages(source)
            image = self.arena.images.add(source, page)
            self.arena.pictures.brought(visitor_of(request), image.sha256)
        except RunError as error:
            yield self.show(before, lang, error.text(lang))
        else:
            yield self.show(Chosen(image, source.name, source=source, pages=pages, page=page), lang)


def build(arena: Arena, name: str = "", first: str = "") -> ImagePanel:
    """Lay the panel out in the current column and connect it. name: what the ids of a page's further panels begin with;
    these have no camera. first: the sample that it opens with, the gallery's first when none is given."""

    def part(what: str, js: str | None = None) -> gr.HTML:
        classes = f"image-{what.removeprefix('image-')}"
        return gr.HTML(elem_id=f"{name}{what}", elem_classes=classes, js_on_load=js, apply_default_css=False)

    chosen = gr.State(Chosen())
    shown, pages, trouble = part("picture"), part("pages", TURNED), part("image-trouble")
    with gr.Row(elem_id=f"{name}bring", elem_classes="image-bring"):
        file = gr.File(
            label=t("ui.image.drop"), show_label=False, elem_id=f"{name}source", elem_classes="image-source", height=84
        )
        if not name:
            gr.Button(t("ui.image.camera"), elem_id="open-camera", size="sm")
    strip = part("samples", CLICKED)
    panel = ImagePanel(arena, chosen, shown, pages, file, trouble, strip, camera=not name, first=first)
    watched: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    reading = watched | {"concurrency_limit": 4, "concurrency_id": "reading"}
    panel.changes.extend(
        [
            file.upload(panel.take, [file, chosen], panel.outputs, **reading),
            pages.select(panel.turn, chosen, panel.outputs, **reading),
            strip.select(panel.pick, None, panel.outputs, queue=False, **watched),
        ]
    )
    strip.input(panel.refuse, None, trouble, queue=False, **watched)
    return panel


def name_of(now: Chosen, lang: str) -> str:
    return samples()[now.sample].titles[lang] if now.sample else now.name


def _alert(text: str) -> str:
    return f'<p class="trouble" role="alert">{render.text(text)}</p>'


def pager(now: Chosen, lang: str) -> str:
    """The pages of a PDF; nothing for a file that has one."""
    if now.pages < 2:
        return ""

    def turn(page: int, sign: str, key: str) -> str:
        there = "" if 1 <= page <= now.pages else " disabled"
        label = render.text(tr(key, lang))
        return f'<button type="button" class="tool" data-turn="{page}" aria-label="{label}"{there}>{sign}</button>'

    field = f'<input type="number" min="1" max="{now.pages}" value="{now.page}" inputmode="numeric">'
    of = render.text(tr("ui.image.of", lang, pages=now.pages))
    return (
        f'<div class="pages">{turn(now.page - 1, "‹", "ui.image.before")}'
        f"<label>{render.text(tr('ui.image.page', lang))} {field} {of}</label>"
        f"{turn(now.page + 1, '›', 'ui.image.after')}</div>"
    )


def camera(lang: str) -> str:
    """The dialog in which the browser takes a picture; it then goes the way of a file."""

    def said(key: str) -> str:
        return render.text(tr(key, lang))

    return (
        f'<dialog id="camera" aria-label="{said("ui.image.camera")}"><video playsinline muted></video>'
        f'<p class="trouble" hidden>{said("ui.image.no_camera")}</p>'
        f'<div class="tools">'
        f'<button type="button" class="tool" data-camera="take" hidden>{said("ui.image.take")}</button>'
        f'<button type="button" class="tool" data-camera="close">{said("ui.image.close")}</button></div></dialog>'
    )
