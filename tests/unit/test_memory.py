"""The public face of the guard, in a worker and outside of one."""

from __future__ import annotations

from pagemill import memory
from tests.unit.guard.engine_stand_in import sample
from tests.unit.guard.test_guard import Bench


def test_outside_of_a_worker_the_process_itself_is_measured() -> None:
    """What it holds, of what it may use."""
    stats, health = memory.get_stats(), memory.get_health_status()
    assert stats.sample.pss_mb["python"] > 10
    assert stats.limit_mb > stats.sample.total_pss_mb
    assert (health.level, health.reason, health.is_healthy) == ("normal", "", True)


def test_a_forced_cleaning_takes_a_share_of_every_cache() -> None:
    """By default three tenths, the oldest first."""
    cache = {number: number for number in range(10)}
    memory.register_cache("numbers", cache)
    try:
        assert memory.get_stats().caches["numbers"] == 10
        assert memory.force_cleanup().cache_entries >= 3
        assert list(cache) == list(range(3, 10))
    finally:
        memory.unregister_cache("numbers")


def test_inside_of_a_worker_it_is_the_guards() -> None:
    """Its limit, its measurement and its judgement, until the worker has ended."""
    bench = Bench()
    with bench.guard.installed():
        bench.round(sample(total=860))
        stats, health = memory.get_stats(), memory.get_health_status()
        assert (stats.limit_mb, stats.sample.total_pss_mb) == (1000, 860)
        assert (health.level, health.reason, health.percent) == ("critical", "memory", 86)
        assert not health.is_healthy
        cleanings = stats.cleanings
        memory.force_cleanup()
        assert memory.get_stats().cleanings == cleanings + 1
    assert memory.get_stats().limit_mb != 1000
