"""One run as a dialog: answer or error, its image, where the time went, memory, parameters and everything recorded."""

from __future__ import annotations

import json

from arena.numbers import UNKNOWN, number, share
from arena.strings import tr
from arena.types import Run, Timeline
from arena.ui.block import copy_button
from arena.ui.figure_names import name_key
from arena.ui.render import shown, text
from arena.ui.run_table import Reader, others, status, variant, when
from arena.units import sized, timed


def detail(run: Run, others: list[Run], reader: Reader, *, picture: bool, links: str) -> str:
    """The dialog's content. others: the further runs of the comparison. picture: show the image. links: what can
    be done with it, as HTML."""
    lang = reader.lang
    more = "".join(
        f'<button type="button" data-event="open_run" data-value="{text(other.run_id)}">'
        f"{text(tr('benchmark.detail.other', lang, side=other.side, model=other.title))}</button>"
        for other in others
    )
    return f"""
<article lang="{lang}" class="{"b" if run.side == "B" else "a"}">
  <header>
    <div><h2>{text(run.title)}</h2>
      <p>{status(run, lang)} {text(variant(run, lang))} · {text(reader.task(run.task))} · {when(run)}</p></div>
    <button type="button" class="close" data-event="close" aria-label="{text(tr("benchmark.close", lang))}">×</button>
  </header>
  {_failure(run, lang)}
  <div class="halves">
    <div>{_block("answer", run.text, lang, copy=True)}{_block("reference", run.reference or "", lang)}</div>
    {_picture(run, lang) if picture else ""}
  </div>
  {timeline(run.timeline, lang)}
  <div class="lists">{"".join(_list(name, rows, lang) for name, rows in facts(run, lang).items())}</div>
  {_block("prompt", run.prompt, lang)}
  <footer>{more}</footer>
  {links}
</article>"""


def confirmation(count: int, lang: str, changed: bool = False) -> str:
    """The question before a deletion, with the number; `changed`: it is another number than asked for before."""
    again = f'<p class="failed">{text(tr("benchmark.delete.changed", lang))}</p>' if changed else ""
    return f"""
<article lang="{lang}" class="question">
  <h2>{text(tr("benchmark.delete.question", lang, count=number(count, lang)))}</h2>{again}
  <p>{text(tr("benchmark.delete.forever", lang))}</p>
  <footer><button type="button" data-event="close" autofocus>{text(tr("benchmark.delete.keep", lang))}</button>
  <button type="button" class="danger" data-event="confirm_delete">{
        text(tr("benchmark.delete.confirm", lang, count=number(count, lang)))
    }</button></footer>
</article>"""


def timeline(times: Timeline, lang: str) -> str:
    """The stages as one bar, wide as they took, and their seconds below."""
    first, whole = times.first_token_s, times.generate_s
    after = whole - first if first is not None and whole is not None else None
    stages = {
        "queue": times.queue_s,
        "unload": times.unload_s,
        "start": times.start_s,
        "load": times.load_s,
        "first": None if after is None else first,
        "generate": whole if after is None else after,
    }
    known = {name: value for name, value in stages.items() if value}
    total = sum(known.values())
    if not total:
        return ""
    bar = "".join(f'<i class="{name}" style="flex-grow:{value / total:.4f}"></i>' for name, value in known.items())
    words = "".join(
        f'<li class="{name}"><i></i>{text(tr(f"ui.stage.{name}", lang))} <b>{timed(value, lang)}</b></li>'
        for name, value in known.items()
    )
    heat = "" if times.cold is None else tr("benchmark.detail.cold" if times.cold else "benchmark.detail.warm", lang)
    return f"""
<section class="timeline"><h3>{text(tr("benchmark.detail.timeline", lang))}
  <small>{text(tr("benchmark.detail.total", lang, seconds=timed(times.total_s, lang)))}
  {text("· " + heat if heat else "")}</small></h3>
  <div class="stages" aria-hidden="true">{bar}</div><ul>{words}</ul></section>"""


def _failure(run: Run, lang: str) -> str:
    if not run.error_kind:
        return ""
    said = text(tr(f"errors.{run.error_kind}", lang))
    return f'<div class="failure"><strong>{said}</strong><pre>{text(run.error_detail or "")}</pre></div>'


