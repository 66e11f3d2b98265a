"""Two answers beside each other with what they do not share, or each beside the right answer with its errors.

Both panes scroll together; each stretch carries its place, so that the same place stays in sight on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from arena.numbers import number, share
from arena.score import score
from arena.strings import tr
from arena.ui import render
from arena.ui.diff import MOST, Difference, Stretch, Unit, difference
from arena.ui.i18n import language, t
from arena.ui.live import Live
from benchmarks.metrics.truth import Truth

ASSETS = Path(__file__).parent.parent.parent / "assets"
LETTERS = "AB"
RATES = ("cer", "wer")
MOST_MARKS = 4_000  # of one pane; more would only slow the browser down
SIGNS = str.maketrans({"\n": "⏎\n", " ": "␣", "\t": "⇥", "\N{NO-BREAK SPACE}": "⍽"})
HOW = {"queue": False, "show_progress": "hidden", "api_visibility": "private", "trigger_mode": "always_last"}


@dataclass(frozen=True)
class How:
    """What is compared. spaces: whether every kind and number of them counts."""

    unit: Unit = "words"
    spaces: bool = False


@dataclass(frozen=True)
class DifferencePanel:
    """The choice and the block. view: the page's choice of a view, in which this is ``diff``."""

    view: gr.Radio
    unit: gr.Radio
    spaces: gr.Checkbox
    panes: gr.HTML

    def connect(self, last: gr.State, ended: gr.HTML) -> None:
        """last: a `gr.State` with the visitor's last `Live`. ended: a block that changes when one of its sides ends."""
        changes = [self.view.change, self.unit.change, self.spaces.change, ended.change]
        gr.on(changes, self.compare, [last, self.view, self.unit, self.spaces], self.panes, **HOW)

    def compare(self, live: Live | None, view: str, unit: Unit, spaces: bool, request: gr.Request) -> str:
        if view != "diff":
            return ""
        lang = language(request)
        if live is None:
            return _hint("nothing", lang)
        texts = [view.run.text if view.run else "" for view in live.views]
        return panes(texts, [view.label for view in live.views], live.request.reference, How(unit, spaces), lang)


def block(name: str) -> gr.HTML:
    """An empty block for `panes`, with its style and its scrolling."""
    return gr.HTML(
        css_template=(ASSETS / "difference.css").read_text(encoding="utf-8"),
        js_on_load=(ASSETS / "difference.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=name,
    )


def choices() -> tuple[gr.Radio, gr.Checkbox]:
    """What is compared, as the visitor chooses it."""
    units = [(t("diff.unit.words"), "words"), (t("diff.unit.characters"), "characters")]
    unit = gr.Radio(units, value="words", label=t("diff.unit.title"), elem_classes="pills diff-unit")
    return unit, gr.Checkbox(label=t("diff.spaces"), info=t("diff.spaces_info"), elem_classes="diff-spaces")


def panes(texts: Sequence[str], titles: Sequence[str], reference: str | None, how: How, lang: str) -> str:
    """The whole comparison as HTML; a hint while there is nothing to compare."""
    if reference and reference.strip():
        found = [difference(said, reference, how.unit, how.spaces) if said.strip() else None for said in texts]
        rates = [_rates(said, reference, lang) for said in texts]
        sides = [
            _pane(LETTERS[at], titles[at], _errors(each, how, rates[at], lang), marked(each.stretches, both=True))
            for at, each in enumerate(found)
            if each
        ]
        hint, cut = "reference", any(each.cut for each in found if each)
    elif len(texts) == 2 and all(said.strip() for said in texts):
        between = difference(texts[0], texts[1], how.unit, how.spaces)
        facts = _differs(between, how, lang)
        told = between.stretches, between.turned
        sides = [_pane(LETTERS[at], titles[at], facts[at], marked(each)) for at, each in enumerate(told)]
        hint, cut = "other" if between.count else "same", between.cut
    else:
        return _hint("nothing", lang)
    more = f'<p class="hint">{_t("diff.cut", lang, most=number(MOST, lang))}</p>' if cut else ""
    return f'{_hint(hint, lang)}{more}<div class="panes">{"".join(sides)}</div>' if sides else _hint("nothing", lang)


def marked(stretches: Iterable[Stretch], *, both: bool = False) -> str:
    """One text as HTML with its differences marked. both: with what the other text has in their place, too."""
    html = []
    marks = 0
    for each in stretches:
        if each.kind == "same":
            html.append(f'<span data-at="{each.at}">{render.text(each.said)}</span>{each.after}')
            continue
        said, wanted = _visible(each.said), _visible(each.wanted)
        if both:
            after = each.after or each.wanted_after
            struck, written = f"<del>{wanted}</del>" if wanted else "", f"<ins>{said}</ins>" if said else ""
            inner = f'<span class="wrong">{struck}{written}</span>' if struck and written else struck + written
            html.append(inner + after)
        elif said:
            html.append(f"<mark>{said}</mark>{each.after}")
        marks += 1
        if marks == MOST_MARKS:
            html.append("…")
            break
    return "".join(html)


def _visible(value: str) -> str:
    """A text to be marked; white space that is all of it, which nobody would see, by a sign."""
    return render.text(value.translate(SIGNS) if value.isspace() else value)


def _pane(letter: str, title: str, facts: str, html: str) -> str:
    name = f"differs-{letter.lower()}"
    return (
        f'<section class="{letter.lower()}" aria-labelledby="{name}"><header><span class="letter">{letter}</span>'
        f'<h3 id="{name}">{render.text(title)}</h3>{facts}</header>'
        f'<pre class="pane" tabindex="0" dir="auto" aria-labelledby="{name}">{html}</pre></section>'
    )


def _rates(said: str, reference: str, lang: str) -> list[tuple[str, str]]:
    """The error rates as they are recorded: over the whole text, however it is shown here."""
    found = score(said, (), Truth(text=reference), RATES)
    return [(f"metrics.title.{name}", share(value, lang)) for name, value in found.items()]


def _errors(found: Difference, how: How, rates: list[tuple[str, str]], lang: str) -> str:
    counts = [(f"diff.wrong.{how.unit}", found.wrong), ("diff.missing", found.missing), ("diff.extra", found.extra)]
    return _facts(rates, lang) + _facts([(key, number(count, lang)) for key, count in counts], lang)


def _differs(found: Difference, how: How, lang: str) -> list[str]:
    """Of each side: what is different in it, and what is only there."""
    wrong = f"diff.different.{how.unit}", number(found.wrong, lang)
    return [_facts([wrong, ("diff.only", number(count, lang))], lang) for count in (found.extra, found.missing)]


def _facts(facts: Iterable[tuple[str, str]], lang: str) -> str:
    inner = "".join(f"<div><dt>{_t(key, lang)}</dt><dd>{value}</dd></div>" for key, value in facts)
    return f"<dl>{inner}</dl>"


def _hint(name: str, lang: str) -> str:
    return f'<p class="hint">{_t(f"diff.hint.{name}", lang)}</p>'


def _t(key: str, lang: str, **params: object) -> str:
    return render.text(tr(key, lang, **params))
