"""Computes the figures below `/api/performance` from what the fleet has published. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pagemill.alerting.alert import Alert
from pagemill.config.settings import GuardSettings
from pagemill.control_room.api.performance_models import (
    AlertText,
    CacheData,
    CpuUsage,
    EventText,
    HistoryPoint,
    MemoryData,
    MemoryUsage,
    Metrics,
    PerformanceHealth,
    PlatformCache,
    ResponseTimeData,
    TimeBucket,
    TimesText,
    Trends,
    UsedMemory,
)
from pagemill.control_room.figures.curve import CurvePoint
from pagemill.control_room.figures.health_word import Health
from pagemill.control_room.figures.item_times import ItemTimes, item_times
from pagemill.control_room.figures.memory_figures import memory_figures_of, pss_by_role_mb
from pagemill.control_room.figures.trend import Trend
from pagemill.fleet.event_log import FleetEvent
from pagemill.fleet.shared_cache import Lookups
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.tally import BUCKETS_S
from pagemill.fleet.view import FleetPicture, Rates
from pagemill.guard.probe import Sample
from pagemill.telemetry import events

_MIB = 1024 * 1024
_UNMEASURED = Sample(rss_mb=0.0, pss_mb={}, shm_percent=None, cgroup_percent=None)

TOLD = frozenset(
    {
        events.CONTEXT_ROTATION,
        events.BROWSER_ROTATION,
        events.DRIVER_ROTATION,
        events.BROWSER_LOST,
        events.DRIVER_LOST,
        events.RENDERER_KILLED,
        events.WORKER_STARTED,
        events.WORKER_STOPPED,
        events.WORKER_WORN_OUT,
        events.WORKER_STUCK,
        events.WORKER_RESTARTING,
        events.WORKER_DRAINING,
    }
)
"""The events that charts mark: replaced, lost or restarted parts."""


def current_of(workers: Sequence[WorkerSnapshot], rates: Mapping[str, Rates], now: datetime) -> Metrics:
    """The workers' latest figures together."""
    samples = [worker.sample or _UNMEASURED for worker in workers]
    mean = rates_of(workers, rates)
    return Metrics(
        timestamp=now,
        cpu_usage=CpuUsage(
            user=round(1e6 * sum(sample.cpu_s - sample.cpu_system_s for sample in samples)),
            system=round(1e6 * sum(sample.cpu_system_s for sample in samples)),
        ),
        memory_usage=memory_usage_of(workers),
        event_loop_delay=round(1000 * max((sample.loop_lag_s for sample in samples), default=0.0), 1),
        active_handles=sum(sample.descriptors for sample in samples),
        active_requests=sum(worker.lanes for worker in workers),
        uptime=uptime_s(workers, now),
        requests_per_second=mean.items_per_s,
        error_rate=mean.error_rate,
    )


def memory_usage_of(workers: Sequence[WorkerSnapshot]) -> MemoryUsage:
    """Memory under the names that Node.js uses."""
    figures = memory_figures_of(workers)
    return MemoryUsage(
        rss=figures.sys_bytes,
        heap_total=figures.heap_sys_bytes,
        heap_used=figures.heap_inuse_bytes,
        external=max(0, figures.alloc_bytes - figures.heap_alloc_bytes),
    )


def rates_of(workers: Sequence[WorkerSnapshot], rates: Mapping[str, Rates]) -> Rates:
    """The recent rates of these workers together; shares and times are weighted by the number of products."""
    found = [rates[worker.name] for worker in workers if worker.name in rates]
    items_per_s = sum(each.items_per_s for each in found)
    if not items_per_s:
        return Rates()
    weights = [each.items_per_s / items_per_s for each in found]
    return Rates(
        items_per_s=round(items_per_s, 3),
        item_ms=round(sum(weight * each.item_ms for weight, each in zip(weights, found, strict=True)), 1),
        error_rate=round(sum(weight * each.error_rate for weight, each in zip(weights, found, strict=True)), 4),
        block_rate=round(sum(weight * each.block_rate for weight, each in zip(weights, found, strict=True)), 4),
    )


def uptime_s(workers: Sequence[WorkerSnapshot], now: datetime) -> int:
    """Seconds since the longest-running worker started."""
    started = [worker.started_at for worker in workers if worker.started_at is not None]
    return max(0, round((now - min(started)).total_seconds())) if started else 0


def health_data_of(workers: Sequence[WorkerSnapshot], health: Health, now: datetime) -> PerformanceHealth:
    """The fleet's health."""
    memory = used_memory_of(workers, health)
    return PerformanceHealth(status=health.word, timestamp=now, uptime=uptime_s(workers, now), memory=memory)


def used_memory_of(workers: Sequence[WorkerSnapshot], health: Health) -> UsedMemory:
    """The used memory, and how much may be used."""
    figures = memory_figures_of(workers)
    used_mb = round(figures.sys_bytes / _MIB)
    return UsedMemory(used=used_mb, total=round(figures.max_memory_mb), usage=health.percent)


