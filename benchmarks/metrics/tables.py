"""TEDS: how alike two tables are as trees of sections, rows and cells.

TEDS = 1 - edits / nodes of the larger table (Zhong et al. 2020). An edit adds or removes a node, or renames one: fully
where the tags or the spans differ, by the share of edits between the contents where two cells differ in no more.

As published, on what is published; for the rest: a heading cell counts as a cell; sections (``thead`` and the like)
count only where the truth has some; white space of any length in a cell is one space and none at its ends; captions
count by their being there; of several tables in an answer the one with the most cells is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from benchmarks.metrics import metric
from benchmarks.metrics.table_reading import SECTIONS, Cell, Node, tables
from benchmarks.metrics.text import normalise

if TYPE_CHECKING:
    from benchmarks.metrics.matching.trees import Numbers

# Nodes of one table times nodes of the other: 1,000 against 1,000 take about two seconds and 50 MB.
MOST_PAIRS = 1_000_000
MOST_NODES = 5000  # of one table
MOST_CHARACTERS = 4_000_000_000  # those of the one's cells times those of the other's: about a second
SOURCE = "Zhong et al. 2020 (PubTabNet)"


@dataclass
class _Tree:
    """A table's nodes in postorder. first: for each the place of its leftmost leaf. inner: tags within the cells."""

    first: list[int] = field(default_factory=list)
    kinds: list[tuple[str, int, int]] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    inner: int = 0


@metric("teds", better="higher", against="table", source=SOURCE)
def teds(output: str, table: str) -> float | None:
    """Likeness of the answer's table to the right one, in structure and text; None for tables of thousands of cells.

    >>> right = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"
    >>> teds("Here it is:\\n| a | b |\\n|---|---|\\n| c | d |", right)
    1.0
    >>> teds("<table><tr><td>a<td>b<tr><td>c</table>", right)
    0.8333333333333334
    """
    return _similarity(output, table, contents=True)


@metric("teds_s", better="higher", against="table", source=SOURCE)
def teds_structure(output: str, table: str) -> float | None:
    """`teds` of the tables with nothing in their cells: rows, columns and spans alone.

    >>> teds_structure("<table><tr><td>x<td>y</table>", "<table><tr><td>a<td>b</table>")
    1.0
    """
    return _similarity(output, table, contents=False)


def _similarity(output: str, truth: str, contents: bool) -> float | None:
    target, said = _largest(truth), _largest(output)
    if target is None:
        return None
    if said is None:
        return 0.0
    if not any(isinstance(child, Node) and child.tag in SECTIONS for child in target.children):
        said = _without_sections(said)
    tags: dict[str, str] = {}
    one, two = (_tree(table, tags if contents else None) for table in (said, target))
    sizes = [len(tree.first) for tree in (one, two)]
    lengths = [sum(map(len, tree.contents)) for tree in (one, two)]
    if max(sizes) > MOST_NODES or prod(sizes) > MOST_PAIRS or prod(lengths) > MOST_CHARACTERS:
        return None
    from benchmarks.metrics.matching.trees import tree_distance

    edits = tree_distance(one.first, two.first, _renames(one, two))
    # The table itself is no node of its own in the published count, and tags within a cell are.
    nodes = max(len(tree.first) - 1 + tree.inner for tree in (one, two))
    return max(0.0, 1 - edits / nodes)


def _largest(text: str) -> Node | None:
    found = tables(text)
    return max(found, key=lambda table: sum(map(len, table.rows()))) if found else None


def _without_sections(table: Node) -> Node:
    return Node(table.tag, [*_unwrapped(table)])


def _unwrapped(table: Node) -> Iterator[Node | Cell]:
    for child in table.children:
        if isinstance(child, Node) and child.tag in SECTIONS:
            yield from child.children
        else:
            yield child


def _tree(table: Node, tags: dict[str, str] | None) -> _Tree:
    """tags: a character of its own for every tag within a cell, filled here; None for cells with nothing in them."""
    tree = _Tree()

    def add(node: Node | Cell) -> int:
        start = len(tree.first)
        if isinstance(node, Cell):
            tree.inner += sum(len(item) > 1 and item[1] != "/" for item in node.content)
            kind, content = ("td", node.colspan, node.rowspan), "" if tags is None else _coded(node, tags)
        else:
            kind, content = (node.tag, 0, 0), ""
            leaves = [add(child) for child in node.children]
            start = leaves[0] if leaves else start
        tree.first.append(start)
        tree.kinds.append(kind)
        tree.contents.append(content)
        return start

    add(table)
    return tree


def _coded(cell: Cell, tags: dict[str, str]) -> str:
    coded = (item if len(item) == 1 else tags.setdefault(item, chr(0x100000 + len(tags))) for item in cell.content)
    return normalise("".join(coded))


def _renames(one: _Tree, two: _Tree) -> Numbers:
    """What it costs to turn each node of one tree into each of the other, ``(nodes, nodes)``."""
    import numpy as np
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    texts: dict[str, int] = {}
    kinds: dict[tuple[str, int, int], int] = {}
    places = [[texts.setdefault(text, len(texts)) for text in tree.contents] for tree in (one, two)]
    sorts = [np.array([kinds.setdefault(kind, len(kinds)) for kind in tree.kinds]) for tree in (one, two)]
    rows, columns = (sorted(set(each)) for each in places)
    known = list(texts)
    apart = cdist(
        [known[row] for row in rows],
        [known[column] for column in columns],
        scorer=Levenshtein.normalized_distance,
        dtype=np.float64,
    )
    cost = apart[np.ix_(np.searchsorted(rows, places[0]), np.searchsorted(columns, places[1]))]
    return np.where(sorts[0][:, None] == sorts[1][None, :], cost, 1.0)
