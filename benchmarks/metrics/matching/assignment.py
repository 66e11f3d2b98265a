"""The best one-to-one matching of two groups, after Kuhn 1955 and Jonker and Volgenant 1987."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_sum(gains: NDArray[np.float64]) -> float:
    """The largest sum of gains when every row and every column is matched at most once; gains are not negative.

    Time grows with the cube of the shorter side's length.

    >>> best_sum(np.array([[0.9, 0.8], [0.8, 0.1]]))
    1.6
    """
    if gains.shape[0] > gains.shape[1]:
        gains = gains.T
    costs = -gains
    rows, columns = costs.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns + 1)
    owner = np.full(columns + 1, -1)  # the row that each column is matched with; the last column stands for none
    for row in range(rows):
        owner[-1], column = row, columns
        distance, came_from = np.full(columns, np.inf), np.full(columns, columns)
        done = np.zeros(columns + 1, dtype=bool)
        while owner[column] >= 0:
            done[column] = True
            current = owner[column]
            reduced = costs[current] - row_price[current] - column_price[:-1]
            nearer = ~done[:-1] & (reduced < distance)
            distance[nearer], came_from[nearer] = reduced[nearer], column
            following = int(np.argmin(np.where(done[:-1], np.inf, distance)))
            step = distance[following]
            row_price[owner[done]] += step
            column_price[done] -= step
            distance[~done[:-1]] -= step
            column = following
        while column != columns:
            owner[column] = owner[came_from[column]]
            column = came_from[column]
    taken = np.nonzero(owner[:-1] >= 0)[0]
    return float(gains[owner[taken], taken].sum())
