"""Response bodies below `/memory`. Their fields and examples are those that the API's existing clients know."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from pagemill.control_room.figures.health_word import HealthWord
from pagemill.control_room.figures.memory_figures import PlaceName
from pagemill.control_room.figures.trend import TrendWord
from pagemill.control_room.frame.envelope import Moment


def _like(example: JsonDict) -> ConfigDict:
    return ConfigDict(frozen=True, json_schema_extra={"examples": [example]})


class MemoryStatus(BaseModel):
    """The state of memory in one word, by the worst worker."""

    model_config = _like(
        {
            "status": "healthy",
            "message": "Memory is fine (45.2%)",
            "memory_percent": 45.2,
            "process_memory_mb": 256.8,
            "cache_size": 150,
            "timestamp": "2024-01-01T12:00:00.000Z",
        }
    )

    status: HealthWord
    message: str
    memory_percent: float = Field(
        description="Of the fullest worker, as its guard judges: its own limit, its container or its machine"
    )
    process_memory_mb: float = Field(description="PSS of all workers' process trees, browsers included")
    cache_size: int = Field(description="Entries of all registered caches")
    timestamp: Moment


class FullestWorker(BaseModel):
    """The worker with the least free memory, and its fullest limit: its own, or one that others share."""

    model_config = ConfigDict(frozen=True)

    worker: str
    host: str
    place: PlaceName = Field(description="What is fullest: the worker's own limit, its container or its machine")
    total_memory_mb: float = Field(description="What that place has")
    used_memory_mb: float = Field(description="What of it is used, by others too where it is a container or a machine")
    available_memory_mb: float = Field(description="What of it is left")
    memory_percent: float = Field(description="used_memory_mb of total_memory_mb, as the worker's guard judges it")
    process_memory_mb: float = Field(description="PSS of this worker's process tree")
    process_memory_percent: float = Field(description="process_memory_mb of total_memory_mb")
    swap_memory_mb: float = Field(description="What of its process tree has been swapped out")


class FleetMemory(BaseModel):
    """All workers together; with `?worker=NAME` that one alone."""

    model_config = ConfigDict(frozen=True)

    workers: int = Field(description="How many that are")
    total_memory_mb: float = Field(description="What they may use together, by the limits of each")
    process_memory_mb: float = Field(description="PSS of their process trees")
    process_memory_percent: float = Field(description="process_memory_mb of total_memory_mb")
    swap_memory_mb: float = Field(description="What of the process trees has been swapped out")
    swap_percent: float = Field(description="swap_memory_mb of the trees' whole memory, in memory or swapped out")
    gc_collections: dict[str, int] = Field(description="Collections of Python's garbage collector by generation")
    cache_size: int = Field(description="Entries of all registered caches")


class MemorySample(BaseModel):
    """Under the guide's names: the memory that there is comes from `fullest`, the processes' usage from `fleet`.

    With several workers the two do not add up: read `fullest` or `fleet`.
    """

    model_config = ConfigDict(frozen=True)

    timestamp: Moment
    total_memory_mb: float = Field(description="Of fullest")
    available_memory_mb: float = Field(description="Of fullest")
    used_memory_mb: float = Field(description="Of fullest")
    memory_percent: float = Field(description="Of fullest")
    process_memory_mb: float = Field(description="Of fleet")
    process_memory_percent: float = Field(description="Of fleet")
    swap_memory_mb: float = Field(description="Of fleet")
    swap_percent: float = Field(description="Of fleet")
    gc_collections: dict[str, int] = Field(description="Of fleet")
    cache_size: int = Field(description="Of fleet")


class MemoryTrend(BaseModel):
    """The trend of memory over the last hour. Percentages are those of `memory_percent`."""

    model_config = ConfigDict(frozen=True)

    trend: TrendWord
    avg_usage: float
    peak_usage: float
    sample_count: int


class ProcessMemory(BaseModel):
    """A scheduler, control API or supervisor, and its own memory."""

    model_config = ConfigDict(frozen=True)

    process: str
    role: str = Field(description="scheduler, api or supervisor")
    host: str
    pid: int
    started_at: Moment
    rss_mb: float
    pss_mb: float
    cpu_percent: float = Field(description="Of all CPUs that it may use")
    descriptors: int
    leads: bool | None = Field(description="Of schedulers: whether it is the one that fires")


class MemoryDetail(BaseModel):
    """Memory in detail."""

    model_config = _like(
        {
            "current": {
                "timestamp": "2024-01-01T12:00:00.000Z",
                "total_memory_mb": 8192.0,
                "available_memory_mb": 4096.0,
                "used_memory_mb": 4096.0,
                "memory_percent": 50.0,
                "process_memory_mb": 256.8,
                "process_memory_percent": 3.1,
                "swap_memory_mb": 0.0,
                "swap_percent": 0.0,
                "gc_collections": {"0": 10, "1": 2, "2": 0},
                "cache_size": 150,
            },
            "trend": {"trend": "stable", "avg_usage": 48.5, "peak_usage": 52.3, "sample_count": 30},
            "history_size": 288,
            "optimization_count": 5,
            "cache_size": 150,
            "is_running": True,
            "fullest": {
                "worker": "vm-7307-3d1d",
                "host": "vm",
                "place": "machine",
                "total_memory_mb": 8192.0,
                "used_memory_mb": 4096.0,
                "available_memory_mb": 4096.0,
                "memory_percent": 50.0,
                "process_memory_mb": 256.8,
                "process_memory_percent": 3.1,
                "swap_memory_mb": 0.0,
            },
            "fleet": {
                "workers": 1,
                "total_memory_mb": 8192.0,
                "process_memory_mb": 256.8,
                "process_memory_percent": 3.1,
                "swap_memory_mb": 0.0,
                "swap_percent": 0.0,
                "gc_collections": {"0": 10, "1": 2, "2": 0},
                "cache_size": 150,
            },
            "processes": [
                {
                    "process": "vm-7001-3d1d",
                    "role": "scheduler",
                    "host": "vm",
                    "pid": 7001,
                    "started_at": "2024-01-01T11:00:00.000Z",
                    "rss_mb": 96.4,
                    "pss_mb": 81.2,
                    "cpu_percent": 0.4,
                    "descriptors": 14,
                    "leads": True,
                }
            ],
        }
    )

    current: MemorySample
    trend: MemoryTrend
    history_size: int = Field(description="How many points `/memory/history?hours=24` has now")
    optimization_count: int = Field(description="Clean-ups since the workers started")
    cache_size: int
    is_running: bool = Field(description="Whether any of these workers is alive")
    fullest: FullestWorker | None = Field(description="null without a worker")
    fleet: FleetMemory
    processes: list[ProcessMemory] = Field(
        description="Schedulers, API processes and supervisors that are alive; none of them is in the figures above. "
        "Empty with `?worker=`"
    )


class HistoryEntry(BaseModel):
    """Memory in one part of the period."""

    model_config = ConfigDict(frozen=True)

    timestamp: Moment
    memory_percent: float = Field(description="Of the worker that was fullest then")
    process_memory_mb: float = Field(description="PSS of all workers' process trees")
    swap_memory_mb: float = Field(description="Of all workers")
    workers: int = Field(description="How many were measured")


class MemoryHistory(BaseModel):
    """Memory over the last hours, the oldest first; at most as many points as `max_history_size`."""

    model_config = ConfigDict(frozen=True)

    hours: float
    count: int
    history: list[HistoryEntry]


class CleanupResult(BaseModel):
    """The outcome of a clean-up, in all workers together."""

    model_config = _like(
        {
            "success": True,
            "optimization_time": 0.25,
            "gc_collected": 42,
            "cache_cleaned": 30,
            "memory_freed_mb": 15.2,
            "message": "Done by 1 worker",
        }
    )

    success: bool = Field(description="Whether any worker did it")
    optimization_time: float = Field(description="Seconds until the last worker had answered")
    gc_collected: int
    cache_cleaned: int
    memory_freed_mb: float
    message: str


class BackgroundTask(BaseModel):
    """A clean-up in the background."""

    model_config = ConfigDict(frozen=True)

    success: Literal[True] = True
    task_id: str
    state: Literal["running", "done", "failed"]
    message: str
    result: CleanupResult | None = None
