"""The image as every model gets it, with what is to be said of it and the boxes the models drew."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.base import Box
from arena.images import StoredImage
from arena.strings import tr
from arena.ui import render

MOST_BOXES = 3_000  # a side; more would only slow the browser down


def url(sha256: str) -> str:
    """Where the page gets a preview of a stored image."""
    return f"media/{sha256}.webp"


def picture(image: StoredImage | None, boxes: Sequence[Sequence[Box]], lang: str, name: str = "") -> str:
    """The figure; before the first image, a hint of what to do."""
    if image is None:
        return f'<figure class="picture none"><p>{render.text(tr("ui.image.none", lang))}</p></figure>'
    alt = render.text(tr("ui.image.alt", lang, name=name or tr("ui.image.yours", lang)))
    layers = "".join(
        layer(letter, found, image.width, image.height) for letter, found in zip("ab", boxes, strict=False) if found
    )
    facts = f"{image.width}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{image.height}"
    notices = "".join(f"<li>{render.text(notice.text(lang))}</li>" for notice in image.notices)
    said = f'<ul class="notices">{notices}</ul>' if notices else ""
    return (
        f'<figure class="picture" style="--ratio:{image.width / image.height:.4f}">'
        f'<div class="canvas"><img src="{url(image.sha256)}" alt="{alt}" width="{image.width}" height="{image.height}">'
        f"{layers}</div>"
        f'<div class="under"><figcaption><span>{render.text(name)}</span> <span>{facts}</span></figcaption>'
        f'<button type="button" class="tool" data-zoom="in">{_text("ui.image.enlarge", lang)}</button>'
        f'<button type="button" class="tool" data-zoom="out">{_text("ui.image.close", lang)}</button>'
        f"</div>{said}</figure>"
    )


def _text(key: str, lang: str) -> str:
    return render.text(tr(key, lang))


def layer(letter: str, boxes: Sequence[Box], width: int, height: int) -> str:
    """One model's boxes as an SVG over the image; the text of a box is its tooltip."""
    shapes = []
    for box in boxes[:MOST_BOXES]:
        said = render.text(render.shown(box.text or box.kind, 200)[0])
        sure = "" if box.confidence is None else f" · {box.confidence:.0%}"
        shapes.append(
            f'<rect x="{box.x0:.1f}" y="{box.y0:.1f}" width="{box.x1 - box.x0:.1f}" height="{box.y1 - box.y0:.1f}">'
            f"<title>{letter.upper()}: {said}{sure}</title></rect>"
        )
    return f'<svg class="boxes {letter}" viewBox="0 0 {width} {height}" aria-hidden="true">{"".join(shapes)}</svg>'
