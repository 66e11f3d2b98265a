"""How figures grow with a size: a curve for every row of a measurement, both axes logarithmic, as SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from benchmarks.speed.rows import Row

COLOURS = ("#2f5bd0", "#b3530b", "#00795c", "#a63d87", "#7a6a00", "#1f7fa8", "#5f6470", "#7d4a2b")
MARKERS = "os^DvPX*"


def draw(rows: Sequence[Row]) -> str:
    """A plane for every pair of axes; the dashed line in it grows as fast as the size."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    look: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "growth",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#d8dbe2",
        "grid.linewidth": 0.6,
    }
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.points:
            groups.setdefault(row.axes, []).append(row)
    with mpl.rc_context(look):
        figure = Figure(figsize=(5.2 * len(groups), 3.6 + 0.2 * max(map(len, groups.values()))), layout="constrained")
        for place, (titles, chosen) in enumerate(groups.items()):
            axes = figure.add_subplot(1, len(groups), place + 1)
            for number, row in enumerate(chosen):
                style: Any = {"color": COLOURS[number % 8], "marker": MARKERS[number % 8], "markersize": 4}
                axes.plot(*zip(*row.points, strict=True), label=row.name, **style)
            (first, low), (last, _) = chosen[0].points[0], chosen[0].points[-1]
            axes.plot((first, last), (low, low * last / first), color="#9aa0ac", linestyle="--", linewidth=1)
            axes.set(xscale="log", yscale="log", xlabel=titles[0], ylabel=titles[1])
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), fontsize=8, frameon=False)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"(\d+\.\d\d)\d+", r"\1", out.getvalue())
