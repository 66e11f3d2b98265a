"""What a benchmark came to in one table: a row a model, each mean with its interval; the report has more."""

from __future__ import annotations

from arena.strings import tr
from arena.ui.bench_live import metric, score
from arena.ui.numbers import UNKNOWN, number
from arena.ui.render import text
from arena.ui.units import sized, timed
from benchmarks.metrics import METRICS
from benchmarks.reports.figures import ModelFigures, Report
from benchmarks.reports.intervals import Estimate

MOST_METRICS = 4


def summary(report: Report, lang: str) -> str:
    """The table, or that there is nothing yet."""
    if not report.rows:
        return f'<p class="hint">{text(tr("bench_panel.list.empty", lang))}</p>'
    metrics = report.metrics[:MOST_METRICS]
    best = {name: _best(report, name) for name in metrics}
    heads = "".join(f'<th scope="col" class="figure">{text(metric(name, lang))}</th>' for name in metrics)
    hint = text(tr("bench_panel.head.failed_hint", lang))
    say = {key: text(tr(f"bench_panel.head.{key}", lang)) for key in ("model", "p50", "p90", "vram", "ram", "failed")}
    rows = "".join(_row(model, metrics, best, lang) for model in report.models)
    label = text(tr("bench_panel.list.summary", lang, name=report.benchmark.name or report.benchmark.dataset))
    figures = "".join(f'<th scope="col" class="figure">{say[key]}</th>' for key in ("p50", "p90", "vram", "ram"))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table><thead><tr><th scope="col">{say["model"]}</th>{heads}{figures}'
        f'<th scope="col" class="figure"><span title="{hint}">{say["failed"]}</span></th></tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="hint">{text(tr("bench_panel.list.interval", lang))}</p>'
    )


def _row(model: ModelFigures, metrics: tuple[str, ...], best: dict[str, float | None], lang: str) -> str:
    cells = "".join(_score(model, name, best[name], lang) for name in metrics)
    pace = (model.warm if model.warm.generate.n else model.cold).generate
    unsound = model.failed.count + model.flawed.count
    return (
        f'<tr><th scope="row">{text(model.title)}</th>{cells}'
        f'<td class="figure">{text(timed(pace.p50, lang))}</td><td class="figure">{text(timed(pace.p90, lang))}</td>'
        f'<td class="figure">{text(sized(model.peak_vram_mb, lang))}</td>'
        f'<td class="figure">{text(sized(model.peak_ram_mb, lang))}</td>'
        f'<td class="figure{" failed" if unsound else ""}">{text(number(unsound, lang))}</td></tr>'
    )


def _score(model: ModelFigures, name: str, best: float | None, lang: str) -> str:
    """The headline: a failed answer counts as the worst, so that failing never pays."""
    found = model.scores[name].headline if name in model.scores else Estimate()
    if found.value is None:
        return f'<td class="figure">{UNKNOWN}</td>'
    value = text(score(name, found.value, lang))
    value = f"<b>{value}</b>" if found.value == best else value
    between = "" if found.low is None else f"<small>{text(_between(name, found, lang))}</small>"
    return f'<td class="figure">{value} {between}</td>'


def _between(name: str, found: Estimate, lang: str) -> str:
    return f"[{score(name, found.low, lang)} – {score(name, found.high, lang)}]"


def _best(report: Report, name: str) -> float | None:
    """The best mean, None where there is no other to be better than."""
    values = [model.scores[name].headline.value for model in report.models if name in model.scores]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    return min(known) if name in METRICS and METRICS[name].better == "lower" else max(known)
