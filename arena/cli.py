"""`python -m arena`: every command of the program. JSON goes to stdout alone, messages to stderr.

Exit codes: 0 all well, 1 a run failed or something is missing, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from arena.cli_bench import add_bench
from arena.cli_tools import add_mode, add_tools
from arena.config import VERSION, Settings, load_settings
from arena.core import arena_of
from arena.errors import ArenaError, RunError
from arena.numbers import number
from arena.spec import labelled
from arena.strings import tr
from arena.terminal import interruptible, print_table, say, terminal_language
from arena.types import Delta, Progress, Run
from arena.units import timed

PARAMS = {"max_new_tokens": int, "temperature": float, "top_p": float, "repetition_penalty": float, "seed": int}
# Commands that stand in modules of their own, which are imported only when they are asked for.
ELSEWHERE = {
    "serve": ("cli_serve", "run"),
    "vllm": ("cli_vllm", "run"),
    "gpu": ("cli_gpu", "run"),
    "bench": ("cli_bench", "run"),
    "report": ("cli_report", "report"),
    "rerun": ("cli_report", "rerun"),
    "password": ("cli_public", "password"),
    "forget": ("cli_public", "forget"),
    "ratings": ("cli_ratings", "run"),
}


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; the help in docs/reference.md is generated from it."""
    parser = argparse.ArgumentParser(prog="python -m arena", description="Compare vision-language models on one GPU.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    compare = commands.add_parser("compare", help="one image through models, one after the other")
    compare.add_argument("--image", required=True, type=Path, help="image or PDF")
    compare.add_argument("--page", type=int, default=1, help="page of a PDF, from 1")
    compare.add_argument(
        "--models",
        required=True,
        nargs="+",
        metavar="ID",
        help="ids, in the order they run; how a model is to run may follow: qwen2_vl_2b:8bit, qwen2_vl_2b:vllm:fp16",
    )
    compare.add_argument("--anyway", action="store_true", help="run also what is estimated not to fit the memory")
    compare.add_argument("--task", default="ocr", metavar="ID", help="a file of benchmarks/tasks; ocr by default")
    compare.add_argument("--prompt", help="instead of the task's own")
    compare.add_argument("--language", default="", metavar="CODE", help="of the document: ru, en, …")
    compare.add_argument("--reference", type=Path, metavar="FILE", help="the right text, for the error rates")
    for name, kind in PARAMS.items():
        compare.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=kind.__name__.upper())
    compare.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the models' own, as JSON or text; ID.NAME=VALUE for one of them; may be repeated",
    )
    compare.add_argument("--json", action="store_true", help="runs as JSON on stdout")

    models = commands.add_parser("models", help="the catalogue with each model's status on this machine")
    models.add_argument("--json", action="store_true")
    actions = models.add_subparsers(dest="action", metavar="ACTION")
    download = actions.add_parser("download", help="bring a model's files; goes on where it was interrupted")
    download.add_argument("models", nargs="+", metavar="ID")
    cache = actions.add_parser("cache", help="what the downloaded models take, and how to be rid of them")
    cache.add_argument("--incomplete", action="store_true", help="only downloads that were interrupted")
    cache.add_argument("--remove", nargs="+", metavar="ID", help="ids of models, or owner/name")
    cache.add_argument("--yes", action="store_true", help="remove without asking")

    export = commands.add_parser("export", help="every run as CSV")
    export.add_argument("--csv", required=True, type=Path, metavar="FILE", help="where to, - for stdout")
    export.add_argument("--semicolon", action="store_true", help="semicolons, for Excel in Russian")

    serve = commands.add_parser("serve", help="the page")
    serve.add_argument("--host", help="address to listen on, 127.0.0.1 by default")
    serve.add_argument("--port", type=int, help="port to listen on, 7860 by default")
    serve.add_argument(
        "--school", action="store_true", help="for a class: open to the local network, with a teacher's panel"
    )
    serve.add_argument("--share", action="store_true", help="a public link too; needs ARENA_PASSWORD")
    add_mode(serve)

    doctor = commands.add_parser("doctor", help="what works on this machine and what to do about the rest")
    doctor.add_argument("--json", action="store_true")
    add_bench(commands, PARAMS)
    add_tools(commands)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    options = build_parser().parse_args(arguments)
    lang = terminal_language()
    module, name = ELSEWHERE.get(options.command, ("cli", f"run_{options.command}"))
    command: Callable[[argparse.Namespace, Settings, str], int] = getattr(import_module(f"arena.{module}"), name)
    try:
        return command(options, load_settings(), lang)
    except RunError as error:
        say(error.text(lang))
        return 2 if error.kind == "bad_input" else 1
    except ArenaError as error:
        say(error.text(lang))
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has enough
        return 0


