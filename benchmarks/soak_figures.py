"""What a soak shows, in numbers: an early window of products against the last one. Pure: a course in, figures out."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.workshop import Course, FreshTurn, MemorySample

MOST_GROWTH = 1.05
"""Median memory at the end may be so many times the one at the beginning."""
LEAST_SPEED = 0.95
"""And items per second so many times those at the beginning."""
LEAST_CONTROL_GROWTH = 1.2
"""Without rotation memory must grow at least so many times: otherwise the soak could not fail. Visits get so slow then,
within 50 on a page, that a control ends long before it has grown as far as it would."""
LONG_RUN = 3000
_POINTS = 50


@dataclass(frozen=True, slots=True)
class Window:
    """Products by the order in which they were done: from `first`, before `end`."""

    first: int
    end: int

    def __str__(self) -> str:
        return f"{self.first}-{self.end}"


@dataclass(frozen=True, slots=True)
class Windows:
    """What is compared with `late`: `warm` for memory, `early` for speed."""

    warm: Window
    early: Window
    late: Window


@dataclass(frozen=True, slots=True)
class Memory:
    """PSS in one window, in MB. Each role has its mean: means add up to the whole, medians do not."""

    window: str
    median_mb: float
    mean_mb: float
    by_role_mb: Mapping[str, float]
    samples: int


@dataclass(frozen=True, slots=True)
class Point:
    """Memory by role around the moment at which so many products were done."""

    products: int
    seconds: float
    by_role_mb: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """One run's figures. Ratios are late against early."""

    products: int
    lanes: int
    leak_kb: int
    rotates: bool
    seconds: float
    warm: Memory
    late: Memory
    memory_ratio: float
    """Of the medians."""
    peak_mb: float
    early_per_s: float
    late_per_s: float
    speed_ratio: float
    """Of a run with turns: of the worker against a fresh one at the same time, over the later half of the turns."""
    turns: tuple[FreshTurn, ...]
    rotations: Mapping[str, int]
    timeouts: int
    missing: int
    wrong: tuple[str, ...]
    ended: str
    growth: tuple[Point, ...]


def windows(done: int, cycle: int = 1) -> Windows:
    """In a long run products 500-1500 (memory) and 0-1000 (speed) against the last 1000; in a short one two windows of
    at least a quarter each.

    Args:
        done: products that are done.
        cycle: how many it takes until every context has been replaced. Memory rises and falls with it, so a short run
            is looked at in whole cycles, as far as there are two; its first eighth is left out: a cold start is no
            yardstick.
    """
    if done >= LONG_RUN:
        return Windows(Window(500, 1500), Window(0, 1000), Window(done - 1000, done))
    width = -(-done // 4 // cycle) * cycle
    width = min(max(width, 1), max(1, (done - done // 8) // 2))
    first = Window(done // 8, done // 8 + width)
    return Windows(first, first, Window(done - width, done))


def windows_of(course: Course) -> Windows:
    """The windows of that run."""
    plan = course.plan
    return windows(len(course.finished_s), plan.lanes * plan.context_uses if plan.rotates else 1)


def figures(course: Course) -> Figures:
    """Sums a run up.

    Raises:
        ValueError: it is too short: a window has no sample.
    """
    compared = windows_of(course)
    warm, late = (_memory(course, window) for window in (compared.warm, compared.late))
    early_per_s, late_per_s = (_per_s(course, window) for window in (compared.early, compared.late))
    return Figures(
        products=course.plan.products,
        lanes=course.plan.lanes,
        leak_kb=course.plan.leak_kb,
        rotates=course.plan.rotates,
        seconds=round(course.finished_s[-1], 1),
        warm=warm,
        late=late,
        memory_ratio=round(late.median_mb / warm.median_mb, 3),
        peak_mb=round(max(sample.total_mb for sample in course.samples), 1),
        early_per_s=round(early_per_s, 2),
        late_per_s=round(late_per_s, 2),
        speed_ratio=round(speed_beside_fresh(course.turns) if course.turns else late_per_s / early_per_s, 3),
        turns=course.turns,
        rotations={level: len(times) for level, times in course.rotations.items()},
        timeouts=course.timeouts,
        missing=course.missing,
        wrong=course.wrong,
        ended=course.ended,
        growth=_growth(course),
    )


def speed_beside_fresh(turns: Sequence[FreshTurn]) -> float:
    """The median ratio of the later half of the turns."""
    return statistics.median(turn.old_per_s / turn.fresh_per_s for turn in turns[len(turns) // 2 :])


def misses(found: Figures) -> list[str]:
    """What is not as it must be, in words; a run without rotation must grow, and need not do anything else."""
    if not found.rotates:
        if found.memory_ratio >= LEAST_CONTROL_GROWTH:
            return []
        return [f"without rotation memory grew {found.memory_ratio} times, less than {LEAST_CONTROL_GROWTH}: no test"]
    said = []
    if found.ended:
        said.append(found.ended)
    if found.missing:
        said.append(f"{found.missing} products have no result")
    if found.wrong:
        said.append(f"{len(found.wrong)} wrong verdicts, the first: {found.wrong[0]}")
    if found.memory_ratio > MOST_GROWTH:
        said.append(f"memory grew {found.memory_ratio} times, more than {MOST_GROWTH}")
    if found.speed_ratio < LEAST_SPEED:
        what = "a fresh worker's" if found.turns else "what it was"
        said.append(f"speed fell to {found.speed_ratio} of {what}, below {LEAST_SPEED}")
    return said


def _between(course: Course, window: Window) -> list[MemorySample]:
    start_s, end_s = course.finished_s[window.first], course.finished_s[window.end - 1]
    return [sample for sample in course.samples if start_s <= sample.at_s <= end_s]


def _memory(course: Course, window: Window) -> Memory:
    samples = _between(course, window)
    if not samples:
        raise ValueError(f"no memory sample while products {window} were done: take more products")
    totals = [sample.total_mb for sample in samples]
    return Memory(
        window=str(window),
        median_mb=round(statistics.median(totals), 1),
        mean_mb=round(statistics.fmean(totals), 1),
        by_role_mb=_by_role(samples),
        samples=len(samples),
    )


def _by_role(samples: list[MemorySample]) -> dict[str, float]:
    roles = sorted({role for sample in samples for role in sample.pss_mb})
    return {role: round(statistics.fmean(sample.pss_mb.get(role, 0.0) for sample in samples), 1) for role in roles}


def _per_s(course: Course, window: Window) -> float:
    start_s = course.finished_s[window.first - 1] if window.first else 0.0
    return (window.end - window.first) / (course.finished_s[window.end - 1] - start_s)


def _growth(course: Course) -> tuple[Point, ...]:
    """The whole run in up to `_POINTS` groups of samples that follow each other."""
    while_working = [sample for sample in course.samples if 0 <= sample.at_s <= course.finished_s[-1]]
    size = -(-len(while_working) // _POINTS)
    points = []
    for first in range(0, len(while_working), max(1, size)):
        group = while_working[first : first + size]
        middle_s = group[len(group) // 2].at_s
        points.append(Point(bisect_right(course.finished_s, middle_s), round(middle_s, 1), _by_role(group)))
    return tuple(points)
