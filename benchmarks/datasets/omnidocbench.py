"""OmniDocBench: pages with every block's place, kind, order and text, as its makers publish it: ``OmniDocBench.json``
and a folder of images.

Blocks become regions by our names of kinds, in their order; what is printed on the page becomes the text, its tables
HTML, its formulas facts. Attributes of a page are tags.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.datasets.items import Dataset, DatasetError, Item
from benchmarks.datasets.languages import language_of
from benchmarks.datasets.reading import Within, beginning, beside, entries, lists, text_in
from benchmarks.metrics.truth import Fact, Region, Truth

TURN = 1
NAME = "OmniDocBench"
SOURCE = "github.com/opendatalab/OmniDocBench, arXiv 2412.07626"
LICENCE = "research only, not for commercial use"
# Its 28 kinds by the names of the task ``layout``. It has one kind for headings of all levels. What is not here, masks
# and what its makers abandoned, is no part of the truth.
KINDS = {
    **dict.fromkeys(
        ("text_block", "reference", "equation_caption", "equation_explanation", "code_txt", "code_algorithm"), "Text"
    ),
    **dict.fromkeys(("figure_caption", "table_caption", "code_txt_caption", "code_algorithm_caption"), "Caption"),
    **dict.fromkeys(("figure_footnote", "table_footnote", "page_footnote"), "Footnote"),
    **dict.fromkeys(("equation_isolated", "equation_semantic"), "Formula"),
    "title": "Section-header",
    "list_group": "List-item",
    "figure": "Picture",
    "table": "Table",
    "header": "Page-header",
    "footer": "Page-footer",
    "page_number": "Page-footer",
}
# Its makers mark these to be passed over, for there is no telling whether a model should read them. They are printed
# on the page, so whoever reads it whole is right.
FURNITURE = ("header", "footer", "page_number", "page_footnote")
Block = dict[str, Any]


def recognises(path: Path) -> bool:
    return pages(path) is not None


def load(path: Path) -> Dataset:
    file = pages(path)
    assert file is not None  # noqa: S101 - `recognises` has found it
    return Dataset(NAME if file.stem == NAME else file.stem, described(file, lambda _: {}), SOURCE, LICENCE)


def pages(path: Path) -> Path | None:
    """The JSON list of pages that the path is or holds; a name that begins like the set's goes first."""
    found = [file for file in lists(path, ".json") if '"layout_dets"' in beginning(file)]
    return next((file for file in found if file.stem.startswith(NAME)), next(iter(found), None))


def described(file: Path, more_tags: Callable[[str], dict[str, str]]) -> tuple[Item, ...]:
    """The pages of a JSON list as items. more_tags: what the name of an image says."""
    whole = [(place, entry, _image(entry, place)) for place, entry in entries(file)]
    within = Within(file.parent)
    prefix = beside(file.parent, (name for _, _, name in whole))
    items = []
    for place, entry, name in whole:
        attributes = entry["page_info"].get("page_attribute")
        tags = _tags(attributes if isinstance(attributes, dict) else {})
        blocks = _blocks(entry, place)
        truth = Truth(
            text=_text(blocks, place) or None,
            table="\n".join(_html(block, place) for block in blocks if block["category_type"] == "table") or None,
            regions=tuple(_region(block, place) for block in blocks),
            facts=tuple(Fact("formula", formula) for formula in _formulas(blocks, place)),
        )
        language = language_of(tags.get("language", "")) or ""
        image = within.file(prefix + name, place)
        items.append(Item(name, image, truth, language=language, tags=tags | more_tags(Path(name).stem)))
    return tuple(items)


def _image(entry: Block, place: str) -> str:
    info = entry.get("page_info")
    name = text_in(info, "image_path", place) if isinstance(info, dict) else ""
    if not name:
        raise DatasetError("no_image", place=place)
    return name.replace("\\", "/").rsplit("/", 1)[-1]  # its own evaluation goes by the last part too


def _tags(attributes: dict[str, Any]) -> dict[str, str]:
    tags = {}
    for name, value in attributes.items():
        parts = value if isinstance(value, list) else [value]
        tags[str(name)] = ", ".join(str(part).lower() if isinstance(part, bool) else str(part) for part in parts)
    return {name: value for name, value in tags.items() if value not in ("", "None")}


def _blocks(entry: Block, place: str) -> list[Block]:
    """What is printed on the page, in the order of reading; headers, which have none, before all, the rest after."""
    found = entry.get("layout_dets")
    if not isinstance(found, list) or not all(isinstance(block, dict) for block in found):
        raise DatasetError("field", place=place, field="layout_dets", value=str(found)[:80])
    kept = []
    for block in found:
        kind, order = block.get("category_type"), block.get("order")
        if kind in KINDS and (not block.get("ignore") or kind in FURNITURE):
            turn = (1, order) if isinstance(order, int | float) else (0 if kind == "header" else 2, 0)
            kept.append((turn, block))
    return [block for _, block in sorted(kept, key=lambda each: each[0])]


def _region(block: Block, place: str) -> Region:
    poly = block.get("poly")
    if not isinstance(poly, list) or len(poly) < 4 or not all(isinstance(side, int | float) for side in poly):
        raise DatasetError("field", place=place, field="poly", value=str(poly)[:80])
    across, down = poly[0::2], poly[1::2]
    kind = KINDS[block["category_type"]]
    return Region(min(across), min(down), max(across), max(down), kind, _printed(block, place))


def _text(blocks: Iterable[Block], place: str) -> str:
    return "\n\n".join(filter(None, (_printed(block, place) for block in blocks)))


def _printed(block: Block, place: str) -> str:
    """What can be read in a block: of a table its cells, a row a line; a formula in LaTeX."""
    kind = KINDS[block["category_type"]]
    if kind == "Picture":
        return ""
    if kind == "Table":
        rows = re.sub(r"<[^>]+>", " ", re.sub(r"</tr\s*>", "\n", _html(block, place), flags=re.IGNORECASE))
        return "\n".join(filter(None, (" ".join(html.unescape(row).split()) for row in rows.splitlines())))
    return (text_in(block, "text", place) or text_in(block, "latex", place)).strip()


def _html(block: Block, place: str) -> str:
    return re.sub(r"\s*\n\s*", "", text_in(block, "html", place))


def _formulas(blocks: Iterable[Block], place: str) -> list[str]:
    found = (text_in(block, "latex", place) for block in blocks if block["category_type"] == "equation_isolated")
    bare = (re.sub(r"^(\$\$?|\\\[)(.*?)(\$\$?|\\\])$", r"\2", each.strip(), flags=re.DOTALL).strip() for each in found)
    return [formula for formula in bare if formula]
