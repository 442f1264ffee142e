"""Curves of few points from many measurements."""

from __future__ import annotations

from pagemill.control_room.figures.curve import curve
from pagemill.control_room.figures.trend import trend_of
from pagemill.fleet.history import Point


def points(worker: str, count: int, *, every_s: float = 5.0, start_s: float = 1000.0) -> list[Point]:
    """Measurements of a worker that does ten products a round."""
    return [
        Point(
            worker,
            {"python": 100.0},
            items=10 * number,
            visited=10 * number,
            item_s=5.0 * number,
            measures={"memory_percent": 40},
            at_s=start_s + every_s * number,
        )
        for number in range(count)
    ]


def test_few_measurements_stay_as_they_are() -> None:
    """Each is a point, with the rate since the one before."""
    found = curve(points("a", 3))
    assert [point.at_s for point in found] == [1000, 1005, 1010]
    assert [point.items_per_s for point in found] == [0, 2, 2]
    assert found[1].item_ms == 500


def test_many_become_at_most_so_many() -> None:
    """Without losing any product."""
    found = curve(points("a", 5000), 100)
    assert len(found) <= 100
    assert all(abs(point.items_per_s - 2) < 0.1 for point in found)


def test_workers_add_up() -> None:
    """Also when they measure at different moments: sums must not jump with who was measured when."""
    both = sorted([*points("a", 60), *points("b", 60, start_s=1002.5)], key=lambda point: point.at_s)
    found = curve(both, 400)
    assert {point.workers for point in found[1:]} == {2}
    assert {point.total_pss_mb for point in found[1:]} == {200.0}
    assert found[0].workers == 1


def test_a_worker_that_ended_no_longer_counts() -> None:
    """After its last measurement, whatever comes later."""
    both = sorted([*points("a", 10), *points("b", 200)], key=lambda point: point.at_s)
    found = curve(both, 50)
    assert (found[0].workers, found[-1].workers) == (2, 1)


def test_a_worker_that_was_replaced_a_moment_ago_is_not_counted_beside_its_successor() -> None:
    """It has missed some measurements, which at five seconds each is soon known."""
    found = curve([*points("old", 60), *points("new", 6, start_s=1300)], 400)
    assert {point.workers for point in found} == {1}


def test_counts_that_began_again_are_no_negative_rates() -> None:
    """A restarted worker may have the old one's name."""
    before, after = points("a", 3), points("a", 3, start_s=1015)
    assert min(point.items_per_s for point in curve([*before, *after])) == 0


def test_nothing_measured_is_an_empty_curve() -> None:
    """And a single measurement is one point."""
    assert curve([]) == []
    assert len(curve(points("a", 1))) == 1


def test_trends_need_a_notable_change() -> None:
    """By medians, so that one peak says nothing."""
    assert trend_of([100.0] * 12).word == "stable"
    assert trend_of([100.0] * 11 + [900.0]).word == "stable"
    assert (trend_of([100.0] * 6 + [120.0] * 6).word, trend_of([100.0] * 6 + [120.0] * 6).change) == (
        "increasing",
        "+20.0%",
    )
    assert trend_of([100.0, 50.0] * 1).word == "stable"
    assert trend_of([100.0] * 4 + [80.0] * 8).change == "-20.0%"
