"""The benchmark under way as HTML: how far it is, what is read now, and what each model has come to so far.

The page asks again while the block is seen and something is under way, and not otherwise.
"""

from __future__ import annotations

from arena.bench_jobs import Sight, Tally
from arena.numbers import UNKNOWN, number
from arena.strings import tr
from arena.ui.render import text
from arena.units import SPACE, timed
from benchmarks.reports.wording import metric_short, score

PACE_S = 2  # between two looks of the page
MOST_METRICS = 3  # columns; the summary has the rest


def live(sight: Sight | None, lang: str) -> str:
    """The block; empty when there was no benchmark since the program started."""
    if sight is None:
        return ""
    stamp = text(f"{sight.benchmark_id} {sight.phase}")
    news = "" if sight.over else f' data-news="{PACE_S}"'
    inside = _outcome(sight, lang) if sight.over else _under_way(sight, lang)
    return f'<section lang="{lang}" class="live {sight.phase}"{news} data-stamp="{stamp}">{inside}</section>'


def rough(seconds: float, lang: str) -> str:
    """A time to wait, as exact as it can be known: 40 s, 3 min, 2 h 10 min."""
    if seconds < 59.5:
        return _say("live.seconds", lang, count=max(1, round(seconds)))
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours:
        return _say("live.hours", lang, hours=number(hours, lang), minutes=minutes)
    return _say("live.minutes", lang, minutes=minutes)


def bar(label: str, done: int, total: int, *, wide: bool = False) -> str:
    """A bar with its name for who cannot see it."""
    percent = 100 * done // max(total, 1)
    kind = "bar wide" if wide else "bar"
    return (
        f'<div class="{kind}" role="progressbar" aria-label="{text(label)}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
    )


def _say(key: str, lang: str, **params: object) -> str:
    return tr(f"bench_panel.{key}", lang, **params).replace(" ", SPACE) if params else tr(f"bench_panel.{key}", lang)


def _outcome(sight: Sight, lang: str) -> str:
    """How it ended, until somebody hides it."""
    counts = {"done": number(sight.done, lang), "total": number(sight.total, lang)}
    key = sight.phase if sight.benchmark_id or sight.error else "unbegun"
    said = text(tr(f"bench_panel.live.{key}", lang, name=sight.name, **counts))
    why = f" {text(sight.error.text(lang))}" if sight.error else ""
    role = "alert" if sight.error else "status"
    hide = _button("hide", "hide", sight.benchmark_id, sight.name, lang)
    return f'<div class="outcome" role="{role}"><p>{said}{why}</p>{hide}</div>'


def _under_way(sight: Sight, lang: str) -> str:
    stopping = sight.phase == "stopping"
    stop = _button("stop", "stopping" if stopping else "stop", sight.benchmark_id, sight.name, lang, off=stopping)
    head = f'<header><h3 dir="auto">{text(sight.name)}</h3>{stop}</header>'
    if not sight.tallies:
        said = tr("bench_panel.live.preparing", lang)
        if sight.total:
            said += " " + _say("live.of", lang, done=number(sight.done, lang), total=number(sight.total, lang))
        return f'{head}<p class="hint busy" role="status">{text(said)}</p>'
    facts = [_say("live.of", lang, done=number(sight.done, lang), total=number(sight.total, lang))]
    if stopping:
        facts.append(tr("bench_panel.live.stopping", lang))
    elif sight.left_s is not None:
        facts.append(_say("live.left", lang, time=rough(sight.left_s, lang)))
    percent = f"{100 * sight.done // max(sight.total, 1)}{SPACE}%"
    overall = bar(tr("bench_panel.live.overall", lang), sight.done, sight.total, wide=True)
    return (
        f'{head}{overall}<p class="how"><b>{percent}</b> {text(" · ".join(facts))}</p>'
        f'<div class="now">{_now(sight, lang)}<div class="scroll">{_tallies(sight, lang)}</div></div>'
    )


def _now(sight: Sight, lang: str) -> str:
    """The picture that is read, and by whom."""
    who = next((tally.title for tally in sight.tallies if tally.model == sight.model), sight.model)
    if not who:
        return ""
    alt = text(tr("bench_panel.live.picture", lang))
    picture = f'<img src="media/{text(sight.image_sha256)}.webp?small=1" alt="{alt}">' if sight.image_sha256 else ""
    note = f"<small>{text(sight.note.text(lang))}</small>" if sight.note else ""
    return (
        f"<figure>{picture}<figcaption>{text(tr('bench_panel.live.now', lang))} <b>{text(who)}</b>"
        f"<code>{text(sight.item)}</code>{note}</figcaption></figure>"
    )


def _tallies(sight: Sight, lang: str) -> str:
    """A row a model."""
    metrics = sight.metrics[:MOST_METRICS]
    heads = "".join(f'<th scope="col" class="figure">{text(metric_short(name, lang))}</th>' for name in metrics)
    hint = text(tr("bench_panel.head.failed_hint", lang))
    columns = {name: text(tr(f"bench_panel.head.{name}", lang)) for name in ("model", "progress", "median", "failed")}
    rows = "".join(_tally(tally, metrics, tally.model == sight.model, lang) for tally in sight.tallies)
    return (
        f'<table aria-label="{text(tr("bench_panel.live.table", lang))}"><thead><tr>'
        f'<th scope="col">{columns["model"]}</th><th scope="col">{columns["progress"]}</th>{heads}'
        f'<th scope="col" class="figure">{columns["median"]}</th>'
        f'<th scope="col" class="figure"><span title="{hint}">{columns["failed"]}</span></th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _tally(tally: Tally, metrics: list[str], now: bool, lang: str) -> str:
    scores = "".join(f'<td class="figure">{text(score(name, tally.mean(name), lang))}</td>' for name in metrics)
    unsound = {status: count for status, count in tally.statuses.items() if status != "ok" and count}
    why = ", ".join(f"{tr(f'statuses.{status}', lang)}: {count}" for status, count in sorted(unsound.items()))
    failed = number(tally.failed, lang) if tally.statuses else UNKNOWN
    of = _say("live.of", lang, done=number(tally.done, lang), total=number(tally.total, lang))
    return (
        f'<tr{" class=now-row" if now else ""}><th scope="row">{text(tally.title)}</th>'
        f'<td class="far">{bar(tally.title, tally.done, tally.total)}<span>{text(of)}</span></td>{scores}'
        f'<td class="figure">{text(timed(tally.median_s, lang))}</td>'
        f'<td class="figure{" failed" if unsound else ""}"><span title="{text(why)}">{text(failed)}</span></td></tr>'
    )


def _button(verb: str, key: str, value: str, name: str, lang: str, *, off: bool = False) -> str:
    label = tr(f"bench_panel.{key}", lang)
    return (
        f'<button type="button" data-event="bench_act" data-verb="{verb}" data-value="{text(value)}" '
        f'aria-label="{text(f"{label}: {name}")}"{" disabled" if off else ""}>{text(label)}</button>'
    )
