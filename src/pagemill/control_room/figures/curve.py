"""The measurements of one or several workers as a curve of few points. Pure.

Workers measure at different moments. So the time is divided into equal parts. In each part a worker counts with the
mean of its measurements; if it has none there, with that of the part before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from pagemill.fleet.history import Point, mean
from pagemill.fleet.measures import over_workers

MOST_POINTS = 400
_MISSED = 3
"""A worker counts until it has missed this many measurements; after that, another may have taken its place."""
_FIRST_GAP_S = 5.0
"""The assumed interval between a worker's measurements while it has only one."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One part of the time. Sizes, lanes and `items_per_s` are sums over the workers; of fullness, pressure and each
    measure the highest value of a worker counts."""

    at_s: float
    """The time of the part's last measurement, in seconds since 1970."""
    workers: int = 0
    pss_mb: Mapping[str, float] = field(default_factory=dict)
    """By the processes' role."""
    swap_mb: float = 0.0
    js_heap_mb: float = 0.0
    fullness_percent: float = 0.0
    """The highest usage of a worker's own limit, its container and its machine, as the guard judges it."""
    measures: Mapping[str, float] = field(default_factory=dict)
    """By name, see `fleet.measures`; of each the highest value of a worker."""
    lanes: float = 0.0
    pressure: float = 0.0
    items_per_s: float = 0.0
    item_ms: float = 0.0
    """The mean time of a visited product; 0 if none was visited. The shares below are 0 then, too."""
    error_rate: float = 0.0
    block_rate: float = 0.0
    rotations: Mapping[str, int] = field(default_factory=dict)
    """The number of rotations in this part, by level."""

    @property
    def total_pss_mb(self) -> float:
        """The sum over all roles."""
        return sum(self.pss_mb.values())


@dataclass(frozen=True, slots=True)
class _Step:
    """One worker in one part of the time, with what it did since the part before."""

    point: Point
    seconds: float = 0.0
    items: int = 0
    visited: int = 0
    failed: int = 0
    blocked: int = 0
    item_s: float = 0.0
    rotations: Mapping[str, int] = field(default_factory=dict)


def curve(points: Sequence[Point], most: int = MOST_POINTS) -> list[CurvePoint]:
    """At most `most` points, oldest first, from measurements in order of time."""
    if not points:
        return []
    start_s, end_s = points[0].at_s, points[-1].at_s
    width_s = max((end_s - start_s) / most, 0.001)
    parts: list[list[_Step]] = [[] for _ in range(most)]
    by_worker: dict[str, list[Point]] = {}
    for point in points:
        by_worker.setdefault(point.worker, []).append(point)
    for each in by_worker.values():
        grouped: dict[int, list[Point]] = {}
        for point in each:
            grouped.setdefault(min(most - 1, int((point.at_s - start_s) / width_s)), []).append(point)
        is_there = end_s - each[-1].at_s <= max(2 * width_s, _MISSED * _gap_s(each))
        for number, step in _steps(grouped, most - 1 if is_there else max(grouped)):
            parts[number].append(step)
    # If measurements are rarer than the parts, some parts are empty. These are left out.
    measured = {min(most - 1, int((point.at_s - start_s) / width_s)) for point in points}
    return [_together(part) for number, part in enumerate(parts) if part and number in measured]


def _gap_s(points: Sequence[Point]) -> float:
    """The typical interval between a worker's latest measurements, in seconds."""
    latest = points[-6:]
    gaps_s = [after.at_s - before.at_s for before, after in pairwise(latest)]
    return median(gaps_s) if gaps_s else _FIRST_GAP_S


def _steps(grouped: Mapping[int, list[Point]], last: int) -> Iterator[tuple[int, _Step]]:
    before: Point | None = None
    for number in range(min(grouped), last + 1):
        if number in grouped:
            point = mean(grouped[number])
            yield number, _step(before or grouped[number][0], point)
            before = point
        elif before is not None:
            yield number, _Step(before)


def _step(before: Point, point: Point) -> _Step:
    return _Step(
        point=point,
        seconds=point.at_s - before.at_s,
        items=max(0, point.items - before.items),
        visited=max(0, point.visited - before.visited),
        failed=max(0, point.failed - before.failed),
        blocked=max(0, point.blocked - before.blocked),
        item_s=max(0.0, point.item_s - before.item_s),
        rotations={
            level: count - before.rotations.get(level, 0)
            for level, count in point.rotations.items()
            if count > before.rotations.get(level, 0)
        },
    )


def _together(steps: Sequence[_Step]) -> CurvePoint:
    points = [step.point for step in steps]
    sizes: dict[str, float] = {}
    rotations: dict[str, int] = {}
    for step in steps:
        for role, size_mb in step.point.pss_mb.items():
            sizes[role] = round(sizes.get(role, 0.0) + size_mb, 1)
        for level, count in step.rotations.items():
            rotations[level] = rotations.get(level, 0) + count
    items, visited = sum(step.items for step in steps), sum(step.visited for step in steps)
    return CurvePoint(
        at_s=max(point.at_s for point in points),
        workers=len(points),
        pss_mb=dict(sorted(sizes.items())),
        swap_mb=round(sum(point.swap_mb for point in points), 1),
        js_heap_mb=round(sum(point.js_heap_mb or 0.0 for point in points), 1),
        fullness_percent=max(_fullness_percent(point) for point in points),
        measures=over_workers([point.measures for point in points]),
        lanes=round(sum(point.lanes for point in points), 1),
        pressure=max(point.pressure for point in points),
        items_per_s=round(sum(step.items / step.seconds for step in steps if step.seconds > 0), 3),
        item_ms=round(1000 * sum(step.item_s for step in steps) / visited, 1) if visited else 0.0,
        error_rate=round(sum(step.failed for step in steps) / items, 4) if items else 0.0,
        block_rate=round(sum(step.blocked for step in steps) / items, 4) if items else 0.0,
        rotations=dict(sorted(rotations.items())),
    )


def _fullness_percent(point: Point) -> float:
    own = [point.measures.get(name, 0.0) for name in ("memory_percent", "cgroup_percent")]
    return max(*own, point.machine_percent)