def _block(name: str, said: str, lang: str, copy: bool = False) -> str:
    """A long text as it is, with what was left out named; nothing when there is none and nothing to copy."""
    if not said and not copy:
        return ""
    button = ""
    if copy and said:
        button = copy_button(f"run-{name}", tr("benchmark.copy", lang), tr("benchmark.copied", lang))
    kept, missing = shown(said)
    more = tr("benchmark.detail.more", lang, count=number(missing, lang)) if missing else ""
    title = text(tr(f"benchmark.detail.{name}", lang))
    body = f'<pre id="run-{name}" dir="auto" tabindex="0">{text(kept) or UNKNOWN}</pre>'
    return f'<section class="text"><h3>{title}{button}</h3>{body}{f"<p>{text(more)}</p>" if more else ""}</section>'


def _picture(run: Run, lang: str) -> str:
    said = text(tr("benchmark.detail.image", lang))
    source = f"media/{text(run.image_sha256 or '')}.webp"
    return f'<figure class="picture"><a href="{source}" target="_blank"><img src="{source}" alt="{said}"></a></figure>'


def _list(name: str, rows: list[tuple[str, str]], lang: str) -> str:
    inside = "".join(f"<div><dt>{text(named(key, lang))}</dt><dd>{text(value)}</dd></div>" for key, value in rows)
    return f"<section><h3>{text(tr(f'benchmark.detail.{name}', lang))}</h3><dl>{inside}</dl></section>"


def named(fact: str, lang: str) -> str:
    """What one of `facts` is called: a metric as everywhere, anything else by its own text."""
    return tr(name_key(fact, "title", "benchmark.fact"), lang)


def facts(run: Run, lang: str) -> dict[str, list[tuple[str, str]]]:
    """Everything else a run records, in groups; `named` tells what they are called."""

    def size(width: int | None, height: int | None) -> str:
        return UNKNOWN if width is None or height is None else f"{width} × {height}"

    memory, params = run.memory, run.params
    rare = {"boxes_left_out": run.boxes_left_out, "retries": run.retries}
    return {
        "quality": [
            ("cer", share(run.scores.get("cer"), lang)),
            ("wer", share(run.scores.get("wer"), lang)),
            *((name, share(run.scores[name], lang)) for name in others(run)),
            ("characters", number(run.characters, lang)),
            ("characters_per_s", number(run.characters_per_s, lang, 1)),
            ("output_tokens", number(run.output_tokens, lang)),
            ("tokens_per_s", number(run.tokens_per_s, lang, 1)),
            ("prompt_tokens", number(run.prompt_tokens, lang)),
            ("visual_tokens", number(run.visual_tokens, lang)),
            *((name, number(value, lang)) for name, value in rare.items() if value is not None),
        ],
        "memory": [
            ("peak_ram_mb", sized(memory.peak_ram_mb, lang)),
            ("peak_vram_process_mb", sized(memory.peak_vram_process_mb, lang)),
            ("peak_vram_device_mb", sized(memory.peak_vram_device_mb, lang)),
            ("energy_j", number(run.energy_j, lang, 1)),
            ("torch_allocated_mb", sized(memory.torch_allocated_mb, lang)),
            ("torch_reserved_mb", sized(memory.torch_reserved_mb, lang)),
            ("device", run.device or UNKNOWN),
            ("driver", run.driver or UNKNOWN),
        ],
        "input": [
            ("original", size(run.original_width, run.original_height)),
            ("image", size(run.image_width, run.image_height)),
            ("seen", size(run.seen_width, run.seen_height)),
            ("language", run.language or UNKNOWN),
            ("seed", UNKNOWN if run.seed is None else str(run.seed)),
            ("params", ", ".join(f"{key} = {json.dumps(value)}" for key, value in params.items()) or UNKNOWN),
            ("image_sha256", run.image_sha256 or UNKNOWN),
        ],
        "origin": [
            ("model", run.model),
            ("source", run.source or UNKNOWN),
            ("revision", run.revision or UNKNOWN),
            ("adapter", run.adapter),
            ("dtype", run.dtype or UNKNOWN),
            ("versions", ", ".join(f"{name} {version}" for name, version in run.library_versions.items()) or UNKNOWN),
            ("program", " ".join(filter(None, [run.app_version, run.app_commit, "Python", run.python_version]))),
            ("run_id", run.run_id),
            ("comparison_id", run.comparison_id),
        ],
    }
