"""The catalogue as cards: what a model is, whether it runs here and what would change that, what memory it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from arena.doctor import SIGNS, Finding
from arena.spec import Mode, ModelSpec, Task
from arena.status import Fit, ModelStatus
from arena.strings import tr
from arena.ui.block import copy_button
from arena.ui.numbers import UNKNOWN, number
from arena.ui.render import text
from arena.ui.units import sized


@dataclass(frozen=True)
class Entry:
    """A model of the catalogue on this machine; `disk` is what its files take, in bytes."""

    spec: ModelSpec
    status: ModelStatus
    fit: Fit
    disk: int

    def has(self, words: str, lang: str) -> bool:
        """Whether every one of the words occurs in what its card says."""
        spec = self.spec
        said = [spec.id, spec.title, spec.source, spec.licence, spec.note(lang), *spec.languages, *spec.aliases]
        place = " ".join(said).lower()
        return all(word in place for word in words.lower().split())


def cards(entries: Iterable[Entry], total: int, tasks: Mapping[str, Task], lang: str) -> str:
    """The cards of what the filter lets through, out of `total` models; those that are ready first."""
    shown = sorted(entries, key=lambda entry: not entry.status.ready)
    if not shown:
        return f'<div class="none" lang="{lang}"><p>{text(tr("models_tab.nothing", lang))}</p></div>'
    ready = sum(entry.status.ready for entry in shown)
    count = tr("models_tab.count", lang, shown=len(shown), total=total, ready=ready)
    inside = "".join(_card(entry, tasks, lang) for entry in shown)
    return f'<section lang="{lang}"><p class="count">{text(count)}</p><div class="cards">{inside}</div></section>'


def machine(findings: Iterable[Finding], lang: str) -> str:
    """What this machine has, one line a finding, with the command that would change it."""
    lines = []
    for number_, finding in enumerate(findings):
        command = _command(f"finding-{number_}", finding.command, lang) if finding.command else ""
        lines.append(
            f'<li class="{finding.state}"><span aria-hidden="true">{SIGNS[finding.state]}</span>'
            f"<div>{text(finding.text[lang])}{command}</div></li>"
        )
    return f'<section lang="{lang}" class="machine"><ul>{"".join(lines)}</ul></section>'


def _card(entry: Entry, tasks: Mapping[str, Task], lang: str) -> str:
    spec, status = entry.spec, entry.status
    kind = "ready" if status.ready else "error" if status.code == "does_not_fit" else "needs"
    sign = "●" if status.ready else "○"
    why = "" if status.ready and not status.key else f'<p class="why">{text(status.text(lang))}</p>'
    gated = f" ({tr('models_tab.gated', lang)})" if spec.gated else ""
    rows = {
        "parameters": text(spec.parameters),
        "size": text(sized(entry.disk / 2**20, lang)) if entry.disk else "",
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
  {why}{_command(f"command-of-{spec.id}", status.command, lang) if status.command else ""}
  <dl>{facts}</dl>{code}
</article>"""


def _command(name: str, command: str, lang: str) -> str:
    button = copy_button(name, tr("models_tab.copy", lang), tr("models_tab.copied", lang))
    return f'<div class="command"><code id="{text(name)}">{text(command)}</code>{button}</div>'


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