def run_compare(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    from arena.cancel import Cancel
    from arena.compare import Request, Side, compare, letter_of
    from arena.params import place_pages, read_params
    from arena.python_api import language_code

    with arena_of(settings) as arena:
        task = arena.catalog.task(options.task)
        specs = [arena.catalog.find(name) for name in options.models]
        for spec in specs:
            if task.id not in spec.tasks:
                raise RunError("bad_input", key="models.no_task", model=spec.id, task=task.id)
        params = {name: getattr(options, name) for name in PARAMS if getattr(options, name) is not None}
        own = read_params(options.param, specs)
        code = language_code(options.language)
        image = arena.images.add(options.image, page=options.page)
        for further in own:
            place_pages(further, arena.images, image, options.image)
        for notice in image.notices:
            say(notice.text(lang))
        request = Request(
            sides=tuple(Side(spec, params | further) for spec, further in zip(specs, own, strict=True)),
            image=image,
            task=task,
            prompt=options.prompt if options.prompt is not None else task.prompt_for(code or lang),
            language=code,
            reference=read_reference(options.reference),
            anyway=options.anyway,
        )
        for spec in specs:
            if (status := arena.status(spec)).warns:
                say(f"{spec.label}: {status.text(lang)}")
        cancel = Cancel()
        titles = {letter_of(order): spec.label for order, spec in enumerate(specs)}
        runs: list[Run] = []
        with interruptible(cancel.set):
            for event in compare(arena, request, cancel):
                tell(event, titles, lang)
                if isinstance(event, Run):
                    runs.append(event)
    if options.json:
        from arena.run_json import run_json

        print(json.dumps({"comparison_id": request.comparison_id, "runs": [run_json(run) for run in runs]}))
    else:
        show(runs, lang)
    return 0 if all(run.status == "ok" for run in runs) else 1


def read_reference(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError("bad_input", key="cli.no_reference", path=str(path), why=type(error).__name__) from error


def tell(event: Progress | Delta | Run, titles: dict[str, str], lang: str) -> None:
    """One line on stderr for each new stage; a terminal sees the seconds run."""
    if isinstance(event, Delta):
        return
    title = titles[event.side]
    if isinstance(event, Progress):
        if event.seconds and not sys.stderr.isatty():
            return
        place = f" {event.position}" if event.position else ""
        line = f"{event.side} {title}: {tr(f'stages.{event.stage}', lang)}{place} {timed(event.seconds, lang)}"
        print(f"\r\033[K{line}" if sys.stderr.isatty() else line, end="", file=sys.stderr, flush=True)
        if not sys.stderr.isatty():
            say("")
        return
    said = "; ".join(filter(None, [tr(f"statuses.{event.status}", lang), event.error_text.get(lang)]))
    say(("\r\033[K" if sys.stderr.isatty() else "") + f"{event.side} {title}: {said}")


def show(runs: list[Run], lang: str) -> None:
    """The answers, one under the other, then a table of what each cost."""
    titles = [f"{run.side}: {labelled(run.title, run.mode, run.quantization, run.dtype)}" for run in runs]
    for run, title in zip(runs, titles, strict=True):
        print(f"=== {title} ===\n{run.text}\n")
    rows: list[list[str]] = [
        [tr("cli.figure", lang), *titles],
        [tr("figures.status", lang), *(tr(f"statuses.{run.status}", lang) for run in runs)],
        [tr("figures.load_s", lang), *(number(run.timeline.load_s, lang, 2) for run in runs)],
        [tr("figures.first_token_s", lang), *(number(run.timeline.first_token_s, lang, 2) for run in runs)],
        [tr("figures.generate_s", lang), *(number(run.timeline.generate_s, lang, 2) for run in runs)],
        [tr("figures.total_s", lang), *(number(run.timeline.total_s, lang, 2) for run in runs)],
        [tr("figures.tokens_per_s", lang), *(number(run.tokens_per_s, lang, 1) for run in runs)],
        [tr("figures.characters_per_s", lang), *(number(run.characters_per_s, lang, 1) for run in runs)],
        [tr("figures.peak_ram_mb", lang), *(number(run.memory.peak_ram_mb, lang) for run in runs)],
        [tr("figures.peak_vram_process_mb", lang), *(number(run.memory.peak_vram_process_mb, lang) for run in runs)],
    ]
    for name in dict.fromkeys(["cer", "wer", *(name for run in runs for name in run.scores)]):
        rows.append([tr(f"metrics.title.{name}", lang), *(number(run.scores.get(name), lang, 3) for run in runs)])
    print_table(rows)


def run_models(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    if options.action:
        from arena import cli_models

        return {"download": cli_models.download, "cache": cli_models.cache}[options.action](options, settings, lang)
    from arena.advice import recommend
    from arena.catalog import load_catalog
    from arena.gpu import Gpus
    from arena.runtimes.docker_host import docker_host
    from arena.start_mode import settled
    from arena.status import model_status

    gpus = Gpus()
    catalog = load_catalog(settled(settings, gpus))
    specs = catalog.visible(settings.dev)
    say(recommend(catalog, gpus, docker_host().there).text(lang))
    statuses = [model_status(spec, settings, gpus) for spec in specs]
    if options.json:
        listed: list[dict[str, Any]] = [
            {"id": spec.id, "title": spec.title, "adapter": spec.adapter, "source": spec.source, "mode": spec.mode}
            | {"tasks": list(spec.tasks), "languages": list(spec.languages), "licence": spec.licence}
            | {"status": status.code, "ready": status.ready, "text": status.text("en"), "command": status.command}
            for spec, status in zip(specs, statuses, strict=True)
        ]
        print(json.dumps({"models": listed}))
    else:
        rows = [[spec.id, spec.title, status.advice(lang)] for spec, status in zip(specs, statuses, strict=True)]
        print_table(rows)
    return 0


def run_export(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    from arena.export import write_csv
    from arena.store import RunQuery, Store

    store = Store(settings.database_url)
    delimiter = ";" if options.semicolon else ","
    try:
        runs = store.rows(RunQuery(descending=False))
        if str(options.csv) == "-":
            sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
            count = write_csv(runs, sys.stdout, delimiter)
        else:
            with options.csv.open("w", encoding="utf-8", newline="") as file:
                count = write_csv(runs, file, delimiter)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise RunError("storage", key="cli.cannot_write", path=str(options.csv), why=error.strerror) from error
    finally:
        store.close()
    say(tr("cli.exported", lang, count=count))
    return 0


def run_launch(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    from arena import launcher

    return launcher.run(options, settings, lang, main)


def run_doctor(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    from arena.doctor import examine

    findings = examine(settings)
    if options.json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            print(finding.line(lang))
    return 0


__all__ = ["build_parser", "main"]
