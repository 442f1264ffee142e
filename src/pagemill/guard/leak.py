"""Judges whether memory leaks: whether what is left right after rotations rises from one to the next. Pure.

A sawtooth is healthy, however high its teeth: only its lowest points count. The slope is Theil and Sen's (the median of
the slopes between all pairs of points), which a fifth of wild points cannot move; that it rises at all is Kendall's
test: far more pairs rise than fall.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

_FEWEST_POINTS = 8
_KEPT_POINTS = 40
_SURE_Z = 2.58
"""Kendall's statistic in standard deviations: one false alarm in 200 looks at memory that does not leak."""
_GOES_ON = 0.5
"""The share of the whole slope that the later half must have: what settles has less."""
SMALLEST_MB_PER_VISIT = 0.005
"""Growth below 5 MB in 1,000 visits is not worth a word: rotation and daily restarts outrun it."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one role held right after a rotation. `visits` and `at_s` only ever rise."""

    visits: int
    at_s: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Leak:
    """A verdict: this role grows while that platform is at work."""

    role: str
    platform: str
    mb_per_visit: float
    visits_left: int
    """Until the limit is reached at this slope."""
    minutes_left: float
    """The same at the pace of the points looked at."""


def slope(points: Sequence[Baseline]) -> float:
    """Theil and Sen's slope in MB per visit; 0 with fewer than two different counts of visits."""
    slopes = [
        (later.megabytes - earlier.megabytes) / (later.visits - earlier.visits)
        for earlier, later in combinations(points, 2)
        if later.visits > earlier.visits
    ]
    return median(slopes) if slopes else 0.0


def rises(points: Sequence[Baseline]) -> bool:
    """Whether the points rise beyond chance (Kendall's tau test, normal approximation)."""
    count = len(points)
    score = sum(
        (later.megabytes > earlier.megabytes) - (later.megabytes < earlier.megabytes)
        for earlier, later in combinations(points, 2)
    )
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return score > _SURE_Z * deviation


def judge_leak(
    role: str,
    platform: str,
    points: Sequence[Baseline],
    room_mb: float,
    least_mb_per_visit: float = SMALLEST_MB_PER_VISIT,
) -> Leak | None:
    """The verdict on one series, oldest first; `None`: no leak is shown.

    Args:
        role: whose memory it is.
        platform: what is at work.
        points: what was held, and when.
        room_mb: what is left until the limit.
        least_mb_per_visit: what grows more slowly is no leak.
    """
    points = list(points)
    if len(points) < _FEWEST_POINTS or not rises(points):
        return None
    mb_per_visit = slope(points)
    later_half = points[len(points) // 2 :]
    if mb_per_visit < least_mb_per_visit or slope(later_half) < _GOES_ON * mb_per_visit:
        return None
    visits_left = max(0, math.floor(room_mb / mb_per_visit))
    visits, minutes = points[-1].visits - points[0].visits, (points[-1].at_s - points[0].at_s) / 60
    return Leak(role, platform, mb_per_visit, visits_left, round(visits_left * minutes / visits, 1))


@dataclass(slots=True)
class Baselines:
    """Keeps each role's lowest value between rotations, apart for each platform; a bounded number of points each."""

    series: dict[tuple[str, str], deque[Baseline]] = field(default_factory=dict)
    _lowest: dict[str, Baseline] = field(default_factory=dict)
    _rotations: dict[str, int] = field(default_factory=dict)
    _platform: str = ""

    def add(self, role: str, platform: str, now: Baseline, rotations: int) -> bool:
        """Takes one measurement of a role; whether it completed a point.

        Args:
            role: whose memory it is.
            platform: what is at work; a change of platform begins a new series and drops the tooth that it cuts.
            now: the measurement.
            rotations: how often what this role grows with has been replaced so far.
        """
        if platform != self._platform:
            self._platform = platform
            self._lowest.clear()
        lowest = self._lowest.get(role)
        fresh = rotations != self._rotations.get(role, rotations)
        self._rotations[role] = rotations
        if lowest is None or now.megabytes < lowest.megabytes:
            self._lowest[role] = lowest = now
        if not fresh:
            return False
        self.series.setdefault((role, platform), deque(maxlen=_KEPT_POINTS)).append(lowest)
        del self._lowest[role]
        return True

    def forget(self, but: str) -> None:
        """Begins anew for all roles but one, as after a change of places: fewer hold less, and that is no healing."""
        self.series = {key: points for key, points in self.series.items() if key[0] == but}
        self._lowest = {role: point for role, point in self._lowest.items() if role == but}
