"""Tables in what a model wrote, as HTML or as Markdown → rows of cells → CSV."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

from arena.export import defuse

MOST_CELLS = 100_000  # of one table, spans filled
WIDEST = 500  # columns; a model in a loop writes any number
CHARACTERS = 1_000_000  # of a text that are searched
HTML = re.compile(r"<table\b.*?(?:</table\s*>|\Z)", re.DOTALL | re.IGNORECASE)
RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?")  # under the head of a table of Markdown
Rows = list[list[str]]


def tables(text: str) -> list[Rows]:
    """Every table in the order of the text. A cell over several columns or rows stands in the first of them."""
    text = text[:CHARACTERS]
    found = [(match.start(), from_html(match[0])) for match in HTML.finditer(text)]
    found += in_pipes(HTML.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text))
    return [rows for _, rows in sorted(found, key=lambda each: each[0]) if any(any(row) for row in rows)]


def in_pipes(text: str) -> list[tuple[int, Rows]]:
    """The tables of Markdown with their places: a head, a rule under it, and lines with bars."""
    found: list[tuple[int, Rows]] = []
    lines = text.splitlines(keepends=True)
    at = place = 0
    while at < len(lines):
        begin = place
        place += len(lines[at])
        at += 1
        rule = lines[at].strip() if at < len(lines) else ""
        if "|" not in lines[at - 1] or "|" not in rule or not RULE.fullmatch(rule):
            continue
        rows = [cells(lines[at - 1])]
        place += len(lines[at])
        at += 1
        while at < len(lines) and "|" in lines[at]:
            rows.append(cells(lines[at]))
            place += len(lines[at])
            at += 1
        found.append((begin, rows))
    return found


def cells(line: str) -> list[str]:
    parts = re.split(r"(?<!\\)\|", line.strip().removeprefix("|"))
    if not parts[-1].strip():
        parts.pop()
    return [part.strip().replace("\\|", "|") for part in parts[:WIDEST]]


def from_html(text: str) -> Rows:
    """A table of HTML. Of a table within a cell only the text is kept."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.end_cell()
    return reader.rows()


def to_csv(rows: Rows, delimiter: str = ",") -> str:
    """Opened by a spreadsheet, no cell is taken for a formula; the mark at the start says that it is UTF-8."""
    file = io.StringIO(newline="")
    safe = ([defuse(cell) for cell in row] for row in rows)
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(safe)
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + file.getvalue()


class _Reader(HTMLParser):
    """Collects the cells with their spans."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[tuple[str, int, int]]] = []
        self.depth = 0
        self.cell: list[str] | None = None
        self.spans = 1, 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.depth += 1
        elif self.depth == 1 and tag == "tr":
            self.end_cell()
            self.lines.append([])
        elif self.depth == 1 and tag in ("td", "th"):
            self.end_cell()
            known = dict(attrs)
            self.spans = _span(known.get("colspan"), WIDEST), _span(known.get("rowspan"), WIDEST)
            self.cell = []
        elif self.cell is not None and tag in ("br", "p", "li", "tr", "td", "th"):
            self.cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.depth -= 1
        if self.depth <= 1 and tag in ("td", "th", "tr", "table"):
            self.end_cell()

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.append(data)

    def end_cell(self) -> None:
        if self.cell is not None:
            if not self.lines:
                self.lines.append([])
            self.lines[-1].append((" ".join("".join(self.cell).split()), *self.spans))
            self.cell = None

    def rows(self) -> Rows:
        """The cells in their places, spans filled with empty ones."""
        taken: dict[tuple[int, int], str] = {}
        for y, line in enumerate(self.lines):
            x = 0
            for cell, wide, high in line:
                while (y, x) in taken:
                    x += 1
                if x >= WIDEST or len(taken) >= MOST_CELLS:
                    break
                wide, high = min(wide, WIDEST - x), min(high, len(self.lines) - y)
                taken |= dict.fromkeys(((y + below, x + beside) for below in range(high) for beside in range(wide)), "")
                taken[y, x] = cell
        width = 1 + max((x for _, x in taken), default=-1)
        return [[taken.get((y, x), "") for x in range(width)] for y in range(len(self.lines))]


def _span(said: str | None, most: int) -> int:
    return min(max(int(said), 1), most) if said and re.fullmatch(r"\d{1,4}", said.strip()) else 1
