"""The figures at a polite pace: made-up lanes of which pace and lateness are known."""

from __future__ import annotations

import random

import pytest

from benchmarks.meter import Course
from benchmarks.polite_figures import Case, Lap, lap_of, quantile, steady
from benchmarks.race import Visited

VISIT_S = 0.1


def made_up(case: Case, late_s: float, idle_s: float = 0.0) -> tuple[Lap, list[Visited]]:
    """Lanes that are always late by so much, after a browser's start of `idle_s`; 400 MB, half a core."""
    chance = random.Random(7)
    arrivals, shop_of, visits = {}, {}, []
    for shop in range(case.shops):
        free_s = [1000.0 + idle_s - case.wait_ms[1] / 1000 - late_s] * case.lanes
        for number in range(case.products):
            lane = free_s.index(min(free_s))
            arrival = free_s[lane] + chance.uniform(*case.wait_ms) / 1000 + late_s
            free_s[lane] = arrival + VISIT_S
            product = f"{shop}-{number}"
            arrivals[product], shop_of[product] = arrival, shop
            visits.append(Visited(product, arrival, free_s[lane], complete=number % 2 == 0))
    end = max(visit.finished for visit in visits)
    seconds = [1000.0 + second for second in range(int(end - 1000) + 2)]
    memory = tuple((at, 900.0 if at < 1000 + idle_s else 400.0) for at in seconds)
    course = Course(0, tuple((at, (at - 1000) / 2) for at in seconds), memory, ())
    return lap_of(case, visits, course, arrivals, shop_of, lambda _begin, _end: {}), visits


@pytest.mark.parametrize("shops", [1, 6])
def test_lanes_that_are_never_late_keep_the_pace(shops: int) -> None:
    """4 visits of each shop in 3.5 s and the visit itself; half the products were made incomplete."""
    case = Case(shops, products=400)
    lap, _visits = made_up(case, late_s=0.0)
    assert lap.products_per_s == pytest.approx(case.pace_per_s, rel=0.02)
    assert lap.late_s == pytest.approx(0.0, abs=0.05)
    assert lap.too_late_s < 0.01
    assert lap.cpu_ms == pytest.approx(500 / case.pace_per_s, rel=0.02)
    assert lap.complete == 0.5


def test_what_is_late_is_told_in_the_mean_and_never_too_much_for_single_visits() -> None:
    """Whichever lane made which visit."""
    lap, _visits = made_up(Case(3, products=400), late_s=2.0)
    assert lap.late_s == pytest.approx(2.0, abs=0.05)
    assert 1.0 < lap.too_late_s <= 2.0


def test_a_start_is_left_out_but_for_the_most_memory() -> None:
    """30 s and twice the memory before the first visit."""
    case = Case(2, products=200)
    slow_start, _visits = made_up(case, late_s=0.0, idle_s=30.0)
    assert slow_start.products_per_s == pytest.approx(case.pace_per_s, rel=0.03)
    assert (slow_start.pss_mb, slow_start.most_pss_mb) == (400.0, 900.0)
    assert slow_start.per_gb == pytest.approx(slow_start.products_per_s / 0.4)


def test_the_steady_part_leaves_out_a_turn_of_every_lane_and_at_most_half() -> None:
    """At either end as many products as there are lanes."""
    assert steady([float(second) for second in range(100)], 8) == (7.0, 91.0, 84)
    assert steady([float(second) for second in range(12)], 8) == (2.0, 8.0, 6)


def test_bunches_of_visits_make_no_rate_too_high() -> None:
    """Four lanes that all end at once, every 4 s, are one product a second."""
    begin, end, count = steady([4.0 * (number // 4) for number in range(24)], 4)
    assert count / (end - begin) == 1.0


@pytest.mark.parametrize("finished", [[], [1.0], [2.0, 2.0, 2.0]])
def test_too_few_visits_are_no_rate(finished: list[float]) -> None:
    """Nothing is divided by no time."""
    with pytest.raises(ValueError, match="too few"):
        steady(finished, 4)


@pytest.mark.parametrize(("share", "expected"), [(0.25, 0.05), (0.5, 0.1), (0.74, 0.55), (0.99, 1.0)])
def test_a_histogram_is_even_within_its_buckets(share: float, expected: float) -> None:
    """What is above the last bound counts as that bound."""
    assert quantile({0.1: 50.0, 1.0: 98.0, float("inf"): 100.0}, share) == pytest.approx(expected)


@pytest.mark.parametrize("buckets", [{}, {0.1: 0.0, float("inf"): 0.0}])
def test_a_histogram_of_nothing_tells_nothing(buckets: dict[float, float]) -> None:
    """It is not 0."""
    assert quantile(buckets, 0.5) is None
