"""The slope of a row of points, which outliers hardly change (Theil-Sen estimator). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import median


def theil_sen(points: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between all pairs of points. Up to 29 % of the points may be outliers.

    Args:
        points: x and y of each; x must not fall.

    Returns:
        The slope in units of y per unit of x; 0 with fewer than two different x.
    """
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x2 > x1]
    return median(slopes) if slopes else 0.0
