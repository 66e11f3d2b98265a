"""What can be done with a finished comparison: its link, its page, the report, JSON, once more; and who may see it."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from arena.access import whose
from arena.core import Arena
from arena.report.verdict import verdict
from arena.rerun import reproduces
from arena.strings import tr
from arena.types import Run
from arena.ui.block import block
from arena.ui.live import View
from arena.ui.render import text


def may_see(arena: Arena, comparison_id: str, whose: str | None) -> bool:
    """Whether the comparison is for the eyes of this visitor (see `arena.access.whose`; None sees all)."""
    return (
        whose is None or whose == arena.comparisons.visitor(comparison_id) or arena.comparisons.is_shared(comparison_id)
    )


def build() -> gr.HTML:
    """The block under the answers of the Compare tab."""
    return block("links", "links")


def bar(comparison_id: str, lang: str, *, shares: bool) -> str:
    """The buttons, with addresses relative to the application. shares: copying the link lets others see it, too."""
    there = f"c/{text(comparison_id)}"
    share = f' data-share="{there}/share" title="{_said("share_why", lang)}"' if shares else ""
    return (
        f'<nav class="link-bar" lang="{lang}" aria-label="{_said("title", lang)}">'
        f'<button type="button" class="tool" data-link="{there}"{share}>'
        f'<span>{_said("share" if shares else "link", lang)}</span><span class="ok">{_said("copied", lang)}</span>'
        f'<span class="failed">{_said("failed", lang)}</span></button>'
        f'<a class="tool" href="{there}" target="_blank" rel="noopener">{_said("open", lang)}</a>'
        f'<a class="tool" href="{there}.html" download>{_said("html", lang)}</a>'
        f'<a class="tool" href="{there}.json" download>{_said("json", lang)}</a>{again(comparison_id, lang)}</nav>'
    )


def again(comparison_id: str, lang: str, more: str = 'class="tool"') -> str:
    """The button that runs the comparison once more. more: further attributes."""
    return (
        f'<button type="button" {more} data-event="run_again" data-value="{text(comparison_id)}">'
        f"{_said('again', lang)}</button>"
    )


def finished(comparison_id: str, views: Sequence[View], before: Sequence[Run], lang: str, *, shares: bool) -> str:
    """Under the answers of a finished comparison: the buttons, and whether it came out as before if it was repeated."""
    runs = [view.run for view in views if view.run]
    repeated = verdict(reproduces(before, runs), [view.label for view in views], lang) if before else ""
    return bar(comparison_id, lang, shares=shares) + repeated


def offered(arena: Arena, request: gr.Request, lang: str) -> str:
    """On a page opened from a comparison's own to run it once more (``?again=ID``): the button; else nothing."""
    comparison_id = str(request.query_params.get("again", ""))
    if not comparison_id or not may_see(arena, comparison_id, whose(request, arena.settings)):
        return ""
    runs = arena.store.comparison(comparison_id)
    return asked(runs, lang) if runs else ""


def asked(runs: Sequence[Run], lang: str) -> str:
    """Before a comparison is run once more: which, and the button."""
    models = " · ".join(run.title for run in runs)
    moment = f"{runs[0].created_at:%Y-%m-%d %H:%M} UTC"
    said = text(tr("report.again.ask", lang, models=models, when=moment))
    there = f"c/{text(runs[0].comparison_id)}"
    button = again(runs[0].comparison_id, lang, 'class="tool main" data-arrived')
    return (
        f'<div class="verdicts" lang="{lang}"><h3>{_said("again", lang)}</h3><p>{said}</p>'
        f'<nav class="link-bar">{button}'
        f'<a class="tool" href="{there}">{text(tr("report.again.earlier", lang))}</a></nav></div>'
    )


def _said(key: str, lang: str) -> str:
    return text(tr(f"report.bar.{key}", lang))
