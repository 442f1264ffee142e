"""Memory of this process, for your own code: caches that the guard trims, a clean-up, and the guard's figures.

    from pagemill import memory

    memory.register_cache("prices", prices)
    memory.get_health_status().level    # "normal"

In a worker, these use the worker's guard. In any other process, such as your own scheduler, each call measures the
process against the memory that it may use.
"""

from __future__ import annotations

from dataclasses import dataclass

from pagemill.config.settings import GuardSettings
from pagemill.guard.caches import CACHES, register_cache, unregister_cache
from pagemill.guard.cleaning import Cleaned, clean
from pagemill.guard.guard import Guard
from pagemill.guard.pressure import PressureMarks
from pagemill.guard.probe import Sample, memory_limit_mb, take_sample

__all__ = [
    "Cleaned",
    "HealthStatus",
    "MemoryStats",
    "force_cleanup",
    "get_health_status",
    "get_stats",
    "register_cache",
    "unregister_cache",
]


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """The memory of this process and of all processes that it has started."""

    sample: Sample
    """What was measured, in MB; `sample.total_pss_mb` is the sum over the processes."""
    limit_mb: float
    """The memory that the process may use."""
    caches: dict[str, int]
    """The number of entries in each registered cache whose entries can be counted."""
    cleanings: int
    """How often the guard has cleaned without pressure; 0 outside of a worker."""


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """How short of memory the process is."""

    level: str
    """`normal`, `warning`, `cleanup`, `critical` or `emergency`."""
    reason: str
    """What is short, such as `memory`, `shm` or `python`; empty while the level is `normal`."""
    percent: float
    """The usage of the fullest resource."""

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is short."""
        return self.level == "normal"


def force_cleanup() -> Cleaned:
    """Collects garbage, returns free memory to the system, and drops a share of every registered cache
    (`guard.cache_cleanup_ratio`).

    Blocks for some ten milliseconds. May be called from any thread.
    """
    guard = Guard.of_process()
    if guard is None:
        return clean(GuardSettings(), CACHES, thorough=True, collects=True)
    return guard.clean(thorough=True, urgent=True)


def get_stats() -> MemoryStats:
    """The memory of this process: the guard's latest measurement, or a new one, which takes some milliseconds."""
    guard = Guard.of_process()
    sample = take_sample() if guard is None or guard.latest is None else guard.latest
    return MemoryStats(
        sample,
        memory_limit_mb() if guard is None else guard.limits.memory_mb,
        CACHES.sizes(),
        0 if guard is None else guard.cleanings,
    )


def get_health_status() -> HealthStatus:
    """How short of memory the process is: the guard's judgement, or without a guard one by the default marks."""
    guard = Guard.of_process()
    if guard is None:
        percent = take_sample().memory_percent or 0.0
        level = PressureMarks.of(GuardSettings()).reached(percent)
        return HealthStatus(level.word, "memory" if level else "", percent)
    judgement = guard.judgement
    return HealthStatus(judgement.level.word, judgement.reason.value if judgement.level else "", judgement.percent)
