"""What has been downloaded and what is coming, one row a model: how far it is, why it stopped, what can be done."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from arena.downloading import Download, Pace
from arena.numbers import number
from arena.strings import tr
from arena.ui.block import copy_button
from arena.ui.render import text
from arena.units import SPACE, stored

LINK = re.compile(r"https?://[\w.:/-]+\w")  # in a text of ours that is escaped already


@dataclass(frozen=True)
class Row:
    """A model that is here, coming, or was to come. size: bytes on the disk. model: its id in the catalogue, or ""."""

    source: str
    title: str
    model: str
    size: int
    whole: bool
    download: Download | None = None

    @property
    def active(self) -> bool:
        return self.download is not None and not self.download.over

    @property
    def state(self) -> str:
        """``active``, ``failed``, ``whole`` or ``partial``."""
        if self.active:
            return "active"
        if self.download and self.download.error:
            return "failed"
        return "whole" if self.whole else "partial"


def rows(found: Iterable[Row], free: int, place: str, lang: str, *, may: bool) -> str:
    """The list, and below it what the disk has. may: whether this visitor may change anything, or know the place.

    The page asks again while it is seen: often while something comes, else now and then.
    """
    found = sorted(found, key=lambda row: (not row.active, row.state != "failed", -row.size))
    inside = "".join(_row(row, lang, may) for row in found)
    size = stored(sum(row.size for row in found), lang)
    disk = tr("downloads_panel.disk", lang, size=size, free=stored(free, lang))
    listed = f"<ul>{inside}</ul>" if inside else f'<p class="hint">{text(tr("downloads_panel.empty", lang))}</p>'
    stamp = text(",".join(f"{row.source} {row.state}" for row in found))
    pace = 1 if any(row.active for row in found) else 10
    return (
        f'<section lang="{lang}" class="downloads" data-news="{pace}" data-stamp="{stamp}">'
        f'{listed}<p class="disk">{text(f"{disk} {place}" if may else disk)}</p></section>'
    )


def question(row: Row, lang: str) -> str:
    """What is asked before a model is removed."""
    size = stored(row.size, lang)
    return f"""
<article lang="{lang}" class="question">
  <h2>{text(tr("downloads_panel.question", lang, title=row.title))}</h2>
  <p>{text(tr("downloads_panel.loss", lang, size=size))}</p>
  <footer><button type="button" data-event="close" autofocus>{text(tr("downloads_panel.keep", lang))}</button>
  <button type="button" class="danger" data-event="confirm_remove" data-value="{text(row.source)}">{
        text(tr("downloads_panel.confirm", lang, size=size))
    }</button></footer>
</article>"""


def button(
    event: str, key: str, row_title: str, value: str, lang: str, *, may: bool, kind: str = "", size: str = ""
) -> str:
    """A button of the panel or a card; `row_title` says to a screen reader what it is of."""
    label = " ".join(filter(None, [tr(f"downloads_panel.{key}", lang), size]))
    off = "" if may else " disabled"
    return (
        f'<button type="button" class="act {kind}" data-event="{event}" data-value="{text(value)}" '
        f'aria-label="{text(f"{label}: {row_title}")}"{off}>{text(label)}</button>'
    )


def command(name: str, said: str, lang: str) -> str:
    """A command to be typed, with its button to copy it."""
    copy = copy_button(name, tr("models_tab.copy", lang), tr("models_tab.copied", lang))
    return f'<div class="command"><code id="{text(name)}">{text(said)}</code>{copy}</div>'


def _row(row: Row, lang: str, may: bool) -> str:
    name = f"<code>{text(row.model)}</code> · {text(row.source)}" if row.model else text(row.source)
    return (
        f'<li data-source="{text(row.source)}" class="{row.state}"><div class="what"><h3>{text(row.title)}</h3>'
        f"<p>{name}</p></div>{_state(row, lang)}{_actions(row, lang, may)}</li>"
    )


def _state(row: Row, lang: str) -> str:
    if row.active and row.download:
        stopping = row.download.state == "stopping"
        return f'<div class="how">{_progress(row.title, row.download.pace, lang, stopping=stopping)}</div>'
    said = ""
    if row.state == "failed" and row.download and row.download.error:
        # Our own text: its only link is the model's page.
        why = LINK.sub(
            lambda link: f'<a href="{link[0]}" target="_blank" rel="noreferrer">{link[0]}</a>',
            text(row.download.error.text(lang)),
        )
        said = f'<p class="trouble" role="alert">{why}</p>'
    kind, key = ("ready", "downloads_panel.whole") if row.whole else ("needs", "downloads_panel.partial")
    if not row.size:
        key = "models.badge.needs_download"
    chip = f'<span class="chip {kind}">{text(tr(key, lang))}</span>'
    size = f" <b>{text(stored(row.size, lang))}</b>" if row.size else ""
    return f'<div class="how"><p>{chip}{size}</p>{said}</div>'


def _progress(title: str, pace: Pace | None, lang: str, *, stopping: bool) -> str:
    if pace is None:
        return f'<p class="busy">{text(tr("downloads_panel.asking", lang))}</p>'
    percent = 100 * pace.done // max(pace.total, 1)
    facts = [tr("downloads_panel.of", lang, done=stored(pace.done, lang, 2), total=stored(pace.total, lang, 2))]
    if stopping:
        facts.append(tr("downloads_panel.stopping", lang))
    elif pace.speed:
        facts.append(f"{number(pace.speed / 1e6, lang, 1)}{SPACE}{tr('downloads_panel.mb_s', lang)}")
        facts.append(tr("downloads_panel.left", lang, time=_rough(pace.left or 0, lang)))
    return (
        f'<div class="bar" role="progressbar" aria-label="{text(title)}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
        f"<p><b>{percent}{SPACE}%</b> {text(' · '.join(facts))}</p>"
    )


def _rough(seconds: float, lang: str) -> str:
    """A time to wait, as exact as it can be known: 40 s, 3 min, 2 h 10 min."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))}{SPACE}{tr('ui.unit.s', lang)}"
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    said = [f"{hours}{SPACE}{tr('downloads_panel.hours', lang)}"] if hours else []
    return " ".join([*said, f"{minutes}{SPACE}{tr('ui.unit.min', lang)}"])


def _actions(row: Row, lang: str, may: bool) -> str:
    if row.active and row.download:
        idle = may and row.download.state == "running"
        return f'<div class="acts">{button("stop_download", "stop", row.title, row.source, lang, may=idle)}</div>'
    acts, commands = [], []
    if row.model and not row.whole:
        key = "again" if row.state == "failed" else "resume" if row.size else "start"
        acts.append(button("start_download", key, row.title, row.model, lang, may=may, kind="main"))
        commands.append(f"python -m arena models download {row.model}")
    if row.size:
        acts.append(button("ask_remove", "remove", row.title, row.source, lang, may=may))
        commands.append(f"python -m arena models cache --remove {row.source}")
    elif row.download:
        acts.append(button("forget_download", "hide", row.title, row.source, lang, may=may))
    typed = "" if may else "".join(command(f"type-{row.source}-{at}", said, lang) for at, said in enumerate(commands))
    return f'<div class="acts">{"".join(acts)}</div>{typed}'
