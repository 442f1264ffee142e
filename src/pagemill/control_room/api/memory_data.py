"""Computes the figures below `/memory` from the workers' snapshots. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pagemill.config.settings import GuardSettings
from pagemill.control_room.api.memory_models import (
    CleanupResult,
    FleetMemory,
    FullestWorker,
    HistoryEntry,
    MemorySample,
    MemoryStatus,
    MemoryTrend,
    ProcessMemory,
)
from pagemill.control_room.control.cleanup import CleanupOutcome
from pagemill.control_room.figures.curve import CurvePoint
from pagemill.control_room.figures.health_word import health_of
from pagemill.control_room.figures.memory_figures import memory_percent, shortest_place
from pagemill.control_room.figures.trend import trend_of
from pagemill.fleet.processes import ProcessSnapshot
from pagemill.fleet.snapshot import WorkerSnapshot


def status_of(
    workers: Sequence[WorkerSnapshot], silent: Sequence[WorkerSnapshot], guard: GuardSettings, now: datetime
) -> MemoryStatus:
    """The state of memory in one word. `workers` are alive, `silent` ones are not."""
    health = health_of([*workers, *silent], guard)
    return MemoryStatus(
        status=health.word,
        message=health.message,
        memory_percent=health.percent,
        process_memory_mb=_pss_mb(workers),
        cache_size=cache_size(workers),
        timestamp=now,
    )


def fullest_of(workers: Sequence[WorkerSnapshot]) -> FullestWorker | None:
    """The worker with the least free memory; `None` without workers."""
    worker = max(workers, key=memory_percent, default=None)
    if worker is None:
        return None
    place = shortest_place(worker)
    return FullestWorker(
        worker=worker.name,
        host=worker.host,
        place=place.name,
        total_memory_mb=round(place.total_mb, 1),
        used_memory_mb=round(place.used_mb, 1),
        available_memory_mb=round(max(0.0, place.total_mb - place.used_mb), 1),
        memory_percent=round(place.percent, 1),
        process_memory_mb=worker.pss_mb,
        process_memory_percent=_percent(worker.pss_mb, place.total_mb),
        swap_memory_mb=worker.sample.swap_mb if worker.sample else 0.0,
    )


def fleet_of(workers: Sequence[WorkerSnapshot]) -> FleetMemory:
    """The sums over all workers; zeros without workers."""
    pss_mb = _pss_mb(workers)
    total_mb = sum(worker.limits.memory_mb for worker in workers if worker.limits)
    swap_mb = sum(worker.sample.swap_mb for worker in workers if worker.sample)
    collections = [sum(counts) for counts in zip(*(worker.collector.collections for worker in workers), strict=True)]
    return FleetMemory(
        workers=len(workers),
        total_memory_mb=round(total_mb, 1),
        process_memory_mb=pss_mb,
        process_memory_percent=_percent(pss_mb, total_mb),
        swap_memory_mb=round(swap_mb, 1),
        swap_percent=_percent(swap_mb, swap_mb + pss_mb),
        gc_collections={str(number): count for number, count in enumerate(collections or (0, 0, 0))},
        cache_size=cache_size(workers),
    )


def sample_of(fullest: FullestWorker | None, fleet: FleetMemory, now: datetime) -> MemorySample:
    """The total of the fullest worker's memory and the fleet's usage in one object, as the memory guide has them."""
    return MemorySample(
        timestamp=now,
        total_memory_mb=fullest.total_memory_mb if fullest else 0.0,
        available_memory_mb=fullest.available_memory_mb if fullest else 0.0,
        used_memory_mb=fullest.used_memory_mb if fullest else 0.0,
        memory_percent=fullest.memory_percent if fullest else 0.0,
        process_memory_mb=fleet.process_memory_mb,
        process_memory_percent=fleet.process_memory_percent,
        swap_memory_mb=fleet.swap_memory_mb,
        swap_percent=fleet.swap_percent,
        gc_collections=fleet.gc_collections,
        cache_size=fleet.cache_size,
    )


def process_memory_of(process: ProcessSnapshot) -> ProcessMemory:
    """The memory of a scheduler, control API or supervisor."""
    return ProcessMemory(
        process=process.name,
        role=process.role,
        host=process.host,
        pid=process.pid,
        started_at=process.started_at,
        rss_mb=process.rss_mb,
        pss_mb=process.pss_mb,
        cpu_percent=process.cpu_percent,
        descriptors=process.descriptors,
        leads=process.leads,
    )


def memory_trend_of(points: Sequence[CurvePoint]) -> MemoryTrend:
    """The trend, mean and peak of memory over these points."""
    percents = [point.fullness_percent for point in points]
    return MemoryTrend(
        trend=trend_of(percents).word,
        avg_usage=round(sum(percents) / len(percents), 1) if percents else 0.0,
        peak_usage=round(max(percents, default=0.0), 1),
        sample_count=len(percents),
    )


def entry_of(point: CurvePoint) -> HistoryEntry:
    """One point of the history."""
    return HistoryEntry(
        timestamp=datetime.fromtimestamp(point.at_s, UTC),
        memory_percent=round(point.fullness_percent, 1),
        process_memory_mb=round(point.total_pss_mb, 1),
        swap_memory_mb=point.swap_mb,
        workers=point.workers,
    )


def result_of(outcome: CleanupOutcome) -> CleanupResult:
    """A clean-up's outcome under the API's names."""
    return CleanupResult(
        success=outcome.success,
        optimization_time=outcome.seconds,
        gc_collected=outcome.collected,
        cache_cleaned=outcome.cache_entries,
        memory_freed_mb=outcome.freed_mb,
        message=outcome.message,
    )


def cache_size(workers: Sequence[WorkerSnapshot]) -> int:
    """The number of entries in all registered caches."""
    return sum(sum(worker.caches.values()) for worker in workers)


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _pss_mb(workers: Sequence[WorkerSnapshot]) -> float:
    return round(sum(worker.pss_mb for worker in workers), 1)
