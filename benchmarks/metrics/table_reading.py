"""The tables in an answer, written in HTML or Markdown, alone or within other text.

A browser's parser is of no use here: it adds sections that nobody wrote, which change the score, and what models write
makes it slow (a hundred thousand tags that never end took minutes, in the standard library's parser as well). So the
few rules that tables need are here: one pass, and any text is read without an exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

MOST_CHARACTERS = 1_000_000  # what comes after is not read
LARGEST_SPAN = 1000  # as in HTML for columns
TOKEN = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>|[^<]+|<")
SPAN = re.compile(r"""\b(colspan|rowspan)\s*=\s*["']?\s*(\d{1,9})""", re.IGNORECASE)
SECTIONS = ("thead", "tbody", "tfoot")
VOID = ("br", "hr", "img", "wbr")


@dataclass
class Cell:
    """heading: written as ``th``. content: characters and tags (``<b>``), each an item."""

    heading: bool = False
    colspan: int = 1
    rowspan: int = 1
    content: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Without the tags; a line break is a space."""
        plain = (item if len(item) == 1 else " " * (item == "<br>") for item in self.content)
        return " ".join("".join(plain).split())


@dataclass
class Node:
    """What stands between a table and its cells: a section, a row, a caption, or the table itself."""

    tag: str
    children: list[Node | Cell] = field(default_factory=list)

    def rows(self) -> Iterator[list[Cell]]:
        """The cells of every row, sections or not."""
        for child in self.children:
            if isinstance(child, Node) and child.tag == "tr":
                yield [cell for cell in child.children if isinstance(cell, Cell)]
            elif isinstance(child, Node):
                yield from child.rows()


def tables(text: str) -> list[Node]:
    """Every table of the text that has a cell: those in HTML in their order, then those in Markdown.

    >>> [[cell.text for cell in row] for table in tables("So: <table><tr><th>a<td>b<tr><td>c") for row in table.rows()]
    [['a', 'b'], ['c']]
    >>> [[cell.text for cell in row] for row in tables("|a|b|\\n|-|:-:|\\n| 1 | 2<br>3 |")[0].rows()]
    [['a', 'b'], ['1', '2 3']]
    """
    text = text[:MOST_CHARACTERS]
    found = [*html_tables(text), *(table for lines in _pipes(text) for table in html_tables(lines))]
    return [table for table in found if any(table.rows())]


def html_tables(text: str) -> list[Node]:
    """Tables that stand in no other one; a table within a cell is part of what the cell says."""
    found: list[Node] = []
    reader: _Reader | None = None
    for token in TOKEN.finditer(_without_comments(text)):
        tag = (token[2] or "").lower()
        if reader is None:
            if tag == "table" and not token[1]:
                reader = _Reader()
                found.append(reader.table)
        elif not tag:
            reader.say(unescape(token[0]))
        elif token[1]:
            if reader.close(tag):
                reader = None
        else:
            reader.open(tag, token[3])
    return found


def _without_comments(text: str) -> str:
    first, *rest = text.split("<!--")
    return first + "".join(part.partition("-->")[2] for part in rest)


class _Reader:
    """The table being read: the section, row and cell that are open."""

    def __init__(self) -> None:
        self.table = Node("table")
        self.section = self.table
        self.row: Node | None = None
        self.cell: Cell | None = None
        self.inside = 0  # tables open within the cell

    def open(self, tag: str, attributes: str) -> None:
        if tag == "table" and self.cell:
            self.inside += 1
        if self.inside:
            self.say(f"<{tag}>", whole=True)
        elif tag in ("td", "th"):
            if self.row is None:
                self.open("tr", "")
            spans = {name.lower(): min(int(number), LARGEST_SPAN) for name, number in SPAN.findall(attributes)}
            self.cell = Cell(tag == "th", spans.get("colspan") or 1, spans.get("rowspan") or 1)
            self.row.children.append(self.cell)  # type: ignore[union-attr]
        elif tag == "tr":
            self.row, self.cell = Node("tr"), None
            self.section.children.append(self.row)
        elif tag in SECTIONS:
            self.section, self.row, self.cell = Node(tag), None, None
            self.table.children.append(self.section)
        elif self.cell:
            self.say(f"<{tag}>", whole=True)
            if tag in VOID:
                self.say(f"</{tag}>", whole=True)
        elif tag == "caption":
            self.table.children.append(Node(tag))

    def close(self, tag: str) -> bool:
        """Whether this is the end of the table."""
        if self.inside or (self.cell and tag not in ("table", "td", "th", "tr", *SECTIONS)):
            self.inside -= tag == "table"
            if tag not in VOID:
                self.say(f"</{tag}>", whole=True)
            return False
        if tag in ("td", "th"):
            self.cell = None
        elif tag == "tr":
            self.row = self.cell = None
        elif tag in SECTIONS:
            self.section, self.row, self.cell = self.table, None, None
        return tag == "table"

    def say(self, text: str, whole: bool = False) -> None:
        if self.cell:
            self.cell.content += [text] if whole else list(text)


def _pipes(text: str) -> Iterator[str]:
    """Every pipe table of Markdown as HTML: a heading, a line of dashes, and rows until a line without a bar."""
    before = ""
    rows: list[str] | None = None
    for line in [*text.splitlines(), ""]:
        if rows is not None and "|" in line:
            rows.append(_row(line, "td"))
        elif rows is not None:
            yield "".join([*rows, "</tbody></table>"])
            rows = None
        elif "|" in before and set(line) <= set("|:- \t") and "-" in line and "|" in line:
            rows = ["<table><thead>", _row(before, "th"), "</thead><tbody>"]
        before = line


def _row(line: str, tag: str) -> str:
    inner = line.strip().removeprefix("|")
    cells = re.split(r"(?<!\\)\|", inner.removesuffix("|") if not inner.endswith("\\|") else inner)
    return "<tr>" + "".join(f"<{tag}>{cell.strip()}" for cell in (cell.replace("\\|", "|") for cell in cells)) + "</tr>"
