"""A worker's counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pagemill.fleet.tally import BUCKETS_S, LATE_BUCKETS_S, Tally
from pagemill.model import Verdict
from tests.unit.results.result_values import make_result


def test_verdicts_times_and_waits_are_counted_per_platform() -> None:
    """A product's time falls into the bucket whose bound it does not pass."""
    tally = Tally()
    result = make_result("A")
    took = result.started_at + timedelta(seconds=0.25)
    tally.count(replace(result, attempts=1, finished_at=took))
    tally.count(replace(result, attempts=2, verdict=Verdict.FAILED, finished_at=result.started_at + timedelta(hours=1)))
    tally.waited(result.platform, 1.5)
    tally.waited("other", 2.0)
    counts = tally.read()
    mine = counts[result.platform]
    assert mine.verdicts == {result.verdict.value: 1, "failed": 1}
    assert (mine.attempts, mine.products, mine.visited, mine.wait_s) == (3, 2, 2, 1.5)
    assert mine.buckets[BUCKETS_S.index(0.25)] == 1
    assert mine.buckets[-1] == 1
    assert counts["other"].wait_s == 2.0


def test_a_spared_visit_has_a_verdict_and_no_time() -> None:
    """Nobody visited it."""
    tally = Tally()
    tally.count(replace(make_result("A"), attempts=0))
    (counts,) = tally.read().values()
    assert (counts.products, counts.spared, counts.visited, sum(counts.buckets)) == (1, 1, 0, 0)


def test_how_late_turns_are_is_counted_per_platform() -> None:
    """Sum and histogram, as a product's time."""
    tally = Tally()
    for late_s in (0.0, 0.03, 0.05, 99.0):
        tally.late("shop", late_s)
    tally.late("other", 0.2)
    counts = tally.read()
    assert counts["shop"].late_s == pytest.approx(99.08)
    found = dict(zip((*LATE_BUCKETS_S, None), counts["shop"].late_buckets, strict=True))
    assert {bound: count for bound, count in found.items() if count} == {0.005: 1, 0.05: 2, None: 1}
    assert sum(counts["other"].late_buckets) == 1
