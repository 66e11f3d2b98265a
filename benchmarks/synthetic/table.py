"""A table with its caption: plain, or with cells that span rows and columns; the truth is its HTML."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from benchmarks.metrics.truth import Fact
from benchmarks.synthetic import wording
from benchmarks.synthetic.fonts import Face
from benchmarks.synthetic.sheet import Page, Sheet, around, facts
from benchmarks.synthetic.truth import Size
from benchmarks.synthetic.typefaces import family

SHADES = ((232, 234, 240), (240, 232, 220), (226, 238, 228), (253, 253, 251))


@dataclass(frozen=True)
class Cell:
    """A cell with its upper left place in the grid."""

    text: str
    row: int
    column: int
    rows: int = 1
    columns: int = 1
    head: bool = False


def value(rng: random.Random, language: str, kind: Any) -> str:
    """A value of a column: [digits after the point, lowest, highest], ``time``, or one of a list of texts."""
    if kind == "time":
        return wording.filled(rng, language, "{time}")
    if all(isinstance(each, int) for each in kind):
        digits, low, high = kind
        number = f"{rng.uniform(low, high):.{digits}f}" if digits else str(rng.randint(low, high))
        number = number.replace("-0.0", "0.0")
        return number.replace(".", ",").replace("-", "−") if language == "ru" else number.replace("-", "−")
    choices = kind[0] if isinstance(kind[0], list) else kind
    return str(rng.choice(choices))


def heading(head: Sequence[Any]) -> tuple[list[Cell], int]:
    """The cells of the head and how many rows it has: a list stands for a cell over several columns."""
    depth = 2 if any(isinstance(each, list) for each in head) else 1
    cells, column = [], 0
    for each in head:
        if isinstance(each, list):
            over, *below = each
            cells.append(Cell(over, 0, column, 1, len(below), True))
            cells += [Cell(text, 1, column + index, head=True) for index, text in enumerate(below)]
            column += len(below)
        else:
            cells.append(Cell(each, 0, column, depth, head=True))
            column += 1
    return cells, depth


def content(rng: random.Random, language: str, schema: Any) -> list[Cell]:
    """All cells of a table, from the left upper one along the rows."""
    cells, row = heading(schema["head"])
    plain = rng.sample(schema.get("rows", []), rng.randint(4, len(schema["rows"]))) if "rows" in schema else []
    plain.sort(key=schema.get("rows", []).index)
    for name, *members in [[None, name] for name in plain] or schema["groups"]:
        if name is not None:
            cells.append(Cell(name, row, 0, rows=len(members)))
        first = 0 if name is None else 1
        for member in members:
            cells.append(Cell(member, row, first))
            values = (value(rng, language, kind) for kind in schema["values"])
            cells += [Cell(text, row, first + 1 + index) for index, text in enumerate(values)]
            row += 1
    return sorted(cells, key=lambda cell: (cell.row, cell.column))


def html(cells: Sequence[Cell]) -> str:
    """The table without any style; cells in their order."""
    rows: list[str] = []
    for row in range(max(cell.row for cell in cells) + 1):
        said = ""
        for cell in cells:
            if cell.row == row:
                spans = f' rowspan="{cell.rows}"' * (cell.rows > 1) + f' colspan="{cell.columns}"' * (cell.columns > 1)
                said += f"<td{spans}>{escape(cell.text, quote=False)}</td>"
        rows.append(f"<tr>{said}</tr>")
    return f"<table>{''.join(rows)}</table>"


def neighbours(rng: random.Random, cells: Sequence[Cell]) -> list[Fact]:
    """What stands beside one or two cells whose text is unique, in the manner of olmOCR-bench."""
    at = {(cell.row, cell.column): cell for cell in cells if cell.rows == cell.columns == 1 and not cell.head}
    texts = [cell.text for cell in cells]
    found = []
    for (row, column), cell in at.items():
        beside = {"left": at.get((row, column - 1)), "up": at.get((row - 1, column))}
        given = {side: other.text for side, other in beside.items() if other}
        if texts.count(cell.text) == 1 and given:
            found.append(Fact("cell", cell.text, neighbours=given))
    return rng.sample(found, min(2, len(found)))


def edges(cells: Sequence[Cell], font: Face, bold: Face, left: float, width: float) -> list[float]:
    """Where columns begin and the last ends: each as wide as its text, what is left over shared out."""
    count = max(cell.column + cell.columns for cell in cells)
    pad = font.size * 1.1
    wide = [0.0] * count
    for cell in cells:
        if cell.columns == 1:
            wide[cell.column] = max(wide[cell.column], (bold if cell.head else font).width(cell.text) + pad)
    for cell in cells:
        if cell.columns > 1:
            span = range(cell.column, cell.column + cell.columns)
            lack = (bold if cell.head else font).width(cell.text) + pad - sum(wide[index] for index in span)
            for index in span:
                wide[index] += max(0.0, lack) / cell.columns
    spare = max(0.0, width - sum(wide)) / count
    places = [left]
    for each in wide:
        places.append(places[-1] + each + spare)
    return places


def draw(rng: random.Random, language: str, size: Size, paths: Sequence[str]) -> Page:
    """One table across `size` (width, height in pixels), cut off below its note."""
    schema = rng.choice(wording.phrases(language)["table"])
    cells = content(rng, language, schema)
    sheet, letters = Sheet(size), family(rng, paths, "serif", "sans")
    width, height = size
    margin = round(width * 0.06)
    inner, scale = width - 2 * margin, min(25, width // 34)
    rows = max(cell.row for cell in cells) + 1
    while True:
        font, bold = letters.at(scale), letters.at(scale, "bold")
        places = edges(cells, font, bold, margin, inner * rng.choice((1.0, 0.9)))
        if places[-1] <= width - margin + 1 and (rows + 6) * scale * 1.9 < height:
            break
        scale -= 1
    number = f"{wording.phrases(language)['table_words']['table']} {rng.randint(1, 30)}. "
    y = sheet.block("Caption", margin, margin * 0.6, inner, [number + schema["caption"]], bold) + scale * 0.7
    step, ruled = scale * rng.uniform(1.7, 2.0), rng.random() < 0.7
    depth = sum(1 for row in range(rows) if any(cell.head for cell in cells if cell.row == row))
    sheet.pen.rectangle((margin, y, places[-1], y + step * depth), rng.choice(SHADES))
    for cell in cells:
        x0, x1 = places[cell.column], places[cell.column + cell.columns]
        y0, y1 = y + step * cell.row, y + step * (cell.row + cell.rows)
        if ruled:
            sheet.pen.rectangle((round(x0), round(y0), round(x1), round(y1)), outline=sheet.ink, width=2)
        elif cell.row + cell.rows < rows:
            sheet.rule(x0, y1, x1, y1, 1, (170, 168, 172))
        face = bold if cell.head else font
        baseline = y0 + step / 2 + face.size * 0.34
        numeric = not cell.head and cell.text.lstrip("−")[:1].isdigit()
        if cell.columns > 1:
            sheet.line((x0 + x1) / 2, baseline, cell.text, face, align="centre")
        elif numeric:
            sheet.line(x1 - scale * 0.55, baseline, cell.text, face, align="right")
        else:
            sheet.line(x0 + scale * 0.55, baseline, cell.text, face)
    if not ruled:
        for at in (y, y + step * depth, y + step * rows):
            sheet.rule(margin, at, places[-1], at, 3)
    said = "\n".join(" ".join(cell.text for cell in cells if cell.row == row) for row in range(rows))
    markup = html(cells)
    sheet.note("Table", around([(places[0], y, places[-1], y + step * rows)]), markup, said)
    y += step * rows + scale * 0.6
    if rng.random() < 0.6:
        note = wording.said(rng, language, "table_note")
        y = sheet.block("Footnote", margin, y, inner, [note], letters.at(scale * 0.85, "italic"))
    foreign = [str(each["caption"]) for each in wording.phrases(language)["table"] if each is not schema]
    # Of single cells, so that they are true of an answer in Markdown or HTML as well.
    single = "\n".join([schema["caption"], *(cell.text for cell in cells)])
    known = neighbours(rng, cells) + facts(rng, single, foreign)
    return sheet.page("table", language, height=y + margin * 0.6, facts=known, table=markup)
