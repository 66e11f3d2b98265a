"""The benchmarks so far as HTML, the newest first: what each was, how far it came, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from arena.benchmarks_kept import Benchmark
from arena.numbers import number
from arena.strings import tr
from arena.ui.render import text

FILES = {"csv": "CSV", "xlsx": "XLSX", "parquet": "Parquet", "md": "Markdown"}  # of a report, beside the page itself


@dataclass(frozen=True)
class Row:
    """A benchmark in the list. done, total: cells. active: it is being filled by this program."""

    kept: Benchmark
    models: int
    done: int
    total: int
    active: bool = False

    @property
    def name(self) -> str:
        return self.kept.name or self.kept.dataset

    @property
    def state(self) -> str:
        """``running``, ``done`` or ``unfinished``; what another program of the same data folder may be filling now
        counts as unfinished, for from here that cannot be told from one that was interrupted."""
        return "running" if self.active else "done" if self.kept.state == "done" else "unfinished"


def listed(rows: list[Row], lang: str, *, busy: bool, chosen: str = "", summary: str = "") -> str:
    """The list. busy: whether some benchmark is under way. chosen: whose summary is shown, and that summary as HTML."""
    inside = "".join(_row(row, lang, busy, summary if row.kept.id == chosen else None) for row in rows)
    none = f'<p class="hint">{text(tr("bench_panel.list.none", lang))}</p>'
    title = text(tr("bench_panel.list.title", lang))
    return f'<section lang="{lang}" class="kept"><h3>{title}</h3>{f"<ul>{inside}</ul>" if inside else none}</section>'


def question(row: Row, lang: str) -> str:
    """What is asked before a benchmark is deleted."""
    return f"""
<article lang="{lang}" class="question">
  <h2>{text(tr("bench_panel.ask.question", lang, name=row.name))}</h2>
  <p>{text(tr("bench_panel.ask.rows", lang, count=number(row.done, lang)))}</p>
  <footer><button type="button" data-event="close" autofocus>{text(tr("bench_panel.ask.keep", lang))}</button>
  <button type="button" class="danger" data-event="confirm_bench" data-value="{text(row.kept.id)}">{
        text(tr("bench_panel.ask.confirm", lang))
    }</button></footer>
</article>"""


def below(row: Row, rows: list[Row], earlier: str, lang: str) -> str:
    """Below a summary: the report as a page and as files, and what to compare with. earlier: the one that is."""
    return f'<div class="files">{files(row, lang)}{versus(row, rows, earlier, lang)}</div>'


def files(row: Row, lang: str) -> str:
    """The report as a page of its own, and as files."""
    base = f"bench/{text(row.kept.id)}"
    links = "".join(f'<a href="{base}.{kind}?lang={lang}" download>{name}</a>' for kind, name in FILES.items())
    return f'<a href="{base}.html?lang={lang}" target="_blank">{text(tr("bench_panel.list.report", lang))} ↗</a>{links}'


def versus(row: Row, rows: list[Row], chosen: str, lang: str) -> str:
    """Where an earlier benchmark is chosen to compare this one with; "" while there is none."""
    earlier = [each for each in rows if each.done and each.kept.created_at < row.kept.created_at]
    options = f'<option value="">{text(tr("bench_panel.list.nothing", lang))}</option>' + "".join(
        f'<option value="{text(each.kept.id)}"{" selected" if each.kept.id == chosen else ""}>'
        f"{text(each.name)} · {each.kept.created_at:%Y-%m-%d %H:%M}</option>"
        for each in earlier
    )
    label = text(tr("bench_panel.list.compare", lang))
    return (
        f'<label class="versus">{label} <select data-change="bench_act" data-verb="compare">{options}</select></label>'
        if earlier
        else ""
    )


def _row(row: Row, lang: str, busy: bool, summary: str | None) -> str:
    """summary: None where none is shown."""
    kept, kind = row.kept, {"done": "ready", "running": "running", "unfinished": "needs"}[row.state]
    at = kept.created_at.astimezone(UTC)
    when = f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%Y-%m-%d %H:%M} UTC</time>'
    models = tr("bench_panel.list.models", lang, count=number(row.models, lang))
    facts = [models]
    if not row.active:  # which says itself how far it is, and more often
        facts.append(tr("bench_panel.live.of", lang, done=number(row.done, lang), total=number(row.total, lang)))
    acts = []
    if row.state == "unfinished":
        acts.append(_button("resume", "resume", row, lang, kind="main", off=busy))
    if row.done:
        shown = summary is not None
        acts.append(_button("close" if shown else "show", "list.hide" if shown else "list.show", row, lang, on=shown))
        acts.append(_button("rows", "list.rows", row, lang, event="bench_rows"))
    acts.append(_button("ask", "list.delete", row, lang, kind="danger", off=row.active))
    below = f'<div class="summary">{summary}</div>' if summary is not None else ""
    chip = f'<span class="chip {kind}">{text(tr(f"bench_panel.list.{row.state}", lang))}</span>'
    about = f'{when} · <span dir="auto">{text(kept.dataset)}</span> · {text(" · ".join(facts))}'
    return (
        f'<li data-source="{text(kept.id)}" class="{row.state}"><div class="what">'
        f'<h4><span dir="auto">{text(row.name)}</span> {chip}</h4><p>{about}</p></div>'
        f'<div class="acts">{"".join(acts)}</div>{below}</li>'
    )


def _button(
    verb: str,
    key: str,
    row: Row,
    lang: str,
    *,
    kind: str = "",
    event: str = "bench_act",
    off: bool = False,
    on: bool | None = None,
) -> str:
    """on: whether what the button opens is open, None for one that opens nothing."""
    label = tr(f"bench_panel.{key}", lang)
    state = "" if on is None else f' aria-expanded="{str(on).lower()}"'
    return (
        f'<button type="button" class="act {kind}" data-event="{event}" data-verb="{verb}"{state} '
        f'data-value="{text(row.kept.id)}" aria-label="{text(f"{label}: {row.name}")}"'
        f"{' disabled' if off else ''}>{text(label)}</button>"
    )
