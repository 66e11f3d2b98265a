"""How far a document is: a bar for each model with the time left, and a strip of its pages to choose from."""

from __future__ import annotations

from arena.documents.document import Page
from arena.numbers import number
from arena.strings import tr
from arena.types import Run
from arena.ui import answer, render
from arena.ui.document_reading import Reading
from arena.ui.live import View
from arena.units import SPACE, timed


def progress(reading: Reading, lang: str) -> str:
    """A bar a model, and below what is left or how long it took."""
    pages = [page for page in reading.pages.values() if not page.trouble]
    bars = "".join(_bar(reading, view, pages, lang) for view in reading.views)
    return f'<div class="progress">{bars}<p class="left" role="status">{_left(reading, lang)}</p></div>'


def strip(reading: Reading, lang: str) -> str:
    """The pages as buttons, each with the state of every side, and the files to be saved."""
    letters = [view.letter for view in reading.views]
    shown = reading.shown.number
    buttons = "".join(_button(reading, page, letters, shown, lang) for page in reading.pages.values())
    label = render.text(tr("documents.pages", lang))
    files = ""
    if any(page.runs for page in reading.pages.values()):
        base = f"documents/{reading.id}"
        links = [(f"{base}.md?side={letter}", f"Markdown {letter}") for letter in letters]
        links += [(f"{base}.json", "JSON"), (f"{base}.html?lang={lang}", "HTML")]
        files = "".join(f'<a class="tool" href="{href}" download>{name}</a>' for href, name in links)
        save = render.text(tr("documents.save", lang))
        files = f'<div class="files" role="group" aria-label="{save}"><span>{save}</span>{files}</div>'
    return f'<nav class="strip" aria-label="{label}">{buttons}</nav>{files}'


def _bar(reading: Reading, view: View, pages: list[Page], lang: str) -> str:
    done = sum(view.letter in page.runs for page in pages)
    here = reading.now is not None and reading.now[1] == view.letter and not reading.done
    share = 100 * done / max(len(pages), 1)
    said = tr("documents.done", lang, done=done, pages=len(pages))
    state = answer.chips(view, lang) if here and view.run is None else ""
    return (
        f'<div class="of {view.letter.lower()}"><span class="letter">{view.letter}</span>'
        f"<b>{render.text(view.label)}</b>"
        f'<span class="bar" aria-hidden="true"><i style="width:{share:.1f}%"></i></span>'
        f'<span class="count">{render.text(said)}</span>{state}</div>'
    )


def _left(reading: Reading, lang: str) -> str:
    if reading.done:
        whole = all(page.trouble or len(page.runs) == len(reading.views) for page in reading.pages.values())
        return render.text(tr("documents.over" if whole else "documents.stopped", lang))
    left = reading.left()
    if left is None:
        return render.text(tr("documents.unknown_left", lang))
    rest = max(round(left), 1)
    said = timed(rest, lang) if rest >= 60 else f"{number(rest, lang)}{SPACE}{tr('ui.unit.s', lang)}"
    return render.text(tr("documents.left", lang, time=said))


def _button(reading: Reading, page: Page, letters: list[str], shown: int, lang: str) -> str:
    states, words = "", [tr("documents.page", lang, page=page.number)]
    for letter in letters:
        here = not reading.done and reading.now == (page.number, letter)
        state, said = _state(page, page.runs.get(letter), here, lang)
        states += f'<i class="{letter.lower()} {state}"></i>'
        words.append(f"{letter}: {said}")
    current = ' aria-current="page"' if page.number == shown else ""
    label = render.text(", ".join(words))
    return (
        f'<button type="button" data-page="{page.number}" aria-label="{label}" title="{label}"{current}>'
        f"<span>{page.number}</span>{states}</button>"
    )


def _state(page: Page, run: Run | None, here: bool, lang: str) -> tuple[str, str]:
    """As a class and in words."""
    if page.trouble:
        return "bad", tr("documents.not_readable", lang)
    if run:
        good = run.status in ("ok", "empty")
        return "good" if good else "bad", tr(f"statuses.{run.status}", lang)
    return ("now", tr("documents.reading", lang)) if here else ("wait", tr("ui.status.waiting", lang))
