"""What `Adapter.load` is told of an entry of the catalogue."""

from __future__ import annotations

import os
from pathlib import Path

from arena import pins
from arena.spec import ModelSpec


def for_adapter(spec: ModelSpec, device: str, home: Path) -> dict[str, object]:
    """What `Adapter.load` is told of a catalogue entry; `home` holds the commits that are pinned."""
    names = ("id", "source", "quantization", "dtype", "trust_remote_code", "options")
    told = {name: getattr(spec, name) for name in names} | told_of_service(spec)
    return told | {
        "device": device,
        "revision": pins.revision_to_load(spec, home),
        "also": {each.source: pins.revision_to_load(each, home) for each in spec.further},
    }


def told_of_service(spec: ModelSpec) -> dict[str, object]:
    """Where a service elsewhere is, and its key, which goes to this one worker alone."""
    if not spec.elsewhere:
        return {}
    told = {"base_url": spec.elsewhere.url, "served": spec.elsewhere.model, "key_variable": spec.elsewhere.key_variable}
    return {"options": {**spec.options, **told}, "api_key": os.environ.get(spec.elsewhere.key_variable, "")}
