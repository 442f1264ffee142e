"""The response body of `/api/performance/dashboard`: the fleet, with a row for each worker and platform."""

from __future__ import annotations

from pydantic import Field

from pagemill.control_room.api.performance_models import (
    AlertText,
    Camel,
    EventText,
    HistoryPoint,
    Metrics,
    Trends,
    UsedMemory,
)
from pagemill.control_room.figures.health_word import HealthWord


class Work(Camel):
    """The batch that a worker is working on."""

    run: str
    batch: str
    platform: str
    done: int
    products: int


class WorkerText(Camel):
    """One worker. Dead workers stay for ten minutes."""

    name: str
    host: str
    pid: int
    platforms: list[str]
    alive: bool
    silent_seconds: float
    uptime: int
    draining: bool
    places: int = Field(description="How many visits may be at work, under the present pressure")
    places_taken: int = Field(description="Visits at work that hold a page")
    lanes: int = Field(description="As placesTaken; goes in 0.3")
    lanes_allowed: int = Field(description="As places; goes in 0.3")
    pressure: str
    pressure_reason: str
    batches: list[Work] = Field(description="At most one of each platform")
    at_work: Work | None = Field(description="The first of `batches`")
    memory_mb: float
    peak_memory_mb: float
    memory_limit_mb: float
    memory_percent: float = Field(description="The fullest of its own limit, its container and its machine")
    memory_by_role_mb: dict[str, float]
    shm_percent: float | None
    cpu_percent: float
    event_loop_delay: float = Field(description="Milliseconds: the longest between the last two measurements")
    visits: int
    rotations: dict[str, int]
    rotation_reasons: dict[str, int]
    requests_per_second: float
    response_time: float
    error_rate: float
    block_rate: float


class ProcessText(Camel):
    """A scheduler, control API or supervisor, and its own resource usage. Dead ones stay for ten minutes."""

    name: str
    role: str = Field(description="scheduler, api or supervisor")
    host: str
    pid: int
    alive: bool
    silent_seconds: float
    uptime: int
    rss_mb: float
    pss_mb: float
    cpu_percent: float
    descriptors: int
    leads: bool | None = Field(description="Of schedulers: whether it is the one that fires")


class PaceText(Camel):
    """A platform's pause, breaker and slowdown, for the whole fleet."""

    paused_seconds: float
    why: str
    open_seconds: float = Field(description="For how long it is left alone after repeated blocks")
    trying: bool = Field(description="One visit is to show whether it may be visited again")
    slowdown: float = Field(description="By how much waits are stretched, from 1")


class PlatformRow(Camel):
    """One platform. Counts are those of the living workers since they started."""

    name: str
    waiting: int = Field(description="Batches")
    at_work: int
    failed: int
    verdicts: dict[str, int]
    products: int
    visited: int
    spared: int = Field(description="Products that were seen lately and not visited")
    attempts: int
    response_time: float = Field(description="Mean milliseconds of a visited product")
    wait_seconds: float = Field(description="What lanes have waited for their turns, all together")
    pace: PaceText
    workers: int


class DashboardHistory(Camel):
    """The fleet's measurements, in few points; `/metrics/history` has more."""

    hourly: list[HistoryPoint]
    daily: list[HistoryPoint]
    weekly: list[HistoryPoint]


class Dashboard(Camel):
    """Everything that the dashboard shows."""

    current: Metrics
    history: DashboardHistory | None = Field(description="null with `?history=false`")
    alerts: list[AlertText]
    status: HealthWord
    status_message: str
    trends: Trends
    recommendations: list[str]
    memory: UsedMemory
    memory_by_role_mb: dict[str, float]
    workers: list[WorkerText]
    processes: list[ProcessText] = Field(description="Schedulers, API processes and supervisors of the whole fleet")
    platforms: list[PlatformRow]
    events: list[EventText]
    scheduler: str = Field(description="The scheduler that is active; empty without one")
