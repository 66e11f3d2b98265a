"""``python -m arena launch``: what this machine has, which mode and models suit it, and a menu of what to do next.

A choice of the menu is a command of the command line, so there is nothing here that a script could not do.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena import downloads
from arena.advice import Advice, recommend
from arena.catalog import Catalog, load_catalog
from arena.config import Settings
from arena.doctor import Finding, examine
from arena.errors import RunError
from arena.gpu import Device, Gpus
from arena.start_mode import suitable
from arena.strings import tr
from arena.terminal import agreed, print_table

Command = Callable[[list[str]], int]
AREAS = ("ram", "gpu", "docker", "transformers")  # of the doctor's findings: what the choice of a mode goes by


@dataclass(frozen=True)
class Machine:
    """What the choice goes by. mode: the recommended one, ``transformers`` or ``vllm``."""

    findings: tuple[Finding, ...]
    devices: tuple[tuple[Device, float | None], ...]  # each with the MiB in use
    docker: bool
    cached: tuple[downloads.Cached, ...]
    catalog: Catalog
    advice: Advice
    mode: str


def look(settings: Settings) -> Machine:
    """Looks only; takes a second or so. A Docker that does not answer counts as none."""
    findings = tuple(each for each in examine(settings) if each.id.partition(".")[0] in AREAS)
    docker = any(each.id == "docker" and each.state == "ok" for each in findings)
    catalog, gpus = load_catalog(settings), Gpus()
    try:
        return Machine(
            findings,
            tuple((device, gpus.used_mb(device.index)) for device in gpus.devices()),
            docker,
            tuple(downloads.cached({source for spec in catalog.models.values() for source in spec.also})),
            catalog,
            recommend(catalog, gpus, docker),
            suitable(gpus, docker),
        )
    finally:
        gpus.close()


def run(options: argparse.Namespace, settings: Settings, lang: str, command: Command) -> int:
    """command: runs one command of the command line and returns its exit code. Raises `RunError`."""
    if options.mode or options.yes:
        return command(page(options.mode or "auto", options.port))
    machine = look(settings)
    if options.json:
        print(json.dumps(as_json(machine)))
        return 0
    if not sys.stdin.isatty():
        raise RunError("bad_input", key="launch.no_terminal")
    return Menu(machine, options.port, lang, command).run()


def page(mode: str, port: int | None) -> list[str]:
    return ["serve", "--mode", mode, *(["--port", str(port)] if port is not None else [])]


def as_json(machine: Machine) -> dict[str, object]:
    """What was detected, for scripts; unknown is null."""
    return {
        "mode": machine.mode,
        "choice": machine.advice.choice,
        "why": machine.advice.text(),
        "models": list(machine.advice.variants),
        "gpus": [
            {"name": device.name, "uuid": device.uuid, "total_mb": device.total_mb, "used_mb": used}
            for device, used in machine.devices
        ],
        "docker": machine.docker,
        "cache": {each.source: each.size for each in machine.cached},
        "findings": [{"id": each.id, "state": each.state, "text": each.text["en"]} for each in machine.findings],
    }


class Menu:
    """The menu in a terminal, until its user quits."""

    def __init__(self, machine: Machine, port: int | None, lang: str, command: Command) -> None:
        self.machine, self.lang, self.command = machine, lang, command
        self.choices: dict[str, tuple[str, Callable[[], object]]] = {
            "1": (self.text("page_recommended", mode=machine.mode), lambda: self.open(page("auto", port))),
            "2": (self.text("page_transformers"), lambda: self.open(page("transformers", port))),
            "3": (self.text("page_vllm"), lambda: self.open(page("vllm", port))),
            "4": (self.text("download"), self.download),
            "5": (self.text("gpu"), self.gpu),
            "6": (self.text("vllm"), self.vllm),
            "7": (self.text("doctor"), lambda: command(["doctor"])),
            "8": (self.text("cache"), self.cache),
            "0": (self.text("quit"), lambda: None),
        }

    def text(self, key: str, **params: object) -> str:
        return tr(f"launch.{key}", self.lang, **params)

    def run(self) -> int:
        for finding in self.machine.findings:
            print(finding.line(self.lang))
        cached = self.machine.cached
        print(self.text("cached", count=len(cached), size=downloads.gb(sum(each.size for each in cached))))
        print(self.machine.advice.text(self.lang))
        self.offer(self.choices)
        return 0

    def offer(self, choices: dict[str, tuple[str, Callable[[], object]]]) -> None:
        """Ask and do, until the answer is 0, the end of input or Ctrl-C."""
        while True:
            print()
            for number, (text, _) in choices.items():
                print(f"  {number}  {text}")
            said = self.ask(self.text("choose"))
            if said in (None, "0"):
                return
            if said in choices:
                try:
                    choices[said][1]()
                except KeyboardInterrupt:
                    print()
            elif said:
                print(self.text("no_choice", said=said))

    def ask(self, question: str) -> str | None:
        """What was typed; None for the end of input and for Ctrl-C."""
        try:
            return input(f"{question} ").strip()
        except (EOFError, KeyboardInterrupt):
            print()
            return None

    def open(self, arguments: Sequence[str]) -> None:
        print(self.text("goes_on"))
        self.command(list(arguments))

    def download(self) -> None:
        if name := self.chosen([spec.id for spec in self.machine.catalog.visible(dev=False) if spec.source]):
            self.command(["models", "download", name])

    def chosen(self, ids: list[str]) -> str:
        """The id of the model that is chosen from a list, "" for none."""
        rows = []
        for number, name in enumerate(ids, 1):
            spec = self.machine.catalog.models[name]
            fits = any(variant.split(":")[0] == name for variant in self.machine.advice.variants)
            size = "" if spec.size_gb is None else self.text("size", size=spec.size_gb)
            rows.append([f"  {number}", name, spec.title, size, self.text("recommended") if fits else ""])
        print_table(rows)
        said = self.ask(self.text("which_model")) or ""
        return ids[int(said) - 1] if said.isdecimal() and 0 < int(said) <= len(ids) else said

    def gpu(self) -> None:
        self.command(["gpu"])
        if self.machine.devices and agreed(self.text("free")):
            self.command(["gpu", "--free"])

    def vllm(self) -> None:
        self.command(["vllm", "status"])
        self.offer(
            {
                "1": (self.text("vllm_up"), self.vllm_up),
                "2": (self.text("vllm_logs"), lambda: self.command(["vllm", "logs"])),
                "3": (self.text("vllm_down"), lambda: self.command(["vllm", "down"])),
                "0": (self.text("back"), lambda: None),
            }
        )

    def vllm_up(self) -> None:
        ids = [
            spec.id
            for spec in self.machine.catalog.visible(dev=False)
            if any(mode.name == "vllm" and not mode.why_not for mode in spec.modes)
        ]
        if name := self.chosen(ids):
            self.command(["vllm", "up", name])

    def cache(self) -> None:
        self.command(["models", "cache"])
        if self.machine.cached and (name := self.ask(self.text("remove"))):
            self.command(["models", "cache", "--remove", name])
