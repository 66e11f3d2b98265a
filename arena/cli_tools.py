"""What may stand on the command line after vllm, gpu, launch, report, rerun, password and forget."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from arena.config import START_MODES
from arena.strings import LANGUAGES


def add_mode(parser: argparse.ArgumentParser) -> None:
    """The option that says which mode models with several start in."""
    parser.add_argument(
        "--mode",
        choices=START_MODES,
        help="what models with several modes start in; auto: what suits this machine; else the catalogue decides",
    )


def add_tools(commands: argparse._SubParsersAction[Any]) -> None:
    """The commands for this machine's GPU and containers, and the menu over all of them."""
    vllm = commands.add_parser("vllm", help="a model in vLLM's container, to stay: one at a time")
    actions = vllm.add_subparsers(dest="action", required=True, metavar="ACTION")
    up = actions.add_parser("up", help="bring a model up until it answers; the one before ends")
    up.add_argument("model", metavar="ID")
    actions.add_parser("down", help="end our container")
    status = actions.add_parser("status", help="our container, whether it runs and where it answers")
    status.add_argument("--json", action="store_true")
    logs = actions.add_parser("logs", help="what it wrote last")
    logs.add_argument("model", nargs="?", metavar="ID")
    logs.add_argument("--lines", type=int, default=100, metavar="NUMBER", help="100 by default")
    actions.add_parser("env", help='for a client of OpenAI\'s: eval "$(python -m arena vllm env)"')
    repin = actions.add_parser("repin", help="from now on run the image that its name stands for today")
    repin.add_argument("image", nargs="?", default="", metavar="ID", help="of a model, or the name of an image")

    gpu = commands.add_parser("gpu", help="what uses the GPU, ours and others'")
    gpu.add_argument("--free", action="store_true", help="end what is ours and in nobody's use; nothing of others")
    gpu.add_argument("--json", action="store_true")

    launch = commands.add_parser("launch", help="what suits this machine, and a menu of what to do")
    add_mode(launch)
    launch.add_argument("--yes", action="store_true", help="open the page in the recommended mode without asking")
    launch.add_argument("--port", type=int, help="port of the page, 7860 by default")
    launch.add_argument("--json", action="store_true", help="what was detected, and nothing else")

    report = commands.add_parser("report", help="a stored comparison as a file that opens anywhere")
    report.add_argument("comparison", metavar="COMPARISON_ID", help="or the id of one run")
    report.add_argument("--format", choices=("html", "json"), default="html", help="html by default")
    report.add_argument("--out", type=Path, metavar="FILE", help="where to, by default stdout")
    report.add_argument("--lang", choices=LANGUAGES, help="of the HTML, by default the terminal's")
    report.add_argument("--image", action="store_true", help="put the image into the JSON as well")

    rerun = commands.add_parser("rerun", help="a stored comparison once more; whether the answers are the same")
    rerun.add_argument("id", metavar="COMPARISON_OR_RUN_ID")
    rerun.add_argument("--anyway", action="store_true", help="run also what is estimated not to fit the memory")
    rerun.add_argument("--json", action="store_true", help="what came out, as JSON on stdout")

    ratings = commands.add_parser("ratings", help="which models people preferred, from the votes")
    ratings.add_argument("--task", default="", metavar="ID", help="only votes on this task")
    ratings.add_argument("--language", default="", metavar="CODE", help="only votes on documents in it: ru, en, …")
    ratings.add_argument("--json", action="store_true")

    commands.add_parser("password", help="the hash of a password, for ARENA_PASSWORD and ARENA_TEACHER_PASSWORD")
    forget = commands.add_parser("forget", help="delete what visitors of the page left")
    which = forget.add_mutually_exclusive_group(required=True)
    which.add_argument("--older-than", type=days, metavar="DAYS", help="what is older than that, of everybody")
    which.add_argument("--visitor", metavar="ID", help="all of one visitor's; the page tells him his id")


def days(said: str) -> float:
    """A number of days, at least 0. Raises `ValueError`."""
    found = float(said)
    if not 0 <= found < 1e6:
        raise ValueError(said)
    return found
