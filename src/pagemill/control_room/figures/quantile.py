"""A quantile of values that are known by their counts in classes only. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def quantile(classes: Iterable[tuple[float, float, int]], share: float) -> float:
    """What that share of the values did not exceed; an estimate, for within a class values count as spread evenly.

    Args:
        classes: lower bound, upper bound and count of each, ascending and without gaps where something was counted.
        share: from 0 to 1.

    Returns:
        In the unit of the bounds; 0 where nothing was counted.
    """
    counted = [each for each in classes if each[2]]
    wanted = share * sum(count for *_, count in counted)
    passed = 0
    for low, high, count in counted:
        if passed + count >= wanted:
            return low + (high - low) * (wanted - passed) / count
        passed += count
    return 0.0
