"""``python -m benchmarks.synthetic fonts|draw|set``: missing faces, pictures to see, a set for benchmarks."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import time
from pathlib import Path

from PIL import Image

from benchmarks.synthetic import fonts, sets
from benchmarks.synthetic.degrade import DEGRADATIONS, LEVELS
from benchmarks.synthetic.items import KINDS, item
from benchmarks.synthetic.wording import LANGUAGES


def list_fonts(given: argparse.Namespace) -> None:
    lacking = [package for split in given.lacking or fonts.SPLITS for package in fonts.missing(split)]
    if given.lacking is not None:
        print(" ".join(lacking))
        return
    if lacking:
        print(f"missing: requirements/system.sh packages {' '.join(lacking)}")
    for split in fonts.SPLITS:
        print(f"{split}: {sum(name in fonts.installed() for name in fonts.names(split))} of {len(fonts.names(split))}")
    if given.pack:
        given.pack.mkdir(parents=True, exist_ok=True)
        for split in fonts.SPLITS:
            for path in fonts.faces(split):
                shutil.copy(path, given.pack)
        size = sum(path.stat().st_size for path in given.pack.iterdir())
        print(f"{given.pack}: {size / 1e6:.0f} MB; ARENA_FONTS={given.pack} where these are not installed")


def draw(given: argparse.Namespace) -> None:
    """Pictures with their questions and answers in ``items.jsonl``."""
    given.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(given.count):
        rng = random.Random(f"{given.seed}/{number}")
        kind = given.kind or rng.choice(KINDS)
        size = (rng.randint(120, 400), rng.randint(28, 56) if kind == "line" else rng.randint(120, 260))
        one = item(kind, rng, size, fonts.faces(given.split))
        name = f"{number:05d}.png"
        Image.fromarray(one.picture.pixels).save(given.folder / name)
        rows.append({"image": name, "kind": kind, "language": one.language, "prompt": one.question,
                     "reference": one.answer})  # fmt: skip
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (given.folder / "items.jsonl").write_text(text + "\n", encoding="utf-8")
    print(f"{len(rows)} pictures in {given.folder}")


def make_set(given: argparse.Namespace) -> None:
    """A dataset in a folder, or what an earlier call has left of it to do."""
    if lacking := fonts.missing(given.split):
        print(f"set in the other faces, since these are missing: requirements/system.sh packages {' '.join(lacking)}")
    every = given.degradations == ["all"]
    recipe = sets.Recipe(
        given.count, tuple(given.kinds), tuple(given.languages), DEGRADATIONS if every else tuple(given.degradations),
        tuple(sorted(set(given.levels))), given.seed, given.split, given.width, given.quality,
    )  # fmt: skip
    begun = time.monotonic()
    try:
        for done, name in sets.write(given.folder, recipe):
            rate = done / max(1e-9, time.monotonic() - begun)
            said = f"{done}/{given.count} {name}  {rate:.1f} a second, {(given.count - done) / rate:.0f} s left"
            print(f"\r{said}\033[K" if sys.stdout.isatty() else f"{said}\n", end="", flush=True)
    except (FileExistsError, ImportError, ValueError) as error:
        sys.exit(f"\n{error}")
    size = sum(path.stat().st_size for path in given.folder.iterdir())
    print(f"\n{given.folder}: {given.count} pictures, {size / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    faces = commands.add_parser("fonts", help="which faces there are and how to get the rest")
    faces.add_argument("--pack", type=Path, metavar="DIR", help="copy every face into one folder, for another machine")
    faces.add_argument("--lacking", nargs="*", choices=tuple(fonts.SPLITS), metavar="SPLIT",
                       help=f"nothing but the packages to install, for {', '.join(fonts.SPLITS)} or all")  # fmt: skip
    faces.set_defaults(run=list_fonts)
    pictures = commands.add_parser("draw", help="draw pictures with questions and answers into a folder")
    pictures.add_argument("folder", type=Path)
    pictures.add_argument("--count", type=int, default=50)
    pictures.add_argument("--kind", choices=KINDS)
    pictures.add_argument("--split", choices=fonts.SPLITS, default="train")
    pictures.add_argument("--seed", type=int, default=0)
    pictures.set_defaults(run=draw)
    dataset = commands.add_parser("set", help="draw a balanced set with every degradation: a dataset for `arena bench`")
    dataset.add_argument("folder", type=Path)
    dataset.add_argument("--count", type=int, default=228, help="pictures; 228 show each of 12 pages in 19 conditions")
    dataset.add_argument("--kinds", nargs="+", choices=tuple(sets.KINDS), default=tuple(sets.KINDS), metavar="KIND",
                         help=", ".join(sets.KINDS))  # fmt: skip
    dataset.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES)
    dataset.add_argument("--degradations", nargs="*", choices=("all", *DEGRADATIONS), default=["all"], metavar="NAME",
                         help=f"all, or some of {', '.join(DEGRADATIONS)}")  # fmt: skip
    dataset.add_argument("--levels", nargs="+", type=int, choices=LEVELS, default=(0, 1, 3, 5), metavar="0..5",
                         help="how bad; 0 is the clean page")  # fmt: skip
    dataset.add_argument("--seed", type=int, default=0)
    dataset.add_argument(
        "--split", choices=fonts.SPLITS, default="test", help="faces; the tiny model knows those of train"
    )
    dataset.add_argument("--width", type=int, default=1000, help="of the widest pages, in pixels, 500 at least")
    dataset.add_argument("--quality", type=int, default=92, help="of the JPEG files that hold degraded pictures")
    dataset.set_defaults(run=make_set)
    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
