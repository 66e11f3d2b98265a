"""The catalogue as cards: what a model is, whether it runs here and what would change that, what memory it needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from arena.doctor import SIGNS, Finding
from arena.numbers import UNKNOWN, number
from arena.spec import Mode, ModelSpec, Task
from arena.status import Fit, ModelStatus
from arena.strings import tr
from arena.ui.download_rows import button, command
from arena.ui.render import text
from arena.units import stored


@dataclass(frozen=True)
class Entry:
    """A model of the catalogue on this machine.

    disk: what its files take, in bytes. missing: some of them have to be downloaded. coming: that is under way.
    """

    spec: ModelSpec
    status: ModelStatus
    fit: Fit
    disk: int
    missing: bool = False
    coming: bool = False

    def has(self, words: str, lang: str) -> bool:
        """Whether every one of the words occurs in what its card says."""
        spec = self.spec
        said = [spec.id, spec.title, spec.source, spec.licence, spec.note(lang), *spec.languages, *spec.aliases]
        place = " ".join(said).lower()
        return all(word in place for word in words.lower().split())


def cards(
    entries: Iterable[Entry], total: int, tasks: Mapping[str, Task], lang: str, *, may_download: bool = False
) -> str:
    """The cards of what the filter lets through, out of `total` models; those that are ready first."""
    shown = sorted(entries, key=lambda entry: not entry.status.ready)
    if not shown:
        return f'<div class="none" lang="{lang}"><p>{text(tr("models_tab.nothing", lang))}</p></div>'
    ready = sum(entry.status.ready for entry in shown)
    count = tr("models_tab.count", lang, shown=len(shown), total=total, ready=ready)
    inside = "".join(_card(entry, tasks, lang, may_download) for entry in shown)
    return f'<section lang="{lang}"><p class="count">{text(count)}</p><div class="cards">{inside}</div></section>'


def machine(findings: Iterable[Finding], lang: str) -> str:
    """What this machine has, one line a finding, with the command that would change it."""
    lines = []
    for number_, finding in enumerate(findings):
        said = command(f"finding-{number_}", finding.command, lang) if finding.command else ""
        lines.append(
            f'<li class="{finding.state}"><span aria-hidden="true">{SIGNS[finding.state]}</span>'
            f"<div>{text(finding.text[lang])}{said}</div></li>"
        )
    return f'<section lang="{lang}" class="machine"><ul>{"".join(lines)}</ul></section>'


def _card(entry: Entry, tasks: Mapping[str, Task], lang: str, may_download: bool) -> str:
    spec, status = entry.spec, entry.status
    kind = "ready" if status.ready else "error" if status.code == "does_not_fit" else "needs"
    sign = "●" if status.ready else "○"
    quiet = entry.coming or (status.ready and not status.key)
    why = "" if quiet else f'<p class="why">{text(status.text(lang))}</p>'
    typed = "" if quiet or not status.command else command(f"command-of-{spec.id}", status.command, lang)
    gated = f" ({tr('models_tab.gated', lang)})" if spec.gated else ""
    rows = {
        "parameters": text(
            re.sub(r"(\S+) active", lambda found: tr("safe.active", lang, size=found[1]), spec.parameters)
        ),
        "size": text(stored(entry.disk, lang)) if entry.disk else "",
        "download": text(_gb(spec.size_gb, lang)) if spec.size_gb and not entry.disk else "",
        "need": _need(entry, lang),
        "tasks": text(", ".join(tasks[task].title_for(lang) if task in tasks else task for task in spec.tasks)),
        "languages": text(", ".join(spec.languages)),
        "licence": text(spec.licence + gated),
    }
    facts = "".join(
        f"<div><dt>{text(tr(f'models_tab.{name}', lang))}</dt><dd>{value}</dd></div>"
        for name, value in rows.items()
        if value
    )
    code = f'<p class="why">{text(tr("models_tab.code", lang))}</p>' if spec.trust_remote_code else ""
    return f"""
<article class="card" data-model="{text(spec.id)}">
  <header><h3>{text(spec.title)}</h3>
    <span class="chip {kind}"><span aria-hidden="true">{sign}</span> {text(status.label(lang))}</span></header>
  <p class="id"><code>{text(spec.id)}</code>{f" · {text(spec.source)}" if spec.source else ""}</p>
  <p>{text(spec.note(lang))}</p>
  {why}{_download(entry, lang, may_download)}{typed}
  <dl>{facts}</dl>{code}{_use(spec, lang)}
</article>"""


def _download(entry: Entry, lang: str, may: bool) -> str:
    """The button that starts the download; who may not use it is told why. The command stands below."""
    if entry.coming:
        return f'<p class="busy">{text(tr("downloads_panel.coming", lang))}</p>'
    if not entry.missing or entry.status.code == "does_not_fit":
        return ""
    size = _gb(entry.spec.size_gb, lang) if entry.spec.size_gb and not entry.disk else ""
    key = "resume" if entry.disk else "start"
    pressed = button("start_download", key, entry.spec.title, entry.spec.id, lang, may=may, kind="main", size=size)
    why = "" if may else f"<small>{text(tr('downloads_panel.remote', lang))}</small>"
    return f'<div class="acts">{pressed}{why}</div>'


def _use(spec: ModelSpec, lang: str) -> str:
    """The buttons that put the model on a side of the comparison."""
    buttons = "".join(
        f'<button type="button" class="act" data-event="use_model" data-side="{side}" data-value="{text(spec.id)}" '
        f'aria-label="{text(tr(f"models_tab.use.{side}", lang))}: {text(spec.title)}">'
        f"{text(tr(f'models_tab.use.{side}', lang))}</button>"
        for side in ("a", "b")
    )
    return f'<footer class="acts use">{buttons}</footer>'


def _need(entry: Entry, lang: str) -> str:
    """The memory of every mode, or why it is impossible; below, what that means for this machine's GPU."""
    lines = [_mode(mode, lang) for mode in entry.spec.modes if mode.name != "embedded"]
    if not lines:
        return text(tr("models_tab.embedded", lang))
    fit = entry.fit
    bar = ""
    if fit.need_gb and fit.total_gb:
        share = min(fit.need_gb / fit.total_gb, 1)
        mark = (fit.recommended_gb or 0) / fit.total_gb
        bar = f'<div class="fit {fit.level}"><i style="width:{share:.0%}"></i><b style="left:{mark:.0%}"></b></div>'
    return f"{''.join(lines)}{bar}<small>{text(fit.text(lang))}</small>"


def _mode(mode: Mode, lang: str) -> str:
    if mode.why_not:
        return f'<span class="not"><b>{text(mode.name)}</b> {text(mode.why_not.get(lang) or mode.why_not["en"])}</span>'
    known = [_gb(gb, lang) if name == "none" else f"{name} {_gb(gb, lang)}" for name, gb in mode.vram_gb.items()]
    said = " · ".join(known) or tr("models_tab.unknown_need", lang)
    return f"<span><b>{text(mode.name)}</b> {text(said)}</span>"


def _gb(value: float | None, lang: str) -> str:
    if value is None:
        return UNKNOWN
    return tr("models_tab.gb", lang, value=number(value, lang, 0 if float(value).is_integer() else 1))
