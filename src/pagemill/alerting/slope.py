"""Estimates in how many minutes a rising percentage reaches its limit. Pure. The alert `memory_minutes_left` uses it.

Memory of a healthy worker rises between rotations and falls at each one. So only the points after the last fall count,
and only if they are higher than any point before it. Single outliers do not change the slope (`theil_sen`). A single
step is no leak, so each third of the points must rise.

A leak may also rise in jumps, with flat stretches between them. So the peaks of six longer stretches are compared as
well: two steps up count, one does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from pagemill.theil_sen import theil_sen

_FALL_PERCENT = 8.0
"""A fall of at least so many percentage points is a rotation. Smaller ones are pages that open and close."""
_FEWEST_POINTS = 12
_LEAST_MINUTES = 10.0
_LEAST_RISE_PERCENT = 5.0
_MOST_POINTS = 60
"""More points are reduced to this many medians, because the number of pairs grows with the square."""
_STEADY = 0.25
"""The least slope of each third, as a share of the whole slope."""
_STRETCHES = 6
_LEAST_JUMPING_MINUTES = 30.0
_LEAST_JUMPED_PERCENT = 8.0
_FEWEST_RISES = 12
"""Rising pairs out of the 15 pairs of six stretches. One step makes at most 9; two regular steps make 12."""


@dataclass(frozen=True, slots=True)
class SlopePoint:
    """One value at one moment."""

    at_s: float
    percent: float


def minutes_left(points: Sequence[SlopePoint], limit_percent: float = 100.0) -> float:
    """Minutes from the last point until the limit, if the value goes on rising as it does.

    Args:
        points: in the order of time, for example those of the last hour. At least ten minutes of them are needed.
        limit_percent: the value that must not be reached.

    Returns:
        Infinite if there are too few points, or if they do not rise steadily.
    """
    return min(_steadily(points, limit_percent), _in_jumps(points, limit_percent))


def _steadily(points: Sequence[SlopePoint], limit_percent: float) -> float:
    """Minutes left by the slope of the points after the last fall."""
    *earlier, tooth = list(_teeth(_gathered(points))) or [[]]
    now_percent = median(point.percent for point in tooth[-3:]) if tooth else 0.0
    if earlier and now_percent <= max(point.percent for each in earlier for point in each):
        return math.inf
    # A rise that began recently shows only in the latest half or quarter.
    for parts in (1, 2, 4):
        slope = _steady_rise(tooth[-(len(tooth) // parts) :])
        if slope > 0:
            return max(0.0, (limit_percent - now_percent) / slope)
    return math.inf


def _in_jumps(points: Sequence[SlopePoint], limit_percent: float) -> float:
    """Minutes left by the peaks of six stretches of equal time, if both the peaks and the medians rise."""
    if len(points) < 2 * _FEWEST_POINTS:
        return math.inf
    minutes = (points[-1].at_s - points[0].at_s) / 60
    if minutes < _LEAST_JUMPING_MINUTES:
        return math.inf
    stretches: list[list[SlopePoint]] = [[] for _ in range(_STRETCHES)]
    for point in points:
        number = int((point.at_s - points[0].at_s) / 60 / minutes * _STRETCHES)
        stretches[min(number, _STRETCHES - 1)].append(point)
    if not all(stretches):
        return math.inf
    peaks = [max(stretch, key=lambda point: point.percent) for stretch in stretches]
    middles = [
        SlopePoint(median(point.at_s for point in stretch), median(point.percent for point in stretch))
        for stretch in stretches
    ]
    rises = sum(later.percent > earlier.percent for earlier, later in combinations(peaks, 2))
    slope = _slope(peaks)
    if (
        rises < _FEWEST_RISES
        or peaks[-1].percent - peaks[0].percent < _LEAST_JUMPED_PERCENT
        or _slope(middles) < _STEADY * slope
    ):
        return math.inf
    return max(0.0, (limit_percent - peaks[-1].percent) / slope)


def _steady_rise(points: Sequence[SlopePoint]) -> float:
    """The slope in percent per minute; 0 if the points do not rise long, far and evenly enough."""
    if len(points) < _FEWEST_POINTS:
        return 0.0
    minutes = (points[-1].at_s - points[0].at_s) / 60
    slope = _slope(points)
    if minutes < _LEAST_MINUTES or slope * minutes < _LEAST_RISE_PERCENT:
        return 0.0
    return slope if all(_slope(third) >= _STEADY * slope for third in _thirds(points)) else 0.0


def _gathered(points: Sequence[SlopePoint]) -> list[SlopePoint]:
    """At most `_MOST_POINTS` points: neighbours in time become their median."""
    size = math.ceil(len(points) / _MOST_POINTS)
    if size <= 1:
        return list(points)
    groups = (points[start : start + size] for start in range(0, len(points), size))
    return [
        SlopePoint(median(point.at_s for point in group), median(point.percent for point in group)) for group in groups
    ]


def _teeth(points: Sequence[SlopePoint]) -> Iterator[list[SlopePoint]]:
    """The points, cut at each fall. A part, called a tooth, begins at the lowest point after the fall."""
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
    """In percent per minute."""
    return 60 * theil_sen([(point.at_s, point.percent) for point in points])


def _thirds(points: Sequence[SlopePoint]) -> Iterator[Sequence[SlopePoint]]:
    size = len(points) / 3
    for number in range(3):
        yield points[round(number * size) : round((number + 1) * size)]
