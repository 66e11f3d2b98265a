"""A document as one HTML file that needs nothing else: pictures, boxes and both texts of every page."""

from __future__ import annotations

from base64 import b64encode

from arena import markup
from arena.documents.document import Document, Page
from arena.images import ImageStore
from arena.strings import tr
from arena.ui import safe_html
from arena.ui.document_page import drawing, legend
from arena.ui.preview import PREVIEW, preview
from arena.ui.render import text
from arena.ui.shell import asset

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
WHOLE = 200_000  # characters of one page


def html_document(document: Document, images: ImageStore, lang: str) -> str:
    """The whole document for screen and print. It runs no script and fetches nothing."""
    pages = "".join(_page(page, document, images, lang) for page in document.pages)
    models = " · ".join(f"{letter}: {title}" for letter, title in document.titles.items())
    head = f"""<meta name="robots" content="noindex">
<style>{asset("theme.css")}
.document {{ {asset("documents.css")} }}</style>"""
    body = f"""<div class="gradio-container"><main class="document file">
<header><h1>{text(document.name)}</h1><p class="hint">{text(models)}</p></header>
{pages}
</main></div>"""
    return markup.document(document.name, lang, POLICY, head, body)


def _said(page: Page, letter: str, lang: str) -> str:
    run = page.runs.get(letter)
    if run is None:
        return ""
    if run.task == "ocr" and not page.tables(letter):
        return f'<pre dir="auto">{text(run.text[:WHOLE])}</pre>'
    return f'<div class="rendered">{safe_html.markdown(page.markdown(letter), lang, WHOLE)}</div>'


def _page(page: Page, document: Document, images: ImageStore, lang: str) -> str:
    sides = {letter: page.blocks(letter) for letter in document.titles}
    stored = images.get(page.sha256 or "")
    source = "data:image/webp;base64," + b64encode(preview(stored.path, PREVIEW)).decode() if stored else ""
    figure = (
        f'<figure class="sheet">{drawing(page, sides, source, lang)}{legend(sides, lang)}</figure>' if source else ""
    )
    texts = "".join(
        f'<section class="said {letter.lower()}"><header><span class="letter">{letter}</span>'
        f"<h3>{text(title)}</h3></header>"
        f"{_said(page, letter, lang)}</section>"
        for letter, title in document.titles.items()
    )
    heading = text(tr("documents.page", lang, page=page.number))
    return f'<h2>{heading}</h2><div class="spread">{figure}<div class="texts">{texts}</div></div>'
