"""A table as rows and columns, where a cell with spans stands in several: which cells are next to which."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.metrics.table_reading import Cell, Node

STEPS = {
    "up": (-1, 0),
    "down": (1, 0),
    "left": (0, -1),
    "right": (0, 1),
    "top_heading": (-1, 0),
    "left_heading": (0, -1),
}
MOST_CELLS = 2000  # those further down are left out
MOST_PLACES = 100_000  # rows times columns; cells that claim more are cut to one


class Grid:
    """The cells of a table in the order of reading, each at every place that it covers.

    >>> from benchmarks.metrics.table_reading import tables
    >>> grid = Grid(tables("<table><tr><th rowspan=2>a<th colspan=2>b<tr><td>c<td>d</table>")[0])
    >>> [[grid.cells[other].text for other in grid.neighbours(3, where)] for where in ("left", "up", "left_heading")]
    [['c'], ['b'], ['a']]
    """

    def __init__(self, table: Node) -> None:
        self.cells: list[Cell] = []
        self._at: dict[tuple[int, int], int] = {}
        self._places: list[list[tuple[int, int]]] = []
        rows = list(table.rows())[:MOST_CELLS]
        for row, cells in enumerate(rows):
            column = 0
            for cell in cells[: MOST_CELLS - len(self.cells)]:
                while (row, column) in self._at:
                    column += 1
                height, width = min(cell.rowspan, len(rows) - row), cell.colspan
                if len(self._at) + height * width > MOST_PLACES:
                    height = width = 1
                places = [
                    (row + down, column + right)
                    for down in range(height)
                    for right in range(width)
                    if (row + down, column + right) not in self._at
                ]
                self._at.update(dict.fromkeys(places, len(self.cells)))
                self._places.append(places)
                self.cells.append(cell)
                column += width

    def neighbours(self, place: int, where: str) -> set[int]:
        """The cells that touch a cell ``up``, ``down``, ``left`` or ``right``; all by their place in `cells`.

        For ``top_heading`` and ``left_heading``: the headings on the way to the edge, or what stands at the edge.
        """
        if where not in STEPS:
            return set()
        step = STEPS[where]
        if not where.endswith("heading"):
            return set(self._next(place, step))
        seen, edge, waiting = {place}, set[int](), [place]
        while waiting:
            cell = waiting.pop()
            further = set(self._next(cell, step))
            if not further:
                edge.add(cell)
            waiting += further - seen
            seen |= further
        seen.remove(place)
        return {cell for cell in seen if self.cells[cell].heading} or edge - {place}

    def _next(self, place: int, step: tuple[int, int]) -> Iterator[int]:
        for row, column in self._places[place]:
            other = self._at.get((row + step[0], column + step[1]), place)
            if other != place:
                yield other
