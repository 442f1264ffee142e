"""Draws runs: memory by role, speed with lanes, rotations. One column for each run, all with the same scales."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.soak_figures import Figures, windows_of
from benchmarks.workshop import LEVELS, Course

_ROLES = ("python", "driver", "browser", "gpu", "utility", "renderers", "other")
_ROLE_COLOURS = ("#4c72b0", "#55a868", "#8172b3", "#937860", "#ccb974", "#dd8452", "#8c8c8c")
_LEVEL_COLOURS = {"page": "#dd8452", "context": "#c44e52", "browser": "#8172b3", "driver": "#55a868"}
_SPEED_STEPS = 60
_COLUMN_INCHES = 9.0
_ROOM_FOR_LEGEND = 1.35


def draw(courses: Sequence[tuple[Course, Figures]], file: Path) -> None:
    """Writes a PNG; no display is needed."""
    figure = Figure(figsize=(_COLUMN_INCHES * len(courses), 11), layout="constrained")
    grid = figure.subplots(3, len(courses), sharey="row", squeeze=False, height_ratios=[3, 2, 2])
    for column, (course, found) in enumerate(courses):
        memory, speed, rotations = (row[column] for row in grid)
        _draw_memory(memory, course, found)
        _draw_speed(speed, course)
        _draw_rotations(rotations, course)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)


def _minutes(times_s: Sequence[float]) -> list[float]:
    return [time_s / 60 for time_s in times_s]


def _draw_memory(axes: Axes, course: Course, found: Figures) -> None:
    minutes = _minutes([sample.at_s for sample in course.samples])
    present = {role for sample in course.samples for role in sample.pss_mb}
    shown = [(role, colour) for role, colour in zip(_ROLES, _ROLE_COLOURS, strict=True) if role in present]
    layers = [[sample.pss_mb.get(role, 0.0) for sample in course.samples] for role, _ in shown]
    axes.stackplot(
        minutes, layers, labels=[role for role, _ in shown], colors=[colour for _, colour in shown], alpha=0.9
    )
    for level in ("browser", "driver"):
        for number, minute in enumerate(_minutes(course.rotations[level])):
            label = f"{level} replaced" if number == 0 else None
            axes.axvline(minute, color=_LEVEL_COLOURS[level], linestyle="--", linewidth=1, label=label)
    compared = windows_of(course)
    for window, memory in ((compared.warm, found.warm), (compared.late, found.late)):
        start, end = _minutes([course.finished_s[window.first], course.finished_s[window.end - 1]])
        label = f"median of products {memory.window}: {memory.median_mb:.0f} MB"
        axes.hlines(memory.median_mb, start, end, color="black", linewidth=2, label=label)
    plan = course.plan
    way = "with rotation" if plan.rotates else "nothing is ever replaced"
    axes.set_title(
        f"{len(course.finished_s):,} products, {plan.lanes} lanes, pages that leak {plan.leak_kb} KB, {way}\n"
        f"Memory by role: last against early {found.memory_ratio:.2f}, speed {found.speed_ratio:.2f}"
    )
    axes.set_ylabel("PSS (MB)")
    axes.set_ylim(0, max(axes.get_ylim()[1], _ROOM_FOR_LEGEND * found.peak_mb))
    axes.set_xlabel("minutes of work since the first visit")
    axes.set_xlim(0, course.finished_s[-1] / 60)
    axes.tick_params(labelleft=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=8, ncols=2)


def _draw_speed(axes: Axes, course: Course) -> None:
    step_s = course.finished_s[-1] / _SPEED_STEPS
    edges_s = [number * step_s for number in range(_SPEED_STEPS + 1)]
    done = [bisect_left(course.finished_s, edge_s) for edge_s in edges_s]
    rates = [(after - before) / step_s for before, after in pairwise(done)]
    axes.stairs(rates, _minutes(edges_s), color="#4c72b0", linewidth=1.5, baseline=None, label="items per second")
    minutes = _minutes([sample.at_s for sample in course.samples])
    lanes = [sample.lanes for sample in course.samples]
    axes.plot(minutes, lanes, ".", color="#937860", markersize=2, label="lanes that hold a page")
    if course.turns:
        at = [course.finished_s[min(turn.done, len(course.finished_s)) - 1] / 60 for turn in course.turns]
        axes.plot(at, [turn.old_per_s for turn in course.turns], "o", color="#4c72b0", label="this worker's turn")
        axes.plot(at, [turn.fresh_per_s for turn in course.turns], "x", color="#c44e52", label="a fresh worker's turn")
    axes.set_title("Speed and lanes")
    axes.set_ylabel("items/s; lanes")
    axes.set_xlabel("minutes since the first visit")
    axes.set_xlim(0, course.finished_s[-1] / 60)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelleft=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", fontsize=8)


def _draw_rotations(axes: Axes, course: Course) -> None:
    end = course.finished_s[-1] / 60
    for level in LEVELS:
        minutes = [minute for minute in _minutes(course.rotations[level]) if minute <= end]
        counts = list(range(1, len(minutes) + 1))
        steps, heights = [*minutes, end], [*counts, len(counts)]
        axes.step(steps, heights, where="post", color=_LEVEL_COLOURS[level], label=f"{level}: {len(counts):,}")
    axes.set_yscale("symlog", linthresh=10)
    axes.set_title("Rotations so far, by level")
    axes.set_ylabel("rotations")
    axes.set_xlabel("minutes since the first visit")
    axes.set_xlim(0, end)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelleft=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=8)
