"""The soak's figures and limits: made-up runs of which the figures are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.soak_figures import Window, figures, misses, windows
from benchmarks.workshop import LEVELS, Course, FreshTurn, MemorySample, Plan


def course(products: int = 4000, *, grows_to: float = 1.0, slows_to: float = 1.0, rotates: bool = True) -> Course:
    """Ten items a second; memory and speed change evenly towards what they are in the end."""
    times, now_s = [], 0.0
    for number in range(products):
        now_s += 0.1 / (1 + (slows_to - 1) * number / products)
        times.append(now_s)
    samples = []
    for second in range(int(now_s)):
        whole_mb = 500 * (1 + (grows_to - 1) * second / now_s)
        samples.append(MemorySample(float(second), {"python": 0.2 * whole_mb, "renderers": 0.8 * whole_mb}, 4))
    return Course(
        plan=Plan(products, rotates=rotates),
        finished_s=tuple(times),
        samples=tuple(samples),
        rotations=dict.fromkeys(LEVELS, (1.0,)),
        timeouts=0,
        missing=0,
        wrong=(),
        ended="",
    )


def test_a_flat_run_keeps_every_limit() -> None:
    """Ratios of 1, and the roles add up to the whole."""
    found = figures(course())
    assert (found.memory_ratio, found.speed_ratio) == pytest.approx((1.0, 1.0), abs=0.01)
    assert found.warm.by_role_mb == pytest.approx({"python": 100.0, "renderers": 400.0})
    assert found.growth[-1].products == pytest.approx(4000, abs=100)
    assert misses(found) == []


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (course(grows_to=1.3), "memory grew"),
        (course(slows_to=0.7), "speed fell"),
        (replace(course(), missing=1), "1 products have no result"),
        (replace(course(), wrong=("h-1: gone",)), "1 wrong verdicts, the first: h-1: gone"),
        (replace(course(), ended="the worker ended with code 70"), "ended with code 70"),
    ],
)
def test_each_limit_can_be_missed(run: Course, said: str) -> None:
    """One fault, one complaint."""
    (miss,) = misses(figures(run))
    assert said in miss


@pytest.mark.parametrize(
    ("old_per_s", "complaints"), [((10.0, 10.0, 9.8, 9.9), 0), ((10.0, 10.0, 8.0, 9.0), 1), ((5.0, 5.0, 9.8, 9.9), 0)]
)
def test_beside_a_fresh_worker_the_machines_own_speed_counts_for_nothing(
    old_per_s: tuple[float, ...], complaints: int
) -> None:
    """The run's end is twice as slow as its beginning, and so is the fresh worker's."""
    turns = tuple(FreshTurn(1000 * (number + 1), rate, 10.0) for number, rate in enumerate(old_per_s))
    assert len(misses(figures(replace(course(slows_to=0.5), turns=turns)))) == complaints


@pytest.mark.parametrize(("grows_to", "complaints"), [(1.0, 1), (3.0, 0)])
def test_a_run_without_rotation_must_grow(grows_to: float, complaints: int) -> None:
    """The control is there to show that the soak could fail; how slow it gets is no matter."""
    assert len(misses(figures(course(400, grows_to=grows_to, slows_to=0.3, rotates=False)))) == complaints


@pytest.mark.parametrize(
    ("done", "cycle", "warm", "early", "late"),
    [
        (10_000, 200, Window(500, 1500), Window(0, 1000), Window(9000, 10_000)),
        (480, 80, Window(60, 220), Window(60, 220), Window(320, 480)),
        (600, 200, Window(75, 275), Window(75, 275), Window(400, 600)),
        (240, 1, Window(30, 90), Window(30, 90), Window(180, 240)),
        (100, 200, Window(12, 56), Window(12, 56), Window(56, 100)),
    ],
)
def test_windows_are_whole_cycles_and_do_not_overlap(
    done: int, cycle: int, warm: Window, early: Window, late: Window
) -> None:
    """Memory rises and falls with the contexts' rotation; half a cycle would compare a hill with a valley."""
    found = windows(done, cycle)
    assert (found.warm, found.early, found.late) == (warm, early, late)


def test_a_run_that_is_too_short_says_so() -> None:
    """No sample in a window is no figure of 0 MB."""
    with pytest.raises(ValueError, match="take more products"):
        figures(replace(course(12), samples=(MemorySample(0.0, {"python": 1.0}, 1),)))
