"""One side's stages as HTML: a bar on the same scale for both sides, and every stage with its seconds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from arena.strings import tr
from arena.types import STAGES, Stage
from arena.ui import render
from arena.ui.live import View
from arena.units import timed

NAMES: dict[Stage, str] = {
    "queued": "queue",
    "unloading": "unload",
    "starting": "start",
    "loading": "load",
    "generating": "generate",
}


@dataclass(frozen=True)
class Stretch:
    """One stage: its name, its seconds (None: did not happen), whether it goes on right now.

    within: seconds of it that another stage has in it already; the bar leaves them out.
    """

    name: str
    seconds: float | None
    now: bool = False
    within: float = 0.0

    @property
    def length(self) -> float:
        return max(0.0, (self.seconds or 0.0) - self.within)


def stretches(view: View, now: float) -> list[Stretch]:
    """The stages in order; the time to the first text is a part of the answer's."""
    if view.run:
        line = view.run.timeline
        first, generate = line.first_token_s, line.generate_s
        before = [line.queue_s, line.unload_s, line.start_s, line.load_s]
        found = [Stretch(NAMES[stage], value) for stage, value in zip(STAGES, before, strict=False)]
    else:
        first, generate = view.first_token_s, view.seconds("generating", now)
        found = [Stretch(NAMES[stage], view.seconds(stage, now), stage == view.stage) for stage in STAGES[:-1]]
    answering = view.stage == "generating"
    found.append(Stretch("first", first if first is not None else generate, answering and first is None))
    whole = generate if first is not None else None
    found.append(Stretch("generate", whole, answering and first is not None, within=first or 0.0))
    return found


def total(view: View, now: float) -> float:
    return sum(stretch.length for stretch in stretches(view, now))


def timelines(views: Sequence[View], lang: str) -> list[str]:
    """The bars of all sides, the longest filling the width."""
    now = time.monotonic()
    longest = max([total(view, now) for view in views] + [1e-9])
    return [_timeline(stretches(view, now), longest, lang) for view in views]


def _timeline(found: Sequence[Stretch], longest: float, lang: str) -> str:
    whole = sum(stretch.length for stretch in found)
    bar = "".join(
        f'<i class="{stretch.name}{" now" if stretch.now else ""}" style="flex-grow:{stretch.length / whole:.4f}"></i>'
        for stretch in found
        if stretch.length and whole
    )
    steps = "".join(_step(stretch, lang) for stretch in found)
    width = max(0.5, 100 * whole / longest) if whole else 0
    return (
        f'<div class="bar" aria-hidden="true"><div style="width:{width:.2f}%">{bar}</div></div>'
        f'<ol class="steps" aria-label="{render.text(tr("ui.stage.all", lang))}">{steps}</ol>'
    )


def _step(stretch: Stretch, lang: str) -> str:
    state = ' now" aria-current="step"' if stretch.now else ' none"' if stretch.seconds is None else '"'
    name = render.text(tr(f"ui.stage.{stretch.name}", lang))
    return f'<li class="{stretch.name}{state}><span>{name}</span><b>{timed(stretch.seconds, lang)}</b></li>'


def empty(lang: str) -> str:
    """The timeline before the first run: all stages, no times."""
    return _timeline(stretches(View("", ""), 0.0), 1.0, lang)
