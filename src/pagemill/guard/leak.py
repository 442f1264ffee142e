"""Judges whether a process leaks memory. Pure.

Memory rises while pages are used and falls when they are rotated; that is healthy. A leak is memory that a rotation
does not give back. So only the lowest value between two rotations is kept, and a leak is shown when these values rise
from one rotation to the next. How fast is told by `theil_sen`, which outliers do not change. Whether they rise at all,
and not by chance, is Kendall's test: far more pairs rise than fall.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from pagemill.theil_sen import theil_sen

_FEWEST_POINTS = 8
_KEPT_POINTS = 40
_SURE_Z = 2.58
"""The threshold of Kendall's test in standard deviations. Memory that does not leak passes it in one look of 200."""
_GOES_ON = 0.5
"""The later half must rise at least at this share of the whole slope. Memory that settles does not."""
SMALLEST_MB_PER_VISIT = 0.005
"""Slower growth, below 5 MB in 1,000 visits, is not reported: a daily restart is enough against it."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The lowest memory of one role between two rotations: after how many visits, and when. Both only rise."""

    visits: int
    at_s: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Leak:
    """The finding that a role's memory grows while a platform is visited."""

    role: str
    platform: str
    mb_per_visit: float
    visits_left: int
    """Visits until the limit is reached."""
    minutes_left: float
    """Minutes until then, at the pace of the visits that were looked at."""


def slope(points: Sequence[Baseline]) -> float:
    """The slope, in MB for each visit."""
    return theil_sen([(point.visits, point.megabytes) for point in points])


def rises(points: Sequence[Baseline]) -> bool:
    """Whether the points rise more than chance would make them (Kendall's tau test, normal approximation)."""
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
    """The leak that these values show; `None` if they show none.

    Args:
        role: whose memory it is, such as the browser's.
        platform: the platform that was visited meanwhile.
        points: the values, oldest first.
        room_mb: megabytes until the limit.
        least_mb_per_visit: slower growth is no leak.
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
    """Keeps the lowest value between rotations: for each role and platform the last 40."""

    series: dict[tuple[str, str], deque[Baseline]] = field(default_factory=dict)
    _lowest: dict[str, Baseline] = field(default_factory=dict)
    _rotations: dict[str, int] = field(default_factory=dict)
    _platform: str = ""

    def add(self, role: str, platform: str, now: Baseline, rotations: int) -> bool:
        """Takes one measurement of a role. `True` when a rotation has completed a value.

        Args:
            role: whose memory it is.
            platform: the platform that is visited. When it changes, the value that was not complete is dropped.
            now: the measurement.
            rotations: how many rotations there have been of what this role grows with.
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
        """Forgets the values of all roles but one. Call it when the number of lanes changes: fewer lanes hold less
        memory, and that says nothing about a leak."""
        self.series = {key: points for key, points in self.series.items() if key[0] == but}
        self._lowest = {role: point for role, point in self._lowest.items() if role == but}
