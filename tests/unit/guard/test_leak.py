"""A leak's verdict: lowest points between rotations that rise beyond chance."""

from __future__ import annotations

import random

import pytest

from pagemill.guard.leak import Baseline, Baselines, judge_leak, rises, slope


def series(
    start_mb: float, mb_per_visit: float, points: int = 20, noise_mb: float = 0.0, seed: int = 1
) -> list[Baseline]:
    """Points every 100 visits and every 50 s."""
    chance = random.Random(seed)
    return [
        Baseline(100 * number, 50.0 * number, start_mb + 100 * number * mb_per_visit + chance.gauss(0, noise_mb))
        for number in range(points)
    ]


def test_a_planted_leak_is_found_with_its_slope_and_the_time_left() -> None:
    """5 MB in 100 visits with 3 MB of noise; 400 MB of room last 8,000 visits, which take 66 minutes at this pace."""
    leak = judge_leak("renderers", "musinsa", series(200, 0.05, noise_mb=3), 400)
    assert leak is not None
    assert (leak.role, leak.platform) == ("renderers", "musinsa")
    assert leak.mb_per_visit == pytest.approx(0.05, rel=0.15)
    assert leak.visits_left == pytest.approx(8000, rel=0.15)
    assert leak.minutes_left == pytest.approx(66.7, rel=0.15)


def test_one_wild_point_in_five_does_not_move_the_slope() -> None:
    """The median of the slopes of all pairs stands firm where a mean would not."""
    points = series(200, 0.05)
    wild = [Baseline(each.visits, each.at_s, 5000.0) if number % 5 == 2 else each for number, each in enumerate(points)]
    assert slope(wild) == pytest.approx(0.05, rel=0.2)


def test_flat_memory_is_rarely_taken_for_a_leak() -> None:
    """Noise alone: at most 2 of 60 series."""
    alarms = sum(
        judge_leak("driver", "ably", series(200, 0, noise_mb=5, seed=seed), 400) is not None for seed in range(60)
    )
    assert alarms <= 2


def test_a_leak_in_noise_is_found_nearly_always() -> None:
    """2 MB in 100 visits under 5 MB of noise, 40 points: at least 29 of 30 series."""
    found = sum(
        judge_leak("browser", "ably", series(200, 0.02, 40, noise_mb=5, seed=seed), 400) is not None
        for seed in range(30)
    )
    assert found >= 29


@pytest.mark.parametrize(
    ("points", "why"),
    [
        (series(200, 0.05, points=7), "too few points to tell"),
        (series(200, 0.001), "so slow that rotation outruns it"),
        (series(900, -0.05), "it shrinks"),
        ([], "nothing was measured"),
        ([Baseline(100, 1.0, 200.0 + each) for each in range(10)], "no visits in between"),
    ],
)
def test_what_is_no_leak(points: list[Baseline], why: str) -> None:
    """The verdict stays open."""
    assert judge_leak("python", "ably", points, 100) is None, why


def test_without_room_no_visits_are_left() -> None:
    """A limit that is passed already is zero visits away, not a negative number."""
    leak = judge_leak("python", "ably", series(200, 0.05), -20)
    assert leak is not None and leak.visits_left == 0 and leak.minutes_left == 0


def test_a_healthy_sawtooth_is_no_leak() -> None:
    """Teeth of 300 MB between rotations leave the lowest points where they are."""
    baselines = Baselines()
    for visit in range(0, 2000, 10):
        baselines.add("renderers", "ably", Baseline(visit, visit / 2, 200 + 3 * (visit % 100)), rotations=visit // 100)
    points = list(baselines.series["renderers", "ably"])
    assert len(points) == 19
    assert {point.megabytes for point in points} == {200}
    assert not rises(points)


def test_a_tooth_that_a_change_of_platform_cuts_is_dropped() -> None:
    """Each platform has a series of its own, made of whole teeth only."""
    baselines = Baselines()
    baselines.add("driver", "ably", Baseline(1, 1, 50), rotations=0)
    baselines.add("driver", "musinsa", Baseline(2, 2, 150), rotations=0)
    baselines.add("driver", "musinsa", Baseline(3, 3, 170), rotations=1)
    assert {key: [point.megabytes for point in points] for key, points in baselines.series.items()} == {
        ("driver", "musinsa"): [150]
    }


def test_what_is_kept_is_bounded() -> None:
    """A worker that runs for weeks keeps 40 points of each series."""
    baselines = Baselines()
    for number in range(500):
        baselines.add("driver", "ably", Baseline(number, number, 100), rotations=number)
    assert len(baselines.series["driver", "ably"]) == 40
