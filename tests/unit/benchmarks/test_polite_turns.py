"""What is made of the metric that tells how late turns were."""

from __future__ import annotations

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from benchmarks.polite_turns import METRIC, TurnsHeard, late_buckets


def test_all_workers_and_platforms_are_put_together() -> None:
    """Bucket by bucket; other metrics are none of it."""
    late = HistogramMetricFamily(METRIC, "How late turns were.", labels=("worker", "platform"))
    late.add_metric(("w1", "shop-01"), [("0.1", 3), ("+Inf", 4)], 1.0)
    late.add_metric(("w2", "shop-02"), [("0.1", 1), ("+Inf", 6)], 9.0)
    other = CounterMetricFamily("pagemill_wait_seconds_total", "Waits.", value=7)
    assert late_buckets([other, late]) == {0.1: 4.0, float("inf"): 10.0}


def test_without_the_metric_nothing_is_told() -> None:
    """Which is not that no turn was late."""
    assert late_buckets([]) == {}


def test_only_turns_between_two_moments_count() -> None:
    """What was heard before is taken off; the begin, when all lanes come at once, says nothing of the pace."""
    heard = TurnsHeard(None)
    heard._readings = [(10.0, {0.1: 5.0}), (12.0, {0.1: 8.0}), (14.0, {0.1: 9.0, 0.5: 12.0}), (16.0, {})]
    assert heard.between(11.0, 20.0) == {0.1: 1.0, 0.5: 12.0}
    assert heard.between(15.0, 20.0) == {}
