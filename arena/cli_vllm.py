"""``python -m arena vllm``: one vLLM container brought up to stay, what is there, its log, the end of it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from arena.cancel import Cancel
from arena.catalog import load_catalog
from arena.config import Settings
from arena.gpu import Gpus
from arena.runtimes import containers
from arena.runtimes.engine import key_of
from arena.strings import tr
from arena.terminal import interruptible, print_table, say, tell_stage

SHOWN = 100  # characters of a log's line beside a phase


def run(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """Raises `RunError`."""
    actions = {"up": up, "down": down, "status": status, "logs": logs, "env": env, "repin": repin}
    return actions[options.action](options, settings, lang)


def up(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """Until the model has answered about an image; Ctrl-C takes it all back."""
    spec = load_catalog(settings).find(options.model).with_options(mode="vllm")
    gpus, cancel, before = Gpus(), Cancel(), ""
    try:
        with interruptible(cancel.set):
            for sign in containers.up(spec, settings, next(iter(gpus.devices()), None), cancel):
                line = (sign.log.splitlines() or [""])[-1][:SHOWN]
                phase = tr(f"phases.{sign.phase}", lang) if sign.phase else ""
                said = ": ".join(filter(None, [spec.title, phase, line]))
                if said != before:
                    tell_stage(said)
                    before = said
    finally:
        gpus.close()
    tell_stage(tr("vllm_cli.up", lang, title=spec.title), over=True)
    return status(options, settings, lang)


def down(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    ended = containers.down(settings)
    say(tr("vllm_cli.down", lang, names=", ".join(ended)) if ended else tr("vllm_cli.none", lang))
    return 0


def status(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    found = containers.ours(settings)
    if getattr(options, "json", False):
        print(json.dumps({"containers": [asdict(each) for each in found]}))
    elif not found:
        say(tr("vllm_cli.none", lang))
    else:
        heads = [tr(f"vllm_cli.{name}", lang) for name in ("model", "container", "state", "since", "url")]
        print_table([heads, *([each.model, each.name, each.state, each.since, each.url] for each in found)])
    return 0


def logs(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """The last lines, on stdout."""
    model = load_catalog(settings).find(options.model).id if options.model else None
    if written := containers.logs(settings, model, options.lines):
        print(written)
        return 0
    say(tr("vllm_cli.none", lang))
    return 1


def env(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """What a client of OpenAI's needs, as lines for a shell; the one place where the key of a container is shown."""
    with containers.opened() as engine:
        running = next((made for made in engine.ours() if made.status == "running"), None)
        if running is None:
            say(tr("vllm_cli.none", lang))
            return 1
        print(f"export OPENAI_BASE_URL={containers.found(running).url}")
        print(f"export OPENAI_API_KEY={key_of(running)}")
    return 0


def repin(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """Of the image that the model's container is made from, or of an image by name."""
    image = options.image
    models = load_catalog(settings).models
    if image in models:
        container = models[image].in_mode("vllm").container
        image = container.image if container else ""
    print(tr("vllm_cli.pinned", lang, digest=containers.repin(settings, image)))
    return 0
