"""A quantile of values of which only the counts per class are known. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def quantile(classes: Iterable[tuple[float, float, int]], share: float) -> float:
    """The value that this share of the values did not exceed: an estimate that spreads the values evenly in each class.

    Args:
        classes: lower bound, upper bound and count of each class, ascending. Only empty classes may be left out.
        share: from 0 to 1.

    Returns:
        A value in the bounds' unit; 0 if nothing was counted.
    """
    counted = [each for each in classes if each[2]]
    wanted = share * sum(count for *_, count in counted)
    passed = 0
    for low, high, count in counted:
        if passed + count >= wanted:
            return low + (high - low) * (wanted - passed) / count
        passed += count
    return 0.0
