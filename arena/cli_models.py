"""``python -m arena models download`` and ``models cache``: what they print and ask."""

from __future__ import annotations

import argparse
import sys
import time

from arena import downloads, pins
from arena.catalog import Catalog, load_catalog
from arena.config import Settings
from arena.errors import RunError
from arena.spec import ModelSpec
from arena.strings import tr
from arena.terminal import agreed


def download(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """Bring the models, one after the other."""
    catalog = load_catalog(settings)
    for spec in [catalog.find(name) for name in options.models]:
        print(tr("downloads.begins", lang, title=spec.title, source=spec.source))
        if spec.licence:
            print(tr("downloads.licence", lang, licence=spec.licence))
        fetch(spec, settings, lang)
    return 0


def fetch(spec: ModelSpec, settings: Settings, lang: str) -> None:
    pinned = pins.read(settings.home).get(pins.name_of(spec))
    began, first, shown = time.monotonic(), None, 0.0
    for fetched in downloads.download(spec, settings):
        first = fetched.done if first is None else first
        speed, left = downloads.pace(began, first, fetched)
        line = tr(
            "downloads.progress",
            lang,
            percent=100 * fetched.done // max(fetched.total, 1),
            done=downloads.gb(fetched.done),
            total=downloads.gb(fetched.total),
            speed=speed / 1e6,
            left="—" if left is None else f"{left / 60:.0f}",
        )
        if sys.stderr.isatty():
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - shown > 10 or fetched.done == fetched.total:
            shown = time.monotonic()
            print(line, file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(tr("downloads.done", lang, title=spec.title))
    commit = pins.read(settings.home).get(pins.name_of(spec))
    if commit and not pinned:
        print(tr("downloads.pinned", lang, commit=commit, file=str(settings.home / pins.FILE)))


def cache(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """List the cache, or remove from it after a question."""
    catalog = load_catalog(settings)
    everything = downloads.cached({source for spec in catalog.models.values() for source in spec.also})
    found = [one for one in everything if not options.incomplete or one.unfinished or not one.whole]
    if options.remove:
        wanted = [source for name in options.remove for source in sources_of(name, catalog)]
        chosen = [one for one in found if one.source in wanted]
        if absent := [source for source in wanted if source not in {one.source for one in chosen}]:
            raise RunError("bad_input", key="downloads.not_cached", source=", ".join(absent))
        return remove(chosen, options.yes, lang)
    if not found:
        print(tr("downloads.nothing_cached", lang))
        return 0
    for one in found:
        names = [spec.id for spec in catalog.models.values() if one.source in (spec.source, *spec.also)]
        state = "whole" if one.whole and not one.unfinished else "unfinished"
        said = tr(f"downloads.{state}", lang, command=f"python -m arena models download {(names or [one.source])[0]}")
        print(
            f"{tr('downloads.size', lang, size=downloads.gb(one.size)):>12}  {one.source}  {', '.join(names)}  {said}"
        )
    whole = downloads.gb(sum(one.size for one in found))
    print(f"{tr('downloads.size', lang, size=whole):>12}  {tr('downloads.total', lang)}")
    return 0


def sources_of(name: str, catalog: Catalog) -> list[str]:
    """The repositories of a model of the catalogue, or one that is named itself."""
    if "/" in name:
        return [name]
    spec = catalog.find(name)
    return [spec.source, *spec.also]


def remove(chosen: list[downloads.Cached], sure: bool, lang: str) -> int:
    size = downloads.gb(sum(one.size for one in chosen))
    names = ", ".join(one.source for one in chosen)
    if not sure:
        if not sys.stdin.isatty():
            raise RunError("bad_input", key="downloads.say_yes", names=names, size=size)
        if not agreed(tr("downloads.really", lang, names=names, size=size)):
            print(tr("downloads.kept", lang))
            return 1
    print(tr("downloads.removed", lang, size=downloads.gb(downloads.remove(chosen))))
    return 0
