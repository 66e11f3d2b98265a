"""What works on this machine and what to do about the rest; looks only, never raises.

The one thing it may change is a database of an older version, which is brought up to date as at any start. Every
probe runs in a thread of its own, so one that gets no answer (a Docker host that hangs, a database behind a dead
network) becomes a finding itself, and the rest is told all the same. Usually all of it takes less than a second.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import psutil

from arena.config import Settings
from arena.errors import ArenaError
from arena.strings import LANGUAGES, tr

State = Literal["ok", "warn", "missing"]
SIGNS: dict[State, str] = {"ok": "✓", "warn": "!", "missing": "✗"}
LITTLE_RAM_GB = 4.0  # free; below it even a small model swaps
LITTLE_DISK_GB = 10.0  # free; a single mid-sized model is larger
PATIENCE_S = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    id: dotted, the part before the dot is the area (``gpu.0``, ``engine.tesseract``). state: ``ok``, ``warn`` (works,
    but) or ``missing``. text: by language. command: what to run to change it, None where nothing needs doing.
    """

    id: str
    state: State
    text: dict[str, str]
    command: str | None = None

    def line(self, lang: str) -> str:
        """For a terminal: sign, text and, on a line of its own, the command."""
        told = f"{SIGNS[self.state]} {self.text[lang]}"
        return f"{told}\n    {self.command}" if self.command else told


def finding(id: str, state: State, key: str, command: str | None = None, **params: Any) -> Finding:
    return Finding(id, state, {lang: tr(f"doctor.{key}", lang, **params) for lang in LANGUAGES}, command)


def examine(settings: Settings, patience_s: float = PATIENCE_S) -> list[Finding]:
    """Look at everything, for at most about `patience_s` seconds."""
    found: dict[str, list[Finding]] = {}

    def look(name: str, probe: Callable[[Settings], list[Finding]]) -> None:
        try:
            found[name] = probe(settings)
        except ArenaError as error:
            found[name] = [Finding(name, "missing", {lang: error.text(lang) for lang in LANGUAGES})]
        except Exception as error:  # noqa: BLE001 - a doctor that faints helps nobody
            found[name] = [finding(name, "warn", "unclear", what=name, why=f"{type(error).__name__}: {error}")]

    threads = [threading.Thread(target=look, args=item, daemon=True) for item in PROBES.items()]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + patience_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    silent = {name: [finding(name, "warn", "silent", what=name, seconds=patience_s)] for name in PROBES}
    return [one for name in PROBES for one in found.get(name, silent[name])]


def machine(settings: Settings) -> list[Finding]:
    system = f"{platform.system()} {platform.release()}"
    return [finding("machine", "ok", "machine", system=system, kind=platform.machine(), cores=os.cpu_count())]


def python(settings: Settings) -> list[Finding]:
    fits = (3, 11) <= sys.version_info < (3, 14)
    said = {"version": platform.python_version(), "path": sys.executable}
    if fits:
        return [finding("python", "ok", "python", **said)]
    return [finding("python", "warn", "python_other", "make clean run PYTHON=python3.13", **said)]


def memory(settings: Settings) -> list[Finding]:
    ram = psutil.virtual_memory()
    free = ram.available / 1e9
    key = "ram" if free >= LITTLE_RAM_GB else "ram_little"
    return [finding("ram", "ok" if key == "ram" else "warn", key, total=ram.total / 1e9, free=free)]


def disk(settings: Settings) -> list[Finding]:
    there = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return [finding("disk", "missing", "disk_closed", "export ARENA_HOME=~/vlm-arena", folder=settings.home)]
    free = shutil.disk_usage(there).free / 1e9
    key = "disk" if free >= LITTLE_DISK_GB else "disk_little"
    return [finding("disk", "ok" if key == "disk" else "warn", key, folder=settings.home, free=free)]


