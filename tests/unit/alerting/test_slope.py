"""Foreseeing a full memory: what rises is seen in time, and saw teeth, noise and steps raise nothing."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from pagemill.alerting.slope import SlopePoint, minutes_left


def series(percent_at: Callable[[float], float], minutes: float = 60, step_s: float = 15) -> list[SlopePoint]:
    """Points of that many minutes; the function is given minutes."""
    return [
        SlopePoint(1000 + number * step_s, percent_at(number * step_s / 60))
        for number in range(round(minutes * 60 / step_s) + 1)
    ]


def noise(sigma: float, seed: int) -> Callable[[float], float]:
    draw = random.Random(seed)
    return lambda _minute: draw.gauss(0, sigma)


@pytest.mark.parametrize(
    ("percent_at", "minutes", "left"),
    [
        (lambda minute: 40 + 0.5 * minute, 60, 60),
        (lambda minute: 40 + 0.5 * minute, 20, 100),
        (lambda minute: 10 + 2 * minute, 30, 15),
        (lambda minute: 70 + minute, 40, 0),
        (lambda minute: 40 + 0.5 * minute + (30 if 20 < minute < 20.5 else 0), 60, 60),
        (lambda minute: 40 if minute < 45 else 40 + (minute - 45), 60, 45),
        (lambda minute: 40 if minute < 30 else 40 + (minute - 30), 60, 30),
        (lambda minute: 40 if minute < 15 else 40 + (minute - 15), 62, 13),
    ],
    ids=["steady", "short", "steep", "above the limit", "wild points", "late", "half way", "early"],
)
def test_what_rises_is_foreseen(percent_at: Callable[[float], float], minutes: float, left: float) -> None:
    """To within a fifth, also when it began a quarter of an hour ago."""
    assert minutes_left(series(percent_at, minutes)) == pytest.approx(left, rel=0.2, abs=1)


@pytest.mark.parametrize(
    "percent_at",
    [
        lambda _minute: 70.0,
        lambda minute: 70 - 0.5 * minute,
        lambda minute: 40.0 if minute < 30 else 75.0,
        lambda minute: 40.0 if minute < 45 else 75.0,
        lambda minute: 40.0 if minute < 5 else 75.0,
        lambda minute: 70 + 0.02 * minute,
        lambda minute: 30 + 4 * (minute % 8),
        lambda minute: 30 + 2 * (minute % 22),
        lambda minute: 90.0 if minute < 20 else 30 + (minute - 20),
    ],
    ids=["flat", "falls", "step", "late step", "early step", "barely", "short teeth", "long teeth", "after a peak"],
)
def test_what_does_not_run_full_raises_nothing(percent_at: Callable[[float], float]) -> None:
    """Rotation sets memory back again and again, and a step is no slope."""
    points = series(percent_at)
    for count in range(len(points) // 2, len(points) + 1, 4):
        assert minutes_left(points[:count]) == math.inf, f"at minute {count / 4:g}"


@pytest.mark.parametrize("every", [4, 7, 10, 15, 20])
@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_a_leak_that_rises_in_jumps_is_foreseen(every: int, sigma: float) -> None:
    """Half a percent a minute in all, whenever one looks in the last quarter of the hour."""
    shake = noise(sigma, every)
    points = series(lambda minute: 40 + 0.5 * every * (minute // every) + shake(minute), 75)
    for minute in range(60, 76, 3):
        left = minutes_left([point for point in points if minute - 60 <= (point.at_s - 1000) / 60 <= minute])
        assert left == pytest.approx((100 - 40 - 0.5 * minute) / 0.5, rel=0.5, abs=15), f"at minute {minute}"


@pytest.mark.parametrize("sigma", [0.5, 2.0, 5.0])
def test_noise_raises_nothing(sigma: float) -> None:
    """Whatever its size, for every stretch of time and many draws."""
    for seed in range(40):
        shake = noise(sigma, seed)
        points = series(lambda minute, shake=shake: 75 + shake(minute), 60)  # type: ignore[misc]
        for minutes in (10, 15, 30, 60):
            assert minutes_left(points[-minutes * 4 - 1 :]) == math.inf, f"seed {seed}, {minutes} minutes"


def test_a_slope_is_seen_through_noise() -> None:
    """Such as pages that come and go make."""
    shake = noise(1.5, 7)
    assert minutes_left(series(lambda minute: 40 + 0.6 * minute + shake(minute))) == pytest.approx(40, rel=0.25)


def test_teeth_that_grow_beyond_all_others_are_foreseen() -> None:
    """Rotation does not set back far enough any more."""
    points = series(lambda minute: 30 + minute % 20 if minute < 40 else 35 + (minute - 40) * 1.5, 62)
    assert minutes_left(points) == pytest.approx((100 - 68) / 1.5, rel=0.2)


def test_too_little_is_no_ground() -> None:
    """Ten minutes and a dozen points at least; none at all is no mistake."""
    assert minutes_left([]) == math.inf
    assert minutes_left(series(lambda minute: 20 + 5 * minute, 9)) == math.inf
    assert minutes_left(series(lambda minute: 20 + 2 * minute, 30, step_s=300)) == math.inf
    assert minutes_left([SlopePoint(5, 50)] * 100) == math.inf


def test_many_points_take_no_time() -> None:
    """A day of them, every second."""
    points = series(lambda minute: 10 + 0.05 * minute, 24 * 60, step_s=1)
    assert minutes_left(points) == pytest.approx(360, rel=0.1)