def history_point_of(point: CurvePoint) -> HistoryPoint:
    """One point of a curve."""
    return HistoryPoint(
        timestamp=datetime.fromtimestamp(point.at_s, UTC),
        workers=point.workers,
        memory_mb=round(point.total_pss_mb, 1),
        memory_by_role_mb=dict(point.pss_mb),
        memory_percent=round(point.fullness_percent, 1),
        shm_percent=point.measures.get("shm_percent", 0.0),
        js_heap_mb=point.js_heap_mb,
        cpu_percent=point.measures.get("cpu_percent", 0.0),
        event_loop_delay=point.measures.get("loop_lag_ms", 0.0),
        gc_percent=point.measures.get("gc_percent", 0.0),
        lanes=point.lanes,
        pressure=point.pressure,
        requests_per_second=point.items_per_s,
        response_time=point.item_ms,
        error_rate=point.error_rate,
        block_rate=point.block_rate,
        rotations=dict(point.rotations),
        measures=dict(point.measures),
    )


def alert_text_of(alert: Alert) -> AlertText:
    """One alert."""
    return AlertText(
        id=alert.id,
        name=alert.name,
        level=alert.level,
        kind=alert.kind,
        message=alert.message,
        worker=alert.worker,
        scope=alert.scope,
        timestamp=alert.at,
        facts=dict(alert.facts),
    )


def event_texts_of(found: Sequence[FleetEvent], most: int) -> list[EventText]:
    """The events that charts mark."""
    told = [each for each in found if each.event in TOLD][:most]
    return [
        EventText(
            id=each.id,
            event=each.event,
            worker=each.worker,
            level=each.level,
            timestamp=each.at,
            facts=dict(each.facts),
        )
        for each in told
    ]


def trends_of(trend: Trend) -> Trends:
    """The trend of memory."""
    return Trends(memory_trend=trend.word, memory_change=trend.change)


def cache_data_of(
    workers: Sequence[WorkerSnapshot],
    revisits: Mapping[str, tuple[int, int]],
    guard: GuardSettings,
    lookups: Mapping[str, Lookups],
) -> CacheData:
    """The workers' caches, and what the fleet remembers of its visits."""
    caches: dict[str, int] = {}
    for worker in workers:
        for name, size in worker.caches.items():
            caches[name] = caches.get(name, 0) + size
    ready, made = (sum(counts) for counts in ([x.hits for x in lookups.values()], [x.misses for x in lookups.values()]))
    hits, misses = (sum(counts[number] for counts in revisits.values()) for number in (0, 1))
    return CacheData(
        hit_rate=_share(hits, misses),
        miss_rate=_share(misses, hits),
        hits=hits,
        misses=misses,
        size=sum(caches.values()),
        max_size=guard.max_cache_size,
        caches=dict(sorted(caches.items())),
        platforms={
            name: PlatformCache(hits=hit, misses=missed, hit_rate=_share(hit, missed))
            for name, (hit, missed) in revisits.items()
        },
        api=PlatformCache(hits=ready, misses=made, hit_rate=_share(ready, made)),
    )


def _share(part: int, rest: int) -> float:
    return round(part / (part + rest), 4) if part + rest else 0.0


def memory_data_of(workers: Sequence[WorkerSnapshot], health: Health, trend: Trend) -> MemoryData:
    """Memory in detail."""
    figures = memory_figures_of(workers)
    samples = [worker.sample for worker in workers if worker.sample]
    return MemoryData(
        status=health.word,
        message=health.message,
        usage=used_memory_of(workers, health),
        by_role_mb=pss_by_role_mb(workers),
        memory_usage=memory_usage_of(workers),
        heap_objects=figures.heap_objects,
        gc_count=figures.gc_count,
        gc_pause_ms=round(figures.gc_pause_ns / 1e6, 1),
        gc_cpu_percent=round(100 * figures.gc_cpu_fraction, 2),
        swap_mb=round(sum(sample.swap_mb for sample in samples), 1),
        shm_percent=max((sample.shm_percent for sample in samples if sample.shm_percent is not None), default=None),
        oom_kills=sum(sample.oom_kills for sample in samples),
        trends=trends_of(trend),
    )


def response_time_of(picture: FleetPicture, workers: Sequence[WorkerSnapshot]) -> ResponseTimeData:
    """How long products take."""
    names = sorted({platform for worker in workers for platform in worker.tally})
    every = item_times(tally for worker in workers for tally in worker.tally.values())
    bounds: list[float | None] = [*(1000 * bound for bound in BUCKETS_S), None]
    return ResponseTimeData(
        **_times(every).model_dump(),
        recent=rates_of(workers, picture.rates).item_ms,
        buckets=[TimeBucket(up_to_ms=bound, count=count) for bound, count in zip(bounds, every.buckets, strict=True)],
        platforms={
            name: _times(item_times(worker.tally[name] for worker in workers if name in worker.tally)) for name in names
        },
    )


def _times(times: ItemTimes) -> TimesText:
    return TimesText(count=times.visited, average=times.mean_ms, p50=times.p50_ms, p95=times.p95_ms, p99=times.p99_ms)
