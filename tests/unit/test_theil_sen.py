"""Holds the slope that wild points cannot move."""

from __future__ import annotations

import pytest

from pagemill.theil_sen import theil_sen


@pytest.mark.parametrize(
    ("points", "slope"),
    [
        ([(0, 1), (1, 3), (2, 5)], 2),
        ([(0, 1), (1, 3), (2, 1000), (3, 7), (4, 9)], 2),
        ([(0, 1), (0, 9), (2, 5)], 0),
        ([(4, 1), (4, 9)], 0),
        ([(1, 1)], 0),
        ([], 0),
    ],
)
def test_the_slope_is_the_median_of_all_pairs(points: list[tuple[float, float]], slope: float) -> None:
    assert theil_sen(points) == slope
