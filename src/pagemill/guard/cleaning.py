"""The mildest remedy: collects Python's garbage, gives free memory back to the system, trims registered caches."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from pagemill.config.settings import GuardSettings
from pagemill.guard import python_memory
from pagemill.guard.caches import Caches
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("guard")

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What one cleaning has done."""

    collected: int
    """Objects that the collector found unreachable; 0 also if it was not called."""
    cache_entries: int
    freed_mb: float
    """By how much the process' RSS fell; 0 if it did not."""


def clean(settings: GuardSettings, caches: Caches, *, thorough: bool, collects: bool) -> Cleaned:
    """Cleans now; if `thorough`, also a share of every cache (`cache_cleanup_ratio`); if `collects`, also garbage."""
    started_s, before = time.monotonic(), psutil.Process().memory_info().rss
    entries = caches.trim(settings.max_cache_size)
    if thorough:
        entries += caches.cleanup(settings.cache_cleanup_ratio)
    collected = python_memory.collect() if collects else 0
    python_memory.trim()
    freed_mb = max(0.0, (before - psutil.Process().memory_info().rss) / _MIB)
    cleaned = Cleaned(collected, entries, round(freed_mb, 1))
    log.info(
        events.CLEANUP,
        collected=cleaned.collected,
        cache_entries=cleaned.cache_entries,
        freed_mb=cleaned.freed_mb,
        ms=round((time.monotonic() - started_s) * 1000),
    )
    return cleaned
