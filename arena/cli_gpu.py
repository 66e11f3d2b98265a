"""``python -m arena gpu``: what uses the GPU, ours and others', and an end of what is ours and in nobody's use."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from typing import Any

from arena.config import Settings
from arena.errors import RunError
from arena.gpu import Device, Gpus
from arena.holders import Holder, end_orphans, holders
from arena.runtimes import containers
from arena.runtimes.containers import Found
from arena.strings import tr
from arena.terminal import print_table, say

POLL = 0.1


def run(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """Exit code 1 when `--free` left something of ours because it is in use."""
    gpus = Gpus()
    try:
        ended, kept = free(settings, lang) if options.free else ([], [])
        found = known_containers(settings, lang)
        devices = gpus.devices()
        held = {device.index: settled(gpus, device, found, ended, settings) for device in devices}
        in_use = [holder for each in held.values() for holder in each or () if holder.kind in ("worker", "container")]
        if options.json:
            answer: dict[str, Any] = {
                "reason": gpus.reason,
                "devices": [
                    asdict(device)
                    | {"used_mb": gpus.used_mb(device.index)}
                    | {"processes": None if (each := held[device.index]) is None else [asdict(one) for one in each]}
                    for device in devices
                ],
            }
            print(json.dumps(answer | ({"ended": ended} if options.free else {})))
        else:
            for device in devices:
                show(device, gpus.used_mb(device.index), held[device.index], lang)
            if not devices:
                print(tr("gpu_cli.none", lang, why=gpus.reason_text(lang) or ""))
        for line in kept:
            say(line)
        if options.free and not options.json:
            told(ended, in_use, lang)
        return 1 if options.free and (kept or in_use) else 0
    finally:
        gpus.close()


def known_containers(settings: Settings, lang: str) -> list[Found]:
    """Our containers; none where there is no Docker. A Docker that does not answer is said."""
    from arena.runtimes.docker_host import docker_host

    if not docker_host().there:
        return []
    try:
        return containers.ours(settings)
    except RunError as error:
        say(error.text(lang))
        return []


def free(settings: Settings, lang: str) -> tuple[list[str], list[str]]:
    """(what was ended, why something was not): containers of ours that no program uses, and orphaned workers."""
    ended, kept = [], []
    if found := known_containers(settings, lang):
        try:
            ended += containers.down(settings)
        except RunError as error:
            kept.append(", ".join(each.name for each in found) + ": " + error.text(lang))
    ended += [str(pid) for pid in end_orphans()]
    return ended, kept


def settled(
    gpus: Gpus, device: Device, found: list[Found], ended: list[str], settings: Settings
) -> list[Holder] | None:
    """Who holds the device once what was ended has left the driver's list, or after the time that may take."""
    deadline = time.monotonic() + settings.release_timeout_s
    while True:
        listed = holders(gpus, device.index, found)
        if not any(str(holder.pid) in ended for holder in listed or ()) or time.monotonic() > deadline:
            return listed
        time.sleep(POLL)


def show(device: Device, used: float | None, listed: list[Holder] | None, lang: str) -> None:
    print(tr("gpu_cli.device", lang, index=device.index, name=device.name, used=mb(used), total=mb(device.total_mb)))
    if listed is None:
        print("  " + tr("gpu_cli.unlisted", lang))
    elif not listed:
        print("  " + tr("gpu_cli.idle", lang))
    else:
        head = ["  PID", tr("gpu_cli.memory", lang), tr("gpu_cli.who", lang)]
        print_table([head, *([f"  {each.pid}", mb(each.mb), who(each, lang)] for each in listed)])


def who(holder: Holder, lang: str) -> str:
    model = holder.model or tr("gpu_cli.some_model", lang)
    if holder.kind == "other":
        known = {"name": holder.name or "?", "user": holder.user or "?"}
        return tr("gpu_cli.other", lang, **known)
    return tr(f"gpu_cli.{holder.kind}", lang, model=model, name=holder.name, program=holder.program)


def told(ended: list[str], in_use: list[Holder], lang: str) -> None:
    """What `--free` came to."""
    print(tr("gpu_cli.freed", lang, what=", ".join(ended)) if ended else tr("gpu_cli.nothing", lang))
    for holder in in_use:
        if holder.kind == "worker":
            print(tr("gpu_cli.in_use", lang, pid=holder.pid, program=holder.program))


def mb(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f}"
