"""What a document adds up to: its pages with every model's answer, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.documents.blocks import Block, blocks, laid_out
from arena.documents.tables import Rows, tables
from arena.run_json import run_json
from arena.types import Run

PAGE_BREAK = "\n\n---\n\n"


@dataclass(frozen=True)
class Page:
    """A page with the answers so far, by the letter of the side. sha256: of its picture, None before it is drawn.

    trouble: why the page could not be drawn, by language.
    """

    number: int
    sha256: str | None = None
    width: int = 0
    height: int = 0
    runs: Mapping[str, Run] = field(default_factory=dict)
    trouble: Mapping[str, str] = field(default_factory=dict)

    def blocks(self, letter: str) -> tuple[Block, ...]:
        run = self.runs.get(letter)
        return blocks(run.boxes) if run else ()

    def text(self, letter: str) -> str:
        """What the model has read: from the blocks where its answer was no text but a list of them."""
        run = self.runs.get(letter)
        if run is None:
            return ""
        found = self.blocks(letter)
        if laid_out(found) and written_as_data(run.text):
            return "\n\n".join(filter(None, (block.markdown for block in found)))
        return run.text.strip()

    def markdown(self, letter: str) -> str:
        """The text as Markdown; lines of a plain text stay lines."""
        run = self.runs.get(letter)
        plain = run is not None and run.task == "ocr"
        return self.text(letter).replace("\n", "  \n") if plain else self.text(letter)

    def tables(self, letter: str) -> list[Rows]:
        return tables(self.markdown(letter))


@dataclass(frozen=True)
class Document:
    """titles: of the models, by the letter of the side."""

    name: str
    task: str
    titles: Mapping[str, str]
    pages: tuple[Page, ...]

    def markdown(self, letter: str) -> str:
        """All pages that the model has answered, a rule between two of them."""
        said = [page.markdown(letter) for page in self.pages if letter in page.runs]
        return PAGE_BREAK.join(said).strip() + "\n"

    def json(self) -> dict[str, Any]:
        """Boxes in pixels of the page's picture, left, top, right, bottom; the blocks in reading order."""
        return {
            "document": self.name,
            "task": self.task,
            "models": dict(self.titles),
            "pages": [
                {
                    "page": page.number,
                    "image": {"sha256": page.sha256, "width": page.width, "height": page.height},
                    "answers": {letter: _answer(page, letter) for letter in sorted(page.runs)},
                }
                for page in self.pages
            ],
        }


def written_as_data(text: str) -> bool:
    """Whether an answer is the list of boxes itself and no text to be read."""
    return text.lstrip().removeprefix("```json").lstrip()[:1] in ("[", "{")


def _answer(page: Page, letter: str) -> dict[str, Any]:
    run = page.runs[letter]
    said = run_json(run)
    return {
        name: said[name] for name in ("run_id", "model", "status", "error", "timeline", "text", "boxes_left_out")
    } | {
        "markdown": page.markdown(letter),
        "blocks": [
            {
                "order": block.number,
                "category": block.category,
                "bbox": [block.place.x0, block.place.y0, block.place.x1, block.place.y1],
                "text": block.text,
                "confidence": block.place.confidence,
            }
            for block in page.blocks(letter)
        ],
        "tables": page.tables(letter),
    }
