"""A worker's counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pagemill.model import Verdict
from pagemill.ops.fleet.tally import BUCKETS_S, Tally
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
