"""Runs as one HTML document that needs nothing else: pure functions, every text escaped, for screen and print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import ascii_uppercase
from urllib.parse import quote

from arena.config import VERSION
from arena.errors import KINDS
from arena.markup import document
from arena.report import sections
from arena.report.sections import said
from arena.report.style import policy, script, style
from arena.spec import Task, how
from arena.strings import LANGUAGES, tr
from arena.types import Run
from arena.ui import answer, figures
from arena.ui.live import View
from arena.ui.render import text
from arena.ui.run_table import Reader, when
from arena.ui.shell import MARK

ICON = f'<link rel="icon" type="image/svg+xml" href="data:image/svg+xml,{quote(MARK)}">'


def html_report(
    runs: Sequence[Run], lang: str, tasks: Mapping[str, Task], *, picture: str = "", bar: str = "", served: bool = False
) -> str:
    """The comparison that these runs are, at least one, as a whole HTML document.

    tasks: of the catalogue, for their titles. picture: a data URL, or an address if `served`; "" where there is none.
    bar: HTML of what can be done with it. served: by the arena; otherwise the document may stand anywhere and loads
    nothing at all.
    """
    views = [view_of(run, place) for place, run in enumerate(runs)]
    shown = [view.run for view in views if view.run]
    reader = Reader(lang, tasks)
    titles = " · ".join(view.title for view in views)
    body = f"""<header class="head">
  {MARK}
  <div><p>{text(reader.task(runs[0].task))} · {when(runs[0])}</p><h1>{text(titles)}</h1></div>
  {bar}
</header>
<section class="asked">
  {sections.figure(shown, views, picture, lang)}
  {sections.question(shown, views, reader)}
</section>
<h2 class="sr">{said("answers", lang)}</h2>
<section id="results">{sections.answers(views, lang)}</section>
<section class="sheet">{figures.table(shown, [view.label for view in views], lang)}</section>
{sections.recorded(shown, views, lang)}
<p class="made">VLM Arena {VERSION} · {said("one_image", lang)} · <code>{text(runs[0].comparison_id)}</code></p>"""
    return _document(titles, body, lang, served)


def missing_page(lang: str, section: str = "report") -> str:
    """What is shown in the place of a comparison that is not there, or not for this visitor; its words are the
    ``missing`` and ``missing_why`` of the section."""
    title = tr(f"{section}.missing", lang)
    body = (
        f'<div class="sheet missing"><h1>{text(title)}</h1><p>{text(tr(f"{section}.missing_why", lang))}</p>'
        f'<p class="tools"><a class="tool" href="../">{said("home", lang)}</a></p></div>'
    )
    return _document(title, body, lang, served=True)


def view_of(run: Run, place: int) -> View:
    """The run as the page shows it: its letter comes from its place; only known states and errors are named."""
    status = run.status if run.status in answer.SIGNS else "error"
    kind = run.error_kind if run.error_kind in KINDS else None
    told = {lang: tr(f"errors.{kind}", lang) for lang in LANGUAGES} if kind else {}
    runs = "" if run.mode == "embedded" else how(run.mode, run.quantization, run.dtype)
    run = replace(run, status=status, error_kind=kind, error_text=told)
    return View(ascii_uppercase[place % 26], run.title, runs, run=run)


def _document(title: str, body: str, lang: str, served: bool) -> str:
    head = f"""<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="referrer" content="same-origin">
{ICON}
<style>{style()}</style>
<script>{script()}</script>"""
    body = f'<div class="gradio-container report"><main>\n{body}\n</main></div>'
    return document(f"{title} — VLM Arena", lang, policy(served), head, body)
