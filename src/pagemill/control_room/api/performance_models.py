"""Response bodies below `/api/performance`. The first fields of each are those that the API's existing clients know."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from pagemill.control_room.figures.health_word import HealthWord
from pagemill.control_room.figures.trend import TrendWord
from pagemill.control_room.frame.envelope import Moment

Period = Literal["hourly", "daily", "weekly"]

PERIODS_S: dict[Period, float] = {"hourly": 3600.0, "daily": 24 * 3600.0, "weekly": 7 * 24 * 3600.0}

Scalar = str | int | float | bool | None


class Camel(BaseModel):
    """A part of an answer; its fields' names are in camel case."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class UsedMemory(Camel):
    """Memory of all workers' process trees."""

    used: int = Field(description="MB (PSS)", examples=[128])
    total: int = Field(description="MB that these workers may use together", examples=[512])
    usage: float = Field(
        description="Percent, of the fullest worker, as its guard judges: its own limit, its container or its machine",
        examples=[25],
    )


class PerformanceHealth(Camel):
    """The fleet's health in one word."""

    status: HealthWord
    timestamp: Moment
    uptime: int = Field(description="Seconds, of the worker that has run for longest", examples=[86400])
    memory: UsedMemory


class HealthEnvelope(BaseModel):
    """`success` is false, and the status 503, when it is critical."""

    model_config = ConfigDict(frozen=True)

    success: bool
    data: PerformanceHealth
    timestamp: Moment


class CpuUsage(Camel):
    """CPU time of all process trees since the workers started, in microseconds."""

    user: int = Field(description="In the processes themselves", examples=[45000000])
    system: int = Field(description="In the kernel, for them", examples=[12000000])


class MemoryUsage(Camel):
    """Memory of all workers, in bytes, under the names that Node.js uses."""

    rss: int = Field(description="PSS of the process trees (what processes share counts once)", examples=[134217728])
    heap_total: int = Field(description="PSS of Chromium's renderers, which hold the JavaScript heaps")
    heap_used: int = Field(description="JavaScript heaps of live pages", examples=[45678912])
    external: int = Field(description="What the Python processes have been handed out by malloc")
    array_buffers: int = Field(default=0, description="Always 0: they are part of heapTotal and not measured apart")


class Metrics(Camel):
    """The fleet at one moment."""

    timestamp: Moment
    cpu_usage: CpuUsage
    memory_usage: MemoryUsage
    event_loop_delay: float = Field(
        description="Milliseconds: the longest between the last two measurements, of the worker where it is longest",
        examples=[2.5],
    )
    active_handles: int = Field(description="Open file descriptors of the worker processes", examples=[15])
    active_requests: int = Field(description="Visits under way", examples=[3])
    uptime: int = Field(description="Seconds, of the worker that has run for longest", examples=[86400])
    requests_per_second: float = Field(description="Products per second, over the last five minutes", examples=[25.4])
    error_rate: float = Field(description="Share of failed products in the last five minutes", examples=[0.02])


class HistoryPoint(Camel):
    """The fleet, or one worker, in a part of the time. Sizes and rates are sums over the workers, percentages and
    delays the highest of one."""

    timestamp: Moment
    workers: int
    memory_mb: float = Field(description="PSS of the process trees")
    memory_by_role_mb: dict[str, float] = Field(
        description="The same by role: python, driver, browser, renderers, gpu, utility, other"
    )
    memory_percent: float
    shm_percent: float
    js_heap_mb: float
    cpu_percent: float
    event_loop_delay: float = Field(description="Milliseconds: the longest in this part")
    gc_percent: float = Field(description="Share of Python's CPU time that its collector takes")
    lanes: float = Field(description="Visits that held a page")
    pressure: float = Field(description="0 normal, 1 warning, 2 cleanup, 3 critical, 4 emergency")
    requests_per_second: float = Field(description="Products per second")
    response_time: float = Field(description="Mean milliseconds of a visited product; 0 without one")
    error_rate: float
    block_rate: float
    rotations: dict[str, int] = Field(description="How many there were, by level")
    measures: dict[str, float] = Field(description="By `HistoryData.measures`' names: the highest of a worker")


class MeasureText(Camel):
    """A number that is measured of each worker, and that alert rules may name."""

    name: str
    meaning: str
    unit: str = Field(description="Empty for a count or a share")


class HistoryData(Camel):
    """Measurements of a period, oldest first."""

    period: Period
    worker: str = Field(description="Empty for the whole fleet")
    points: list[HistoryPoint]
    measures: list[MeasureText] = Field(description="Whatever a point may have")


class AlertText(Camel):
    """One alert that was sent."""

    id: str
    name: str
    level: str = Field(description="info, warning, critical or emergency")
    kind: str = Field(description="performance, critical or predictive; run for what came of runs")
    message: str
    worker: str
    scope: str = Field(description="What it is about apart from its name, such as a platform")
    timestamp: Moment
    facts: dict[str, Any]


class AlertsData(Camel):
    """Alerts, the newest first."""

    alerts: list[AlertText]


class EventText(Camel):
    """Something that happened in a worker."""

    id: str
    event: str
    worker: str
    level: str
    timestamp: str
    facts: dict[str, Scalar]


class EventsData(Camel):
    """Events, the newest first."""

    events: list[EventText]


class Trends(Camel):
    """The trend of memory (PSS of all process trees) over the last hour."""

    memory_trend: TrendWord
    memory_change: str = Field(examples=["+2.5%"])


class PlatformCache(Camel):
    """What the fleet remembers of a platform's products."""

    hits: int = Field(description="Products that were spared a visit")
    misses: int
    hit_rate: float


class CacheData(Camel):
    """Caches in the workers' memory, and the memory of visits that the fleet shares."""

    hit_rate: float = Field(description="Share of products that were spared a visit, 0 to 1")
    miss_rate: float
    hits: int
    misses: int
    size: int = Field(description="Entries of all registered caches of all workers")
    max_size: int = Field(description="What one cache may hold (`guard.max_cache_size`)")
    caches: dict[str, int] = Field(description="Entries by cache")
    platforms: dict[str, PlatformCache]
    api: PlatformCache = Field(description="What this API process had ready when it was asked, and what it had to make")


class MemoryData(Camel):
    """Memory in detail."""

    status: HealthWord
    message: str
    usage: UsedMemory
    by_role_mb: dict[str, float]
    memory_usage: MemoryUsage
    heap_objects: int = Field(description="Python's small blocks of memory in use: about one for each object")
    gc_count: int
    gc_pause_ms: float = Field(description="All pauses of Python's collector together")
    gc_cpu_percent: float
    swap_mb: float
    shm_percent: float | None
    oom_kills: int
    trends: Trends


class TimesText(Camel):
    """Times of visited products in milliseconds, including all attempts. All but the mean are estimates."""

    count: int
    average: float
    p50: float
    p95: float
    p99: float


class TimeBucket(Camel):
    """How many products took longer than the bound before, and up to this one."""

    up_to_ms: float | None = Field(description="null for the longest")
    count: int


class ResponseTimeData(TimesText):
    """The times of all platforms together and of each, since the workers started."""

    recent: float = Field(description="Mean of the last five minutes; 0 without a visit")
    buckets: list[TimeBucket]
    platforms: dict[str, TimesText]
