"""What a dataset holds: ``python -m benchmarks.datasets NAME-OR-PATH [--split S]``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from arena.config import load_settings
from arena.strings import tr
from benchmarks.datasets import Dataset, DatasetError, available, load_dataset
from benchmarks.datasets.items import Packed
from benchmarks.metrics.truth import names

SHOWN = 12  # values of a tag


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 for a dataset that cannot be read or lacks images."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.datasets", description=__doc__)
    parser.add_argument("dataset", nargs="?", help="a name or a path; without, the names there are")
    parser.add_argument("--split", default="", help="one part of it alone")
    given = parser.parse_args(arguments)
    folders = [load_settings().datasets]
    if given.dataset is None:
        print("\n".join(available(folders)))
        return 0
    try:
        dataset = load_dataset(given.dataset, split=given.split, folders=folders)
    except DatasetError as error:
        print(tr(f"datasets.{error.key}", **error.params), file=sys.stderr)
        return 1
    missing = lacking(dataset)
    print("\n".join(described(dataset, missing)))
    return 1 if missing else 0


def described(dataset: Dataset, missing: Sequence[str]) -> list[str]:
    """A dataset in lines: how many items it has, by everything that they can be grouped by."""
    items = dataset.items.plain if isinstance(dataset.items, Packed) else dataset.items
    counts: dict[str, Counter[str]] = {
        "language": Counter(item.language or "-" for item in items),
        "task": Counter(item.task or "-" for item in items),
        "truth": Counter(part for item in items for part in names() if getattr(item.truth, part)),
    }
    for item in items:
        for tag, value in item.tags.items():
            counts.setdefault(f"tags.{tag}", Counter())[value] += 1
    about = (("source", dataset.source), ("licence", dataset.licence), ("items", str(len(items))))
    lines = [f"{name}: {value}" for name, value in (("name", dataset.name), *about) if value]
    for name, values in counts.items():
        shown = ", ".join(f"{value} {count}" for value, count in values.most_common(SHOWN))
        more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
        lines.append(f"{name}: {shown}{more}")
    if missing:
        lines.append(f"images that are not there: {len(missing)}, such as {', '.join(missing[:3])}")
    return lines


def lacking(dataset: Dataset) -> list[str]:
    """The ids of the items whose image is not there."""
    if isinstance(dataset.items, Packed):
        return [item.id for item in dataset.items if not item.image]
    return [item.id for item in dataset.items if isinstance(item.image, Path) and not item.image.is_file()]


if __name__ == "__main__":
    raise SystemExit(main())
