"""``python -m benchmarks.synthetic fonts|draw``: which faces are missing, all of them in a folder, pictures to see."""

from __future__ import annotations

import argparse
import json
import random
import shutil
from pathlib import Path

from PIL import Image

from benchmarks.synthetic import fonts
from benchmarks.synthetic.items import KINDS, item


def list_fonts(given: argparse.Namespace) -> None:
    lacking = [package for split in fonts.SPLITS for package in fonts.missing(split)]
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    faces = commands.add_parser("fonts", help="which faces there are and how to get the rest")
    faces.add_argument("--pack", type=Path, metavar="DIR", help="copy every face into one folder, for another machine")
    faces.set_defaults(run=list_fonts)
    pictures = commands.add_parser("draw", help="draw pictures with questions and answers into a folder")
    pictures.add_argument("folder", type=Path)
    pictures.add_argument("--count", type=int, default=50)
    pictures.add_argument("--kind", choices=KINDS)
    pictures.add_argument("--split", choices=fonts.SPLITS, default="train")
    pictures.add_argument("--seed", type=int, default=0)
    pictures.set_defaults(run=draw)
    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
