"""Foresees when a rising value reaches its limit. Pure; the rule `memory_minutes_left` lives on it.

Memory that is rotated has the shape of a saw, and that is healthy: only what follows the last fall counts, and only
above what earlier teeth reached and were set back from. The slope is Theil and Sen's (the median of the slopes between
all pairs of points), which wild points cannot move. A step is no slope: each third must rise by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

_FALL_PERCENT = 8.0
"""A drop by so much is a rotation's; less is the noise of pages that come and go."""
_FEWEST_POINTS = 12
_LEAST_MINUTES = 10.0
_LEAST_RISE_PERCENT = 5.0
_MOST_POINTS = 60
"""More are gathered into so many medians: pairs grow with the square."""
_STEADY = 0.25
"""The share of the whole slope that each third must have."""


@dataclass(frozen=True, slots=True)
class SlopePoint:
    """One value at one moment."""

    at_s: float
    percent: float


def minutes_left(points: Sequence[SlopePoint], limit_percent: float = 100.0) -> float:
    """Minutes from the last point until the limit, at the present slope.

    Args:
        points: by time, such as those of the last hour; with ten minutes of them or less nothing is foreseen.
        limit_percent: what must not be reached.

    Returns:
        Infinite when nothing speaks for it: too little is known, or it does not rise steadily.
    """
    *earlier, tooth = list(_teeth(_gathered(points))) or [[]]
    now_percent = median(point.percent for point in tooth[-3:]) if tooth else 0.0
    if earlier and now_percent <= max(point.percent for each in earlier for point in each):
        return math.inf
    # What began lately shows in the latest part only.
    for parts in (1, 2, 4):
        slope = _steady_rise(tooth[-(len(tooth) // parts) :])
        if slope > 0:
            return max(0.0, (limit_percent - now_percent) / slope)
    return math.inf


def _steady_rise(points: Sequence[SlopePoint]) -> float:
    """The slope of points that rise beyond doubt, else 0."""
    if len(points) < _FEWEST_POINTS:
        return 0.0
    minutes = (points[-1].at_s - points[0].at_s) / 60
    slope = _slope(points)
    if minutes < _LEAST_MINUTES or slope * minutes < _LEAST_RISE_PERCENT:
        return 0.0
    return slope if all(_slope(third) >= _STEADY * slope for third in _thirds(points)) else 0.0


def _gathered(points: Sequence[SlopePoint]) -> list[SlopePoint]:
    """At most so many points, each the median of its neighbours in time."""
    size = math.ceil(len(points) / _MOST_POINTS)
    if size <= 1:
        return list(points)
    groups = (points[start : start + size] for start in range(0, len(points), size))
    return [
        SlopePoint(median(point.at_s for point in group), median(point.percent for point in group)) for group in groups
    ]


def _teeth(points: Sequence[SlopePoint]) -> Iterator[list[SlopePoint]]:
    """The points, parted where the value falls from its peak; a tooth begins at the lowest point after the fall."""
    tooth: list[SlopePoint] = []
    for point in points:
        if tooth and point.percent < max(each.percent for each in tooth) - _FALL_PERCENT:
            yield tooth
            tooth = []
        elif len(tooth) < _FEWEST_POINTS and tooth and point.percent < min(each.percent for each in tooth):
            tooth = []  # the fall goes on
        tooth.append(point)
    if tooth:
        yield tooth


def _slope(points: Sequence[SlopePoint]) -> float:
    """Theil and Sen's, in percent per minute; 0 without two different moments."""
    slopes = [
        60 * (later.percent - earlier.percent) / (later.at_s - earlier.at_s)
        for earlier, later in combinations(points, 2)
        if later.at_s > earlier.at_s
    ]
    return median(slopes) if slopes else 0.0


def _thirds(points: Sequence[SlopePoint]) -> Iterator[Sequence[SlopePoint]]:
    size = len(points) / 3
    for number in range(3):
        yield points[round(number * size) : round((number + 1) * size)]
