"""Regions of a page against the right ones: how many are found, how well they lie, in which order they are read.

A region is found by one whose intersection over union (IoU) with it is at least one half and whose kind is the same,
each at most once, the best pairs first. Kinds are compared without case, ``section_header`` and ``Section-header`` are
one, and where the truth names no kind any will do. An answer without regions has found nothing: 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rapidfuzz.distance import Levenshtein

from benchmarks.metrics import metric
from benchmarks.metrics.truth import Region

if TYPE_CHECKING:
    from benchmarks.metrics.matching.trees import Numbers

Regions = Sequence[Region]
MOST_PAIRS = 4_000_000  # regions times regions: below a second
MOST_ASSIGNED = 40_000  # the same, where the best assignment is looked for


@metric("box_precision", better="higher", against="regions", source="Everingham et al. 2010 (PASCAL VOC), IoU ≥ 0.5")
def box_precision(said: Regions, truth: Regions) -> float | None:
    """Share of the answer's regions that are right ones; None for pages of thousands of regions.

    >>> right = [Region(0, 0, 10, 10, "Table"), Region(0, 20, 10, 30, "Text")]
    >>> box_precision([Region(0, 0, 10, 9, "table"), Region(0, 20, 10, 30, "Title")], right)
    0.5
    """
    pairs = matched(said, truth)
    return None if pairs is None else len(pairs) / len(said) if said else 0.0


@metric("box_recall", better="higher", against="regions", source="Everingham et al. 2010 (PASCAL VOC), IoU ≥ 0.5")
def box_recall(said: Regions, truth: Regions) -> float | None:
    """Share of the right regions that the answer has; None for pages of thousands of regions.

    >>> right = [Region(0, 0, 10, 10, "Table"), Region(0, 20, 10, 30, "Text"), Region(0, 30, 10, 40, "Text")]
    >>> box_recall([Region(0, 0, 10, 9, "table"), Region(0, 20, 10, 30, "Title")], right)
    0.3333333333333333
    """
    pairs = matched(said, truth)
    return None if pairs is None else len(pairs) / len(truth)


@metric("box_map", better="higher", against="regions", source="Lin et al. 2014 (COCO), as pycocotools counts")
def box_map(said: Regions, truth: Regions) -> float | None:
    """Mean average precision over IoU 0.5, 0.55, … 0.95 and over the kinds that the truth has, as COCO scores an image.

    Regions are ranked by the model's own score; where it gives none to one of them, by their order. The first hundred
    of a kind count.

    >>> box_map([Region(0, 0, 10, 10), Region(50, 50, 60, 60)], [Region(0, 0, 10, 8.4)])
    0.7
    """
    import numpy as np

    if len(said) * len(truth) > MOST_PAIRS:
        return None
    if all(region.score is not None for region in said):
        said = sorted(said, key=lambda region: -(region.score or 0))
    kinds = _kinds(truth)
    named = _kinds(said) if any(kinds) else [""] * len(said)
    found = []
    for kind in sorted(set(kinds)):
        mine = [region for region, each in zip(said, named, strict=True) if each == kind][:100]
        right = [region for region, each in zip(truth, kinds, strict=True) if each == kind]
        overlaps = _overlaps(mine, right)
        found += [_average_precision(overlaps, step / 100) for step in range(50, 100, 5)]
    return float(np.mean(found))


@metric(
    "box_iou", better="higher", against="regions", source="Yu et al. 2016 (RefCOCO), several boxes matched one to one"
)
def box_iou(said: Regions, truth: Regions) -> float | None:
    """Mean IoU of the regions and the right ones, matched one to one as well as can be; one too many or too few adds 0.

    Kinds do not matter. None for more than 40,000 pairs.

    >>> box_iou([Region(0, 0, 10, 10)], [Region(0, 0, 10, 5)])
    0.5
    >>> box_iou([Region(0, 0, 10, 10), Region(20, 0, 30, 10)], [Region(20, 0, 30, 10)])
    0.5
    """
    if len(said) * len(truth) > MOST_ASSIGNED:
        return None
    from benchmarks.metrics.matching.assignment import best_sum

    return best_sum(_overlaps(said, truth)) / max(len(said), len(truth)) if said else 0.0


@metric("reading_order", better="lower", against="regions", source="Ouyang et al. 2025 (OmniDocBench)")
def reading_order(said: Regions, truth: Regions) -> float | None:
    """Edits that turn the order in which the answer lists the found regions into the right one, per right region.

    A region that is not found is an edit; those that nobody asked for are left out.

    >>> page = [Region(0, 0, 10, 10), Region(0, 10, 10, 20), Region(0, 20, 10, 30)]
    >>> reading_order(page[:2], page), reading_order([page[2], page[0], page[1]], page)
    (0.3333333333333333, 0.6666666666666666)
    """
    pairs = matched(said, truth)
    if pairs is None:
        return None
    return Levenshtein.distance([place for _, place in sorted(pairs)], range(len(truth))) / len(truth)


def matched(said: Regions, truth: Regions) -> list[tuple[int, int]] | None:
    """Places of the regions that found each other, in `said` and in `truth`; None where there are too many to look."""
    import numpy as np

    if len(said) * len(truth) > MOST_PAIRS:
        return None
    overlaps = _overlaps(said, truth)
    kinds = _kinds(truth)
    if any(kinds) and said:
        overlaps[np.array(_kinds(said), dtype=object)[:, None] != np.array(kinds, dtype=object)[None, :]] = 0
    rows, columns = np.nonzero(overlaps >= 0.5)
    best = np.argsort(-overlaps[rows, columns], kind="stable")
    free_rows, free_columns, pairs = set(rows.tolist()), set(columns.tolist()), []
    for row, column in zip(rows[best].tolist(), columns[best].tolist(), strict=True):
        if row in free_rows and column in free_columns:
            free_rows.remove(row)
            free_columns.remove(column)
            pairs.append((row, column))
    return pairs


def _kinds(regions: Regions) -> list[str]:
    return [region.kind.casefold().replace("_", "-").replace(" ", "-") for region in regions]


def _overlaps(one: Regions, two: Regions) -> Numbers:
    """IoU of every region with every other, ``(len(one), len(two))``; 0 for a region of no size."""
    import numpy as np

    def corners(regions: Regions) -> Any:
        flat = np.array([(region.x0, region.y0, region.x1, region.y1) for region in regions], dtype=np.float64)
        return flat.reshape(-1, 4).T

    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = corners(one)[:, :, None], corners(two)[:, None, :]
    width = np.clip(np.minimum(ax1, bx1) - np.maximum(ax0, bx0), 0, None)
    height = np.clip(np.minimum(ay1, by1) - np.maximum(ay0, by0), 0, None)
    both = width * height
    union = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - both
    shares: Numbers = np.divide(both, union, out=np.zeros(both.shape), where=both > 0)
    return shares


def _average_precision(overlaps: Numbers, least: float) -> float:
    """Area under precision by recall at 101 recalls; each region in its rank takes the free right one it covers best.

    overlaps: a row for each region, in the order of the ranks.
    """
    import numpy as np

    free = np.ones(overlaps.shape[1], dtype=bool)
    hits = np.zeros(len(overlaps))
    for rank, row in enumerate(overlaps):
        open_to = np.where(free, row, -1.0)
        # Of equal ones the last, as there.
        best = len(open_to) - 1 - int(np.argmax(open_to[::-1]))
        if open_to[best] >= least:
            free[best] = False
            hits[rank] = 1
    if not hits.any():
        return 0.0
    right = np.cumsum(hits)
    precision = np.maximum.accumulate((right / np.arange(1, len(hits) + 1))[::-1])[::-1]
    places = np.searchsorted(right / len(free), np.linspace(0, 1, 101), side="left")
    return float(np.append(precision, 0.0)[places].mean())