def gpus(settings: Settings) -> list[Finding]:
    from arena.gpu import Gpus

    gpus = Gpus()
    try:
        devices = gpus.devices()
        if not devices:
            why = {lang: tr("doctor.gpu_none", lang, why=gpus.reason_text(lang) or "") for lang in LANGUAGES}
            return [Finding("gpu", "warn", why)]
        found = []
        for device in devices:
            used = gpus.used_mb(device.index)
            said = {"name": device.name, "driver": device.driver or "—"}
            said |= {
                name: "—" if mb is None else f"{mb:.0f}" for name, mb in (("used", used), ("total", device.total_mb))
            }
            found.append(finding(f"gpu.{device.index}", "ok", "gpu", **said))
        return found
    finally:
        gpus.close()


def docker(settings: Settings) -> list[Finding]:
    from arena.runtimes.docker_host import docker_host

    host, state = docker_host()
    if state == "none":
        return [finding("docker", "missing", "docker_none", "sudo apt-get install docker.io")]
    if state == "closed":
        return [finding("docker", "missing", "docker_closed", "sudo usermod -aG docker $USER && newgrp docker")]
    if state == "silent":
        return [finding("docker", "missing", "docker_stopped", "sudo systemctl start docker", host=host)]

    from docker import DockerClient
    from docker.constants import DEFAULT_DOCKER_API_VERSION
    from docker.errors import DockerException

    try:
        # With a version named the client asks for nothing yet; the question below fits every version.
        client = DockerClient(host, version=DEFAULT_DOCKER_API_VERSION, timeout=1)
        try:
            return [finding("docker", "ok", "docker", version=client.version(api_version=False)["Version"])]
        finally:
            client.close()
    except (DockerException, OSError) as error:
        return [finding("docker", "missing", "docker_silent", "sudo systemctl start docker", host=host, why=str(error))]


def transformers(settings: Settings) -> list[Finding]:
    try:
        versions = {"torch": version("torch"), "transformers": version("transformers")}
    except PackageNotFoundError as error:
        return [finding("transformers", "missing", "transformers_none", "make models", name=error.name)]
    return [finding("transformers", "ok", "transformers", **versions)]


def catalogue(settings: Settings) -> list[Finding]:
    """The catalogue as a whole, then each model that lives in this program without a download."""
    from arena.catalog import load_catalog
    from arena.gpu import Gpus
    from arena.status import model_status

    catalog = load_catalog(settings)
    gpus = Gpus()
    try:
        statuses = {spec.id: model_status(spec, settings, gpus) for spec in catalog.visible(settings.dev)}
    finally:
        gpus.close()
    ready = sum(status.ready for status in statuses.values())
    found = [finding("catalogue", "ok" if ready else "missing", "catalogue", models=len(statuses), ready=ready)]
    for id, status in statuses.items():
        spec = catalog.models[id]
        if spec.mode == "embedded":
            text = {lang: f"{spec.title}: {status.text(lang)}" for lang in LANGUAGES}
            state: State = "ok" if status.ready else "missing"
            found.append(Finding(f"engine.{id}", state, text, status.command or None))
    return found


def mode(settings: Settings) -> list[Finding]:
    """What this machine is good for."""
    from arena.advice import recommend
    from arena.catalog import load_catalog
    from arena.gpu import Gpus
    from arena.runtimes.docker_host import docker_host

    gpus = Gpus()
    try:
        advice = recommend(load_catalog(settings), gpus, docker_host().there)
    finally:
        gpus.close()
    return [Finding("mode", "ok", {lang: advice.text(lang) for lang in LANGUAGES})]


def tesseract(settings: Settings) -> list[Finding]:
    from adapters.tesseract import find_data, install_command

    if find_data("rus") is not None:
        return []
    return [finding("engine.tesseract.ru", "warn", "tesseract_no_russian", install_command("rus"))]


def database(settings: Settings) -> list[Finding]:
    from arena.database import parse
    from arena.query import RunQuery
    from arena.store import Store

    url = parse(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return [finding("database", "ok", "database_none", place=url.database)]
    store = Store(settings.database_url)
    try:
        return [finding("database", "ok", "database", place=store.name, runs=store.count(RunQuery()))]
    finally:
        store.close()


PROBES: dict[str, Callable[[Settings], list[Finding]]] = {
    "machine": machine,
    "python": python,
    "ram": memory,
    "disk": disk,
    "gpu": gpus,
    "docker": docker,
    "transformers": transformers,
    "mode": mode,
    "catalogue": catalogue,
    "tesseract": tesseract,
    "database": database,
}
