"""What each answer cost and how good it was, side by side, the better figure marked by a sign and a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from string import ascii_uppercase

from arena.numbers import number, share
from arena.strings import tr
from arena.types import Run
from arena.ui import render
from arena.ui.figure_names import name_key
from arena.units import sized, timed
from benchmarks.metrics import METRICS

Show = Callable[[float | None, str], str]


@dataclass(frozen=True)
class Figure:
    """A row of the table. less_is_better: None where neither is better. title, hint: keys of its texts."""

    name: str
    of: Callable[[Run], float | None]
    show: Show
    less_is_better: bool | None = True

    @property
    def title(self) -> str:
        return name_key(self.name, "title", "ui.figures")

    @property
    def hint(self) -> str:
        return name_key(self.name, "hint", "ui.figures.hint")


def _rate(value: float | None, lang: str) -> str:
    return number(value, lang, 1)


def _count(value: float | None, lang: str) -> str:
    return number(value, lang)


FIGURES: tuple[Figure, ...] = (
    Figure("load", lambda run: run.timeline.load_s, timed),
    Figure("first", lambda run: run.timeline.first_token_s, timed),
    Figure("generate", lambda run: run.timeline.generate_s, timed),
    Figure("total", lambda run: run.timeline.total_s, timed),
    Figure("tokens_per_s", lambda run: run.tokens_per_s, _rate, False),
    Figure("characters_per_s", lambda run: run.characters_per_s, _rate, False),
    Figure("characters", lambda run: run.characters, _count, None),
    Figure("ram", lambda run: run.memory.peak_ram_mb, sized),
    Figure("vram", lambda run: run.memory.peak_vram_process_mb, sized),
    Figure("vram_device", lambda run: run.memory.peak_vram_device_mb, sized),
    Figure("cer", lambda run: run.scores.get("cer"), share),
    Figure("wer", lambda run: run.scores.get("wer"), share),
)


def scored(runs: Sequence[Run | None]) -> tuple[Figure, ...]:
    """A row for every further metric by which one of the answers was scored."""
    always = [figure.name for figure in FIGURES]
    names = (name for name in METRICS if name not in always and any(run and name in run.scores for run in runs))
    return tuple(Figure(name, partial(_score, name), share, METRICS[name].better == "lower") for name in names)


def _score(name: str, run: Run) -> float | None:
    return run.scores.get(name)


def better(figure: Figure, runs: Sequence[Run | None], lang: str) -> int | None:
    """The index of the better side; None unless both gave a usable answer and the figures look different."""
    values = [figure.of(run) if run and run.status == "ok" else None for run in runs]
    one, *rest = values
    if figure.less_is_better is None or one is None or len(rest) != 1 or rest[0] is None:
        return None
    if figure.show(one, lang) == figure.show(rest[0], lang):
        return None
    return int((one > rest[0]) == figure.less_is_better)


def table(runs: Sequence[Run | None], titles: Sequence[str], lang: str) -> str:
    """The table, a column a side; an em dash for what is unknown or did not happen."""
    head = "".join(
        f'<th scope="col" class="{letter.lower()}"><span class="letter">{letter}</span> {render.text(title)}</th>'
        for letter, title in zip(ascii_uppercase, titles, strict=False)
    )
    rows = []
    for figure in (*FIGURES, *scored(runs)):
        best = better(figure, runs, lang)
        cells = []
        for index, run in enumerate(runs):
            shown = figure.show(figure.of(run) if run else None, lang)
            if index == best:
                word = render.text(tr("ui.figures.better", lang))
                shown = f'<b>{shown}</b> <span class="best" title="{word}">▲<span class="sr"> {word}</span></span>'
            cells.append(f"<td>{shown}</td>")
        hint = tr(figure.hint, lang)
        what = render.text(tr(figure.title, lang))
        name = f'<th scope="row"><span title="{render.text(hint)}">{what}</span></th>'
        rows.append(f"<tr>{name}{''.join(cells)}</tr>")
    corner = f'<td><span class="sr">{render.text(tr("ui.figures.title", lang))}</span></td>'
    return (
        f'<table class="figures"><caption>{render.text(tr("ui.figures.title", lang))}</caption>'
        f"<thead><tr>{corner}{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
