"""The conversation as HTML: questions with their pictures, answers with what each cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from arena.conversations import Answer, Conversation, Turn
from arena.numbers import UNKNOWN, number
from arena.strings import tr
from arena.types import Run
from arena.ui import answer, render, safe_html
from arena.ui.live import View
from arena.ui.picture import url
from arena.units import SPACE, sized, timed


@dataclass(frozen=True)
class Known:
    """What stands beside the conversation: its runs by id, as far as they are kept, and the models' names by id."""

    runs: Mapping[str, Run] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)


def transcript(conversation: Conversation, known: Known, lang: str, *, busy: bool = False) -> str:
    """All turns. busy: the last one is being answered; nothing can be changed until then."""
    last = len(conversation.turns) - 1
    turns = "".join(
        f'<li class="turn">{_question(at, turn, lang, busy=busy)}'
        + ("" if busy and at == last else _answers(at, turn, known, lang))
        + (_again(lang) if at == last and not busy else "")
        + "</li>"
        for at, turn in enumerate(conversation.turns)
    )
    return f'<ol class="talk">{turns}</ol>'


def empty(lang: str) -> str:
    """Before the first question."""
    return f'<div class="none"><h2>{_t("chat.empty", lang)}</h2><p>{_t("chat.empty_hint", lang)}</p></div>'


def _question(at: int, turn: Turn, lang: str, *, busy: bool) -> str:
    shown, left = render.shown(turn.text)
    more = f'<p class="hint">{render.text(tr("ui.answer.more", lang, count=left))}</p>' if left else ""
    edit = ""
    if not busy and not left:
        rest = _t("chat.edit_hint", lang)
        edit = (
            f'<footer class="tools"><button type="button" class="tool" data-act="edit">{_t("chat.edit", lang)}</button>'
            f'</footer><form class="edit" data-event="edit_turn" data-position="{at}" hidden>'
            f'<textarea rows="3" maxlength="100000" aria-label="{_t("chat.edit_label", lang)}">{render.text(turn.text)}'
            f'</textarea><p class="hint">{rest}</p><div class="tools">'
            f'<button type="submit" class="tool main">{_t("chat.edit_ask", lang)}</button>'
            f'<button type="button" class="tool" data-act="keep">{_t("chat.keep", lang)}</button></div></form>'
        )
    return (
        f'<article class="mine"><h3 class="sr">{_t("chat.you", lang)}</h3>{pictures(turn.images, lang)}'
        f'<pre class="text" dir="auto">{render.text(shown)}</pre>{more}{edit}</article>'
    )


def pictures(hashes: Sequence[str], lang: str) -> str:
    """Small previews."""
    found = (
        f'<li><img src="{url(render.text(sha256))}" alt="{_t("chat.picture", lang, number=at)}" loading="lazy"></li>'
        for at, sha256 in enumerate(hashes, start=1)
    )
    return f'<ul class="pictures">{"".join(found)}</ul>' if hashes else ""


def _answers(at: int, turn: Turn, known: Known, lang: str) -> str:
    cards = "".join(_answer(at, letter, given, known, lang) for letter, given in sorted(turn.answers.items()))
    return f'<div class="said">{cards}</div>' if cards else f'<p class="hint">{_t("chat.unanswered", lang)}</p>'


def _answer(at: int, letter: str, given: Answer, known: Known, lang: str) -> str:
    run, title = known.runs.get(given.run_id), known.titles.get(given.model, given.model)
    view = View(letter, title, run=run)
    chips = answer.chips(view, lang) if run and run.status != "ok" else ""
    wrong = answer.trouble(run, lang) if run else ""
    text, tools = "", ""
    if given.text.strip():
        name = f"chat-answer-{at}-{letter}"
        left = render.shown(given.text)[1]
        whole = f' data-url="media/run/{render.text(given.run_id)}.txt"' if left and run else ""
        text = (
            f'<div class="rendered">{safe_html.markdown(given.text, lang)}</div>'
            f'<pre class="source" id="{name}" hidden>{render.text(render.shown(given.text)[0])}</pre>'
        )
        tools = (
            f'<button type="button" class="tool" data-copy="{name}"{whole}><span>{_t("ui.answer.copy", lang)}</span>'
            f'<span class="ok">{_t("ui.answer.copied", lang)}</span></button>'
        )
    return (
        f'<article class="one {letter.lower()}">{answer.head(letter, title, chips, "")}{wrong}{text}'
        f'<footer class="tools">{tools}{cost(run, lang)}</footer></article>'
    )


def costs(run: Run, lang: str) -> list[tuple[str, str]]:
    """What an answer cost, by the name of the figure (``chat.cost.*``); a dash for what nobody measured."""
    if run.timeline.generate_s is None or not run.text:
        return []
    speed = f"{number(run.tokens_per_s, lang, 1)}{SPACE}{tr('chat.cost.per_second', lang)}"
    vram = run.memory.peak_vram_process_mb
    found = {
        "first": timed(run.timeline.first_token_s, lang),
        "speed": speed if run.tokens_per_s is not None else UNKNOWN,
        "answer": timed(run.timeline.generate_s, lang),
        "load": timed(run.timeline.load_s, lang) if run.timeline.cold else "",
        "vram" if vram is not None else "ram": sized(vram if vram is not None else run.memory.peak_ram_mb, lang),
    }
    return [(name, said) for name, said in found.items() if said]


def cost(run: Run | None, lang: str) -> str:
    """The same as HTML; for an answer whose run was deleted, that."""
    if run is None:
        return f'<span class="cost">{_t("chat.cost.gone", lang)}</span>'
    parts = (
        f"<span>{_t(f'chat.cost.{name}', lang)} <b>{render.text(each)}</b></span>" for name, each in costs(run, lang)
    )
    return f'<span class="cost">{" ".join(parts)}</span>'


def _again(lang: str) -> str:
    hint = _t("chat.again_hint", lang)
    return (
        f'<p class="tools end"><button type="button" class="tool" data-event="again" title="{hint}">'
        f"↻ {_t('chat.again', lang)}</button></p>"
    )


def streaming(views: Sequence[View], lang: str) -> str:
    """The answers while they come."""
    cards = "".join(
        f'<article class="one {view.letter.lower()}">'
        f"{answer.head(view.letter, view.title, answer.chips(view, lang), '', view.how)}"
        f"{answer.streaming(view, lang) if view.run is None else _finished(view)}</article>"
        for view in views
    )
    return f'<div class="said" aria-busy="true">{cards}</div>'


def _finished(view: View) -> str:
    return f'<pre class="text" dir="auto">{render.text(render.shown(view.text)[0])}</pre>'


def announced(views: Sequence[View], comparison_id: str, lang: str) -> str:
    """For those who cannot see it: which side has ended how, and the beginning of what it said."""
    ended = [
        f"{view.letter}, {view.title}: {tr(f'statuses.{view.run.status}', lang)}. {view.run.text[:300]}"
        for view in views
        if view.run
    ]
    over = f' data-over="{comparison_id}"' if len(ended) == len(views) else ""
    return f'<p class="sr" role="status"{over}>{render.text(" ".join(ended))}</p>'


def _t(key: str, lang: str, **params: object) -> str:
    return render.text(tr(key, lang, **params))
