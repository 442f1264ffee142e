"""What the API tells of a fleet, as far as it is computed from plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from pagemill.config.changeable import changed
from pagemill.config.settings import GuardSettings
from pagemill.control_room.api.memory_config import ConfigChange, MemoryConfig, explained, making_way
from pagemill.control_room.api.memory_data import fleet_of, fullest_of, sample_of
from pagemill.control_room.api.performance_data import current_of, rates_of
from pagemill.control_room.control.cleanup import cleanup_outcome_of
from pagemill.control_room.figures.health_word import health_of
from pagemill.control_room.figures.item_times import item_times, quantile_ms
from pagemill.control_room.figures.memory_figures import (
    memory_figures_of,
    memory_percent,
    pss_by_role_mb,
    shortest_place,
)
from pagemill.control_room.figures.recommendations import recommendations
from pagemill.control_room.figures.trend import Trend
from pagemill.fleet.orders import OrderReply
from pagemill.fleet.queues import QueueState
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.tally import PlatformTally
from pagemill.fleet.view import FleetPicture, Rates
from pagemill.guard.pressure import PressureLimits
from pagemill.guard.probe import Sample
from pagemill.guard.python_memory import CollectorStats, PythonMemory

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MIB = 1024 * 1024


def worker(name: str = "w", percent: float = 40.0, **changes: object) -> WorkerSnapshot:
    sample = Sample(
        rss_mb=10,
        pss_mb={"python": 100.0, "renderers": 50.0},
        shm_percent=5.0,
        cgroup_percent=None,
        memory_percent=percent,
        python=PythonMemory(None, None, 7),
        js_heap_mb=60.0,
    )
    plain = WorkerSnapshot(name, 1, "host", (), 1, 4, 150.0, 160.0, 9, sample=sample)
    limits = PressureLimits(1000.0, 512.0, 200.0, 500.0, 10.0)
    return replace(plain, limits=limits, **changes)  # type: ignore[arg-type]


def test_figures_without_a_worker_are_zero() -> None:
    """Also for workers that were not measured yet."""
    assert memory_figures_of([]).sys_bytes == 0
    bare = WorkerSnapshot("w", 1, "host", (), 1, 4, 0.0, 0.0, 0)
    assert memory_figures_of([bare]).usage_percent == 0
    empty = sample_of(fullest_of([]), fleet_of([]), NOW)
    assert (empty.total_memory_mb, empty.gc_collections) == (0, {"0": 0, "1": 0, "2": 0})
    unmeasured = fullest_of([bare])
    assert unmeasured is not None
    assert (unmeasured.place, unmeasured.memory_percent) == ("limit", 0)
    assert current_of([bare], {}, NOW).active_requests == 1


@pytest.mark.parametrize("shares", [(40.0, None, 0.0), (40.0, 60.0, 50.0), (40.0, 60.0, 70.0)])
def test_the_shortest_place_is_the_one_that_the_guard_judges(shares: tuple[float, float | None, float]) -> None:
    """The same percentage, with what it is of."""
    own, container, machine = shares
    full = worker()
    assert full.sample is not None
    sample = replace(full.sample, memory_percent=own, cgroup_percent=container, machine_percent=machine)
    assert shortest_place(replace(full, sample=sample)).percent == memory_percent(replace(full, sample=sample))


def test_idle_heap_is_never_negative() -> None:
    """Heaps are asked of the pages, and renderers measured at another moment."""
    figures = memory_figures_of([worker()])
    assert (figures.heap_inuse_bytes, figures.heap_sys_bytes, figures.heap_idle_bytes) == (60 * MIB, 50 * MIB, 0)


def test_python_counts_as_a_whole_where_malloc_does_not_tell() -> None:
    """As with another C library."""
    assert memory_figures_of([worker()]).alloc_bytes == 160 * MIB
    assert pss_by_role_mb([worker("a"), worker("b")]) == {"python": 200.0, "renderers": 100.0}


def test_the_collector_is_told_by_its_worst_worker() -> None:
    """Shares do not add up."""
    both = [worker("a", collector=CollectorStats((1, 1, 1), 0.5, 1.0, 2.0)), worker("b")]
    figures = memory_figures_of(both)
    assert (figures.gc_count, figures.gc_pause_ns, figures.gc_cpu_fraction) == (3, 500_000_000, 0.02)


@pytest.mark.parametrize(
    ("percent", "pressure", "word"),
    [
        (69.9, "normal", "healthy"),
        (70.0, "normal", "warning"),
        (80.0, "normal", "warning"),
        (85.0, "normal", "critical"),
        (10.0, "cleanup", "warning"),
        (10.0, "emergency", "critical"),
        (10.0, "unheard-of", "healthy"),
    ],
)
def test_health_goes_by_marks_and_by_the_guard(percent: float, pressure: str, word: str) -> None:
    """Whichever is worse."""
    assert health_of([worker("ok"), worker("w", percent, pressure=pressure)], GuardSettings()).word == word


def test_health_without_living_workers() -> None:
    """None that runs is no trouble; one that fell silent is."""
    assert health_of([], GuardSettings()).word == "healthy"
    silent = worker("gone", silent_s=100.0)
    assert health_of([silent], GuardSettings()).word == "warning"
    assert health_of([silent, worker()], GuardSettings()).message == "fell silent: gone"


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"cleanup_percent": 60.0}, {"warning_percent": 50.0, "recover_percent": 40.0}),
        ({"cleanup_percent": 75.0}, {}),
        ({"warning_percent": 82.0}, {"cleanup_percent": 92.0, "critical_percent": 97.0, "emergency_percent": 100.0}),
        ({"critical_percent": 96.0}, {"emergency_percent": 100.0}),
        ({"recover_percent": 65.0, "warning_percent": 68.0}, {}),
        ({"history_size": 5}, {}),
    ],
)
def test_marks_make_way(changes: Mapping[str, float], moved: Mapping[str, float]) -> None:
    """Only those that stand in the way; the whole fits afterwards."""
    assert making_way(GuardSettings(), changes) == moved
    changed(GuardSettings(), {**moved, **changes})


def test_what_does_not_fit_is_told_by_the_names_that_were_asked() -> None:
    """And not by those of the configuration file."""
    asked = ConfigChange.model_validate({"warning_threshold": 90, "critical_threshold": 70}).changes()
    with pytest.raises(ValidationError) as caught:
        changed(GuardSettings(), {**making_way(GuardSettings(), asked), **asked})
    assert "body.critical_threshold" in explained(caught.value) or "body.cleanup_threshold" in explained(caught.value)
    assert "_percent" not in explained(caught.value)


def test_settings_have_the_names_of_the_guide() -> None:
    """There and back."""
    shown = MemoryConfig.of(GuardSettings()).model_dump()
    assert (shown["warning_threshold"], shown["max_history_size"], shown["enable_alerts"]) == (70, 288, True)
    asked = ConfigChange.model_validate({"max_history_size": 5, "enable_alerts": False})
    assert asked.changes() == {"history_size": 5, "alerts_enabled": False}


def test_each_setting_is_told_with_meaning_and_bounds() -> None:
    """As it is declared, for who reads it and for who changes it; the API may take less than a file."""
    read = MemoryConfig.model_json_schema()["properties"]["cleanup_interval_seconds"]
    assert (read["description"][:7], read["minimum"], "maximum" in read) == ("Seconds", 1, False)
    written = ConfigChange.model_json_schema()["properties"]["cleanup_interval_seconds"]
    assert written["description"] == read["description"]
    assert written["anyOf"][0] == {"type": "number", "minimum": 1, "maximum": 604_800}
    assert GuardSettings(cleanup_interval_s=604_801).cleanup_interval_s == 604_801
    with pytest.raises(ValidationError, match="less than or equal to 604800"):
        ConfigChange.model_validate({"cleanup_interval_seconds": 604_801})


def test_rates_weigh_as_much_as_their_products() -> None:
    """A worker that does little says little."""
    mean = rates_of([worker("a"), worker("b"), worker("c")], {"a": Rates(9, 100, 0.1), "b": Rates(1, 1100, 0.5)})
    assert (mean.items_per_s, mean.item_ms, mean.error_rate) == (10, 200, 0.14)
    assert rates_of([], {}) == Rates()


def test_quantiles_of_a_histogram() -> None:
    """Within a part evenly; above the last bound, that bound."""
    assert quantile_ms((0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0), 0.5) == 375
    assert quantile_ms((0,) * 10 + (4,), 0.5) == 60_000
    assert quantile_ms((0,) * 11, 0.5) == 0
    assert item_times([]).visited == 0
    tally = PlatformTally({"ok": 4}, 4, 0, 2.0, (0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0))
    assert (item_times([tally, tally]).visited, item_times([tally]).mean_ms) == (8, 500)


def test_a_cleanup_counts_what_was_done() -> None:
    """Some workers may have failed; then the message says which."""
    outcome = cleanup_outcome_of(
        [OrderReply("a", True, "", {"collected": 2}), OrderReply("b", False, "no answer in time")], 1.5
    )
    assert (outcome.success, outcome.collected, outcome.done) == (True, 2, ("a",))
    assert "b: no answer in time" in outcome.message
    assert cleanup_outcome_of([OrderReply("b", False, "no answer")], 1.0).success is False


def test_recommendations_name_what_is_wrong() -> None:
    """And say that all is well where nothing is."""
    fine = FleetPicture(NOW, (worker(),))
    assert recommendations(fine, Trend()) == ["All is well: memory is stable and nothing runs short."]
    waiting = FleetPicture(NOW, (), queues=(QueueState("musinsa", 3, 0, 1),))
    said = recommendations(waiting, Trend())
    assert said[0].startswith("3 batches wait and no worker is alive")
    assert "1 batches were given up" in said[1]
    pressed = FleetPicture(NOW, (worker(pressure="critical"),), {"w": Rates(1, 10, 0.2, 0.5)})
    text = " ".join(recommendations(pressed, Trend("increasing", 9.0)))
    for part in ("critical pressure", "+9.0%", "50% of the products", "20% of the products"):
        assert part in text
