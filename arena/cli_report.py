"""`python -m arena report` and `rerun`: a stored comparison as a file, and whether it comes out the same once more."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from arena.config import Settings
from arena.core import arena_of
from arena.errors import RunError
from arena.strings import tr
from arena.terminal import interruptible, say
from arena.types import Run


def report(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """The comparison as HTML or JSON, on stdout or in a file."""
    from arena.report import html_report, json_report
    from arena.report.data import data_url
    from arena.rerun import recorded
    from arena.ui.preview import PREVIEW, preview

    with arena_of(settings) as arena:
        runs = recorded(arena, options.comparison)
        image = arena.images.get(runs[0].image_sha256 or "")
        if options.format == "json":
            made = json_report(runs, image.path.read_bytes() if image and options.image else None) + "\n"
        else:
            picture = data_url(preview(image.path, PREVIEW), "image/webp") if image else ""
            made = html_report(runs, options.lang or lang, arena.catalog.tasks, picture=picture)
    if options.out is None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        print(made, end="")
        return 0
    out: Path = options.out
    try:
        out.write_text(made, encoding="utf-8")
    except OSError as error:
        raise RunError("storage", key="cli.cannot_write", path=str(out), why=error.strerror) from error
    say(tr("report.cli.written", lang, path=out))
    return 0


def rerun(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    """Run a comparison, or one of its runs, with the same settings. 0 only when every answer is the same."""
    from arena.cancel import Cancel
    from arena.cli import tell
    from arena.compare import compare, letter_of
    from arena.report.verdict import lines
    from arena.rerun import again, recorded, reproduces

    with arena_of(settings) as arena:
        before = recorded(arena, options.id)
        request = replace(again(arena, options.id), anyway=options.anyway)
        titles = {letter_of(order): side.spec.label for order, side in enumerate(request.sides)}
        cancel, after = Cancel(), list[Run]()
        with interruptible(cancel.set):
            for event in compare(arena, request, cancel):
                tell(event, titles, lang)
                if isinstance(event, Run):
                    after.append(event)
    found = reproduces(before, after)
    same = len(found) == len(before) and all(each.same for each in found)
    if options.json:
        sides = [
            {
                "side": each.after.side,
                "model": each.after.model,
                "same": each.same,
                "edits": each.edits,
                "places": [asdict(place) for place in each.places],
                "times": {name: {"before": one, "after": other} for name, one, other in each.times},
                "changes": [asdict(change) for change in each.changes],
            }
            for each in found
        ]
        print(json.dumps({"comparison_id": request.comparison_id, "same": same, "sides": sides}))
    else:
        for each in found:
            print(f"=== {each.after.side}: {titles[each.after.side]} ===", *lines(each, lang), "", sep="\n")
    return 0 if same else 1
