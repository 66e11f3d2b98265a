"""Parameters of generation: read as they are written, checked against what the model's family declares."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from adapters.base import Adapter, adapter_class
from arena.catalog import adapter_exists
from arena.errors import RunError
from arena.images import ImageStore, StoredImage
from arena.spec import ModelSpec

PAGES = "pages"  # of a document, besides its first; written as numbers, given to the model as files
MOST_PAGES = 50


def traits(spec: ModelSpec) -> type[Adapter]:
    """What the model's family can do; the empty `Adapter` for a family that is only planned."""
    return adapter_class(spec.adapter) if adapter_exists(spec.adapter) else Adapter


def read_value(said: str) -> Any:
    """A value as it is written: JSON, values with commas between them as a list, anything else as text.

    >>> read_value("true"), read_value("10, 20, 300, 40"), read_value("red"), read_value("2-4")
    (True, [10, 20, 300, 40], 'red', '2-4')
    """
    for form in (said, f"[{said}]" if "," in said else said):
        try:
            return json.loads(form)
        except (ValueError, RecursionError):
            continue
    return said.strip()


def read_params(given: Iterable[str], specs: Sequence[ModelSpec]) -> list[dict[str, object]]:
    """What every model is given by ``NAME=VALUE`` (each of them) and ``ID.NAME=VALUE`` (that one), checked.

    Raises `RunError` (``bad_input``).
    """
    found: list[dict[str, object]] = [{} for _ in specs]
    for each in given:
        place, sign, said = each.partition("=")
        model, _, name = place.rpartition(".")
        meant = [at for at, spec in enumerate(specs) if model in ("", spec.id)]
        if not sign or not name or not meant:
            ids = ", ".join(spec.id for spec in specs)
            raise RunError("bad_input", key="params.form", given=each[:80], models=ids)
        for at in meant:
            found[at][name] = check(specs[at], name, read_value(said))
    return found


def check(spec: ModelSpec, name: str, value: object) -> object:
    """The value, if the model's family has such a parameter that takes it. Raises `RunError` (``bad_input``)."""
    family = traits(spec)
    if name not in family.params:
        known = ", ".join(family.params) or "—"
        raise RunError("bad_input", key="params.unknown", title=spec.title, name=name[:80], known=known)
    allowed = family.choices.get(name, ())
    if allowed and not any(value == each and type(value) is type(each) for each in allowed):
        shown = ", ".join(json.dumps(each) if isinstance(each, bool) else str(each) for each in allowed)
        raise RunError(
            "bad_input", key="params.not_offered", title=spec.title, name=name, value=str(value)[:80], known=shown
        )
    return value


def place_pages(params: dict[str, object], images: ImageStore, first: StoredImage, source: Path | None) -> None:
    """Turn the numbers of further pages of a PDF into the files that the model is given, seen from the first image.

    source: the PDF, None when there is none. Raises `RunError` (``bad_input``).
    """
    if PAGES not in params:
        return
    if source is None or images.pages(source) < 2:
        raise RunError("bad_input", key="params.no_pdf")
    stored = [images.add(source, page) for page in page_numbers(params[PAGES])]
    params[PAGES] = [Path(os.path.relpath(each.path, first.path.parent)).as_posix() for each in stored]


def page_numbers(value: object) -> list[int]:
    """Pages as they are written: 2, [2, 5], ``2-4``, ``2-4, 7``. Raises `RunError` (``bad_input``).

    >>> page_numbers(3), page_numbers([2, 5]), page_numbers("2-4, 7")
    ([3], [2, 5], [2, 3, 4, 7])
    """
    found: list[int] = []
    for part in value if isinstance(value, list) else str(value).split(","):
        first, _, last = str(part).partition("-")
        try:
            begin, end = int(first), int(last or first)
        except ValueError:
            begin, end = 0, -1
        if not 1 <= begin <= end or end - begin + len(found) >= MOST_PAGES:
            raise RunError("bad_input", key="params.pages", most=MOST_PAGES)
        found.extend(range(begin, end + 1))
    return found
