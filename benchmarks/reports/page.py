"""A report as one HTML document that needs nothing else: every text escaped, both themes, screen, phone and paper."""

from __future__ import annotations

import hashlib
import io
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from PIL import Image

from arena.config import VERSION
from arena.markup import document, text
from arena.numbers import number
from arena.strings import tr
from benchmarks.reports import tables, wording
from benchmarks.reports.difference import marked
from benchmarks.reports.figures import Example, Report
from benchmarks.reports.findings import facts, findings, methods, setups
from benchmarks.reports.needs import COMMAND
from benchmarks.reports.plots import SERIES, Plot, themed
from benchmarks.reports.tables import Cell, Table
from benchmarks.reports.wording import say

ASSETS = Path(__file__).parent.parent.parent / "assets"
THUMBNAIL = 420  # pixels of the longer side
MOST_OPEN = 8  # tests within slices that are shown without being asked for
MOST_TEXT = 1_200  # characters of an answer that is shown
DAY = re.compile(r"^:root \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
NIGHT = re.compile(r"^\.dark \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)


def html(report: Report, lang: str, plots: Sequence[Plot] | None) -> str:
    """plots: as `plots.draw` makes them; None where they could not be drawn, and the page says why."""
    parts = list(_parts(report, lang, plots))
    names = [(f"part-{at}", title) for at, (title, _) in enumerate(parts)]
    links = "".join(f'<li><a href="#{name}">{text(title)}</a></li>' for name, title in names)
    body = "".join(
        f'<section aria-labelledby="{name}"><h2 id="{name}">{text(title)}</h2>{inner}</section>'
        for (name, title), (_, inner) in zip(names, parts, strict=True)
    )
    title = report.benchmark.name or report.benchmark.dataset or say("untitled", lang)
    known = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in facts(report, lang))
    short = "".join(f"<p>{text(each)}</p>" for each in findings(report, lang))
    inside = (
        f'<header><p class="kicker">{_said("title", lang)}</p><h1>{text(title)}</h1><dl class="facts">{known}</dl>'
        f'</header><div class="short"><h2>{_said("in_short", lang)}</h2>{short}</div>'
        f'<nav aria-label="{_said("contents", lang)}"><ul>{links}</ul></nav>{body}'
        f'<p class="made">VLM Arena {VERSION} · <code>{text(report.benchmark.id)}</code></p>'
    )
    return _document(title, inside, lang)


def _parts(report: Report, lang: str, plots: Sequence[Plot] | None) -> Iterable[tuple[str, str]]:
    if not report.models:
        return
    models = tables.models(report, lang)
    warned = f'<p class="note">{_said("plot.left_out", lang, command=COMMAND)}</p>' if plots is None else ""
    yield models.name, warned + _table(models, lang, report, dots=True) + _note("models", lang)
    drawn = plots or ()
    if trade := _figures(drawn, ("quality_",)):
        yield say("part.trade", lang), trade
    if report.metrics:
        yield say("part.scores", lang), _table(tables.scores(report, lang), lang) + _figures(drawn, ("scores",))
    devices = any(model.vram_of == "device" and model.peak_vram_mb is not None for model in report.models)
    further = _note("times", lang) + (_note("device", lang) if devices else "")
    yield (
        say("part.times", lang),
        _table(tables.times(report, lang), lang) + further + _figures(drawn, ("latency",)),
    )
    yield say("part.failures", lang), _table(tables.failures(report, lang), lang) + _note("failures", lang)
    if report.pairs:
        yield say("part.pairs", lang), _table(tables.pairs(report, lang), lang) + _note("pairs", lang)
    groups = list(dict.fromkeys(each.group for each in report.slices))
    for title, chosen in (
        ("slices", [group for group in groups if group != "degradation"]),
        ("degradations", [group for group in groups if group == "degradation"]),
    ):
        if chosen:
            yield say(f"part.{title}", lang), _sliced(report, lang, drawn, chosen)
    if report.examples:
        yield say("part.examples", lang), _examples(report, lang)
    yield say("part.method", lang), "".join(f"<p>{text(each)}</p>" for each in methods(lang))
    yield say("part.setup", lang), _setup(report, lang)


def _sliced(report: Report, lang: str, plots: Sequence[Plot], groups: Sequence[str]) -> str:
    names = ("degradation_",) if "degradation" in groups else ("by_",)
    note = _note("slices", lang, metric=wording.metric_short(report.metrics[0], lang))
    parts = [f"<h3>{text(table.name)}</h3>{_table(table, lang)}" for table in tables.slices(report, lang, groups)]
    tests = tables.slice_pairs(report, lang, groups)
    shown = " open" if len(tests.rows) <= MOST_OPEN else ""
    more = f"<details{shown}><summary>{text(tests.name)}</summary>{_table(tests, lang)}</details>" if tests.rows else ""
    return note + _figures(plots, names) + "".join(parts) + more


def _table(table: Table, lang: str, report: Report | None = None, *, dots: bool = False) -> str:
    """dots: the first column names the models, each with its colour in the plots."""
    sort = f'<button type="button" title="{_said("sort", lang)}">'
    heads = "".join(
        f'<th scope="col"{_word(at, table)}>{sort}{text(head)}</button></th>' for at, head in enumerate(table.heads)
    )
    rows = []
    for number_, row in enumerate(table.rows):
        dot = f'<span class="dot" style="--series: var(--s{number_ % len(SERIES)})"></span>' if dots else ""
        first = f'<th scope="row" class="word">{dot}{text(row[0].said)}{_small(row[0])}</th>'
        rows.append(f"<tr>{first}{''.join(_cell(cell, at, table) for at, cell in enumerate(row) if at)}</tr>")
    label = text(table.name)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table class="sorts">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(cell: Cell, at: int, table: Table) -> str:
    classes = [
        name for name, there in (("word", at < table.words), ("best", cell.best), ("worse", cell.worse)) if there
    ]
    order = "" if at < table.words else f' data-order="{"" if cell.order is None else repr(float(cell.order))}"'
    named = f' class="{" ".join(classes)}"' if classes else ""
    return f"<td{named}{order}>{text(cell.said)}{_small(cell)}</td>"


def _word(at: int, table: Table) -> str:
    return ' class="word"' if at < table.words else ""


def _small(cell: Cell) -> str:
    return f"<small>{text(cell.small)}</small>" if cell.small else ""


def _figures(plots: Sequence[Plot], names: tuple[str, ...]) -> str:
    """Those whose names begin so."""
    shown = [_figure(plot) for plot in plots if plot.name.startswith(names)]
    return f'<div class="plots">{"".join(shown)}</div>' if shown else ""


def _figure(plot: Plot) -> str:
    caption = text(plot.caption)
    size = re.compile(r'^<svg ([^>]*?)width="[^"]*" height="[^"]*"')
    drawn = size.sub(rf'<svg role="img" aria-label="{caption}" \1', themed(plot.svg))
    return f"<figure>{drawn}<figcaption>{caption}</figcaption></figure>"


def _examples(report: Report, lang: str) -> str:
    order = [model.model for model in report.models]
    shown = "".join(_example(each, order.index(each.model), report, lang) for each in report.examples)
    metric = wording.metric_short(report.metrics[0], lang)
    words = f"<ins>{_said('note.wrong', lang)}</ins>", f"<del>{_said('note.missing', lang)}</del>"
    note = _said("note.examples", lang, metric=metric, wrong="{0}", missing="{1}").format(*words)
    return f'<p class="note">{note}</p><div class="examples">{shown}</div>'


def _example(each: Example, at: int, report: Report, lang: str) -> str:
    picture = thumbnail(each.image)
    image = (
        f'<img alt="{text(each.item)}" src="data:image/webp;base64,{b64encode(picture).decode()}">'
        if picture
        else f'<p class="note">{_said("image_gone", lang)}</p>'
    )
    facts_ = [wording.score(report.metrics[0], each.score, lang)]
    facts_ += [tr(f"statuses.{each.status}", lang)] if each.status != "ok" else []
    facts_ += [each.item]
    right, answer = cut(each.reference), cut(each.text)
    said = marked(answer, right) if right and answer else text(answer)
    return (
        f'<article class="example" style="--series: var(--s{at % len(SERIES)})"><div>{image}</div><div>'
        f'<h3>{text(report.title(each.model))}</h3><p class="tags">{text(" · ".join(facts_))}</p><dl>'
        f"<dt>{_said('column.reference', lang)}</dt><dd>{_box(text(right) or _said('none_right', lang))}"
        f"{_more(each.reference, lang)}</dd>"
        f"<dt>{_said('column.answer', lang)}</dt><dd>{_box(said or _said('no_text', lang))}"
        f"{_more(each.text, lang)}</dd>"
        f"</dl></div></article>"
    )


def _box(inner: str) -> str:
    return f'<pre dir="auto" tabindex="0">{inner}</pre>'


def cut(value: str) -> str:
    return value[:MOST_TEXT]


def _more(value: str, lang: str) -> str:
    left = len(value) - MOST_TEXT
    return f'<p class="note">{_said("cut", lang, count=number(left, lang))}</p>' if left > 0 else ""


def thumbnail(path: Path | None) -> bytes:
    """The picture as a small WebP; nothing where it is gone or broken."""
    if path is None:
        return b""
    out = io.BytesIO()
    try:
        with Image.open(path) as image:
            small = image.convert("RGB")
            small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    except OSError:
        return b""
    small.save(out, "WEBP", quality=72, method=4)
    return out.getvalue()


def _setup(report: Report, lang: str) -> str:
    parts = []
    for title, rows in setups(report, lang):
        cells = "".join(
            f'<tr><th scope="row">{text(name)}</th>{"".join(f"<td>{text(value)}</td>" for value in values)}</tr>'
            for name, *values in rows
        )
        parts.append(f'<h3>{text(title)}</h3><div class="scroll setup"><table><tbody>{cells}</tbody></table></div>')
    return "".join(parts)


def _note(name: str, lang: str, **params: object) -> str:
    return f'<p class="note">{_said(f"note.{name}", lang, **params)}</p>'


def _said(key: str, lang: str, **params: object) -> str:
    return text(say(key, lang, **params))


def _document(title: str, body: str, lang: str) -> str:
    script = _script()
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = f'<meta name="color-scheme" content="light dark">\n<style>{_style()}</style>'
    body = f"<main>\n{body}\n</main><script>{script}</script>"
    return document(f"{title} — {say('title', lang)}", lang, policy, head, body)


@cache
def _style() -> str:
    """The page's colours for both themes and the report's look; dark where the system is, never on paper."""
    theme = (ASSETS / "theme.css").read_text(encoding="utf-8")
    look = (ASSETS / "bench_report.css").read_text(encoding="utf-8")
    day, night = DAY.search(theme), NIGHT.search(theme)
    series = re.search(r"^:root:is\(\.dark\) \{ (.*?) \}$", look, re.MULTILINE)
    if not (day and night and series):
        raise LookupError("theme.css and bench_report.css have no colours for both themes")
    dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{\n{night[1]}{series[1]} }} }}\n"
    return f":root {{\n{day[1]}}}\n{look.replace(series[0], '')}{dark}"


@cache
def _script() -> str:
    return (ASSETS / "bench_report.js").read_text(encoding="utf-8")
