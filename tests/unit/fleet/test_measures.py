"""The table of measures."""

from __future__ import annotations

from dataclasses import replace

from pagemill.config.alert_metrics import METRICS
from pagemill.fleet.measures import MEASURES, measures_of, over_time, over_workers
from pagemill.guard.probe import Sample
from tests.unit.alerting.test_alert_readings import WORKER


def test_every_measure_is_a_metric_of_alert_rules() -> None:
    """So that it has a meaning and a unit, and a rule may name it."""
    assert set(MEASURES) <= set(METRICS)


def test_what_is_not_known_is_left_out() -> None:
    """A zero would be a lie."""
    sample = Sample(rss_mb=1, pss_mb={}, shm_percent=None, cgroup_percent=12.345, loop_lag_s=0.0071)
    found = measures_of(replace(WORKER, sample=sample))
    assert "shm_percent" not in found
    assert (found["cgroup_percent"], found["loop_lag_ms"]) == (12.35, 7.1)
    assert "loop_lag_ms" not in measures_of(replace(WORKER, sample=None))


def test_several_measurements_are_their_mean_or_the_highest() -> None:
    """Those of a newer release, too, of which nothing is known here."""
    several = [{"gc_percent": 1.0, "loop_lag_ms": 9.0}, {"gc_percent": 3.0, "loop_lag_ms": 2.0, "of_0_9": 4.0}]
    assert over_time(several) == {"gc_percent": 2, "loop_lag_ms": 9, "of_0_9": 4}


def test_of_several_workers_the_highest_counts() -> None:
    """A mean would hide the one that is about to fall."""
    assert over_workers([{"cpu_percent": 10.0}, {"cpu_percent": 90.0, "gc_percent": 1.0}]) == {
        "cpu_percent": 90,
        "gc_percent": 1,
    }
