"""The workers' memory in eleven figures with names from Go programs, with a meaning for Python and Chromium.

Pure: published values in, sums out. The API and the Prometheus metrics both use it, so that a name means the same in
both. A worker without a measurement counts as 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.guard.pressure import PressureReason, percentages

_MIB = 1024 * 1024

PlaceName = Literal["limit", "container", "machine"]

MEANINGS = {
    "alloc_bytes": "Memory in use: what Python's process has been handed out by malloc, and the JavaScript heaps of "
    "live pages",
    "total_alloc_bytes": "What the workers have taken from the system since they started, as far as measurements see "
    "it: each rise of a process tree's memory (PSS) from one to the next counts, no fall does. Neither Python nor "
    "Chromium counts what it allocates. Of each worker it only rises; a sum over workers falls when one leaves",
    "sys_bytes": "Memory of the workers' whole process trees (PSS: what processes share counts once)",
    "heap_alloc_bytes": "JavaScript heaps of live pages",
    "heap_sys_bytes": "Memory (PSS) of Chromium's renderers, which hold the JavaScript heaps",
    "heap_idle_bytes": "Memory of the renderers apart from the JavaScript heaps: heap_sys_bytes less heap_inuse_bytes",
    "heap_inuse_bytes": "JavaScript heaps of live pages; the same as heap_alloc_bytes",
    "heap_objects": "Python's small blocks of memory in use: about one for each object",
    "gc_pause_ns": "Pauses in which Python's garbage collector has made a worker stand still, by their length",
    "gc_count": "Collections of Python's garbage collector, of all generations, since the workers started",
    "gc_cpu_fraction": "Share of a Python process' CPU time that its garbage collector takes, 0 to 1; of several "
    "workers that of the one where it is highest",
}
"""The meaning of each figure here, by its field. The metrics' names are `memory_` and the field."""


@dataclass(frozen=True, slots=True)
class MemoryFigures:
    """Sums over workers, unless `MEANINGS` says otherwise."""

    alloc_bytes: int = 0
    total_alloc_bytes: int = 0
    sys_bytes: int = 0
    heap_alloc_bytes: int = 0
    heap_sys_bytes: int = 0
    heap_idle_bytes: int = 0
    heap_inuse_bytes: int = 0
    heap_objects: int = 0
    gc_pause_ns: int = 0
    """The total length of all garbage collection pauses."""
    gc_count: int = 0
    """The number of these pauses."""
    gc_pauses: tuple[int, ...] = ()
    """The number of pauses by length, see `PAUSE_BOUNDS_MS`; only of workers that publish it."""
    gc_cpu_fraction: float = 0.0
    max_memory_mb: float = 0.0
    """The memory that all workers together may use."""
    usage_percent: float = 0.0
    """The usage of the fullest worker, see `memory_percent`."""


def memory_figures_of(workers: Sequence[WorkerSnapshot]) -> MemoryFigures:
    """The figures of these workers together."""
    roles = pss_by_role_mb(workers)
    heaps = sum(worker.sample.js_heap_mb or 0.0 for worker in workers if worker.sample)
    renderers = roles.get("renderers", 0.0)
    return MemoryFigures(
        alloc_bytes=_bytes(heaps + sum(_python_used_mb(worker) for worker in workers)),
        total_alloc_bytes=_bytes(sum(max(worker.allocated_mb, worker.peak_pss_mb) for worker in workers)),
        sys_bytes=_bytes(sum(roles.values())),
        heap_alloc_bytes=_bytes(heaps),
        heap_sys_bytes=_bytes(renderers),
        heap_idle_bytes=_bytes(max(0.0, renderers - heaps)),
        heap_inuse_bytes=_bytes(heaps),
        heap_objects=sum(worker.sample.python.blocks for worker in workers if worker.sample),
        gc_pause_ns=round(1e9 * sum(worker.collector.pause_s for worker in workers)),
        gc_pauses=_added(worker.collector.pauses for worker in workers),
        gc_count=sum(sum(worker.collector.collections) for worker in workers),
        gc_cpu_fraction=round(max((worker.collector.cpu_percent for worker in workers), default=0.0) / 100, 4),
        max_memory_mb=round(sum(worker.limits.memory_mb for worker in workers if worker.limits), 1),
        usage_percent=round(max((memory_percent(worker) for worker in workers), default=0.0), 1),
    )


def memory_percent(worker: WorkerSnapshot) -> float:
    """The worker's memory usage: the highest of its own limit, its container and its machine, as its guard judges it. 0
    before the first measurement."""
    if worker.sample is None or worker.limits is None:
        return 0.0
    return percentages(worker.sample, worker.limits, 1)[PressureReason.MEMORY]


@dataclass(frozen=True, slots=True)
class MemoryPlace:
    """The fullest of a worker's limit, container and machine: its size, and how full it is."""

    name: PlaceName
    total_mb: float
    percent: float

    @property
    def used_mb(self) -> float:
        """The used memory, for a container or machine including that of other processes."""
        return self.total_mb * self.percent / 100


def shortest_place(worker: WorkerSnapshot) -> MemoryPlace:
    """The fullest of the worker's own limit, its container and its machine, as its guard judges them."""
    sample = worker.sample
    limit_mb = worker.limits.memory_mb if worker.limits else 0.0
    if sample is None:
        return MemoryPlace("limit", limit_mb, 0.0)
    places = (
        MemoryPlace("limit", limit_mb, sample.memory_percent or 0.0),
        # Workers older than 0.2 do not publish these sizes.
        MemoryPlace("container", sample.cgroup_limit_mb or limit_mb, sample.cgroup_percent or 0.0),
        MemoryPlace("machine", sample.machine_mb or limit_mb, sample.machine_percent),
    )
    return max(places, key=lambda place: place.percent)


def pss_by_role_mb(workers: Sequence[WorkerSnapshot]) -> dict[str, float]:
    """The memory (PSS) of all workers by role: python, driver, browser, renderers, gpu, utility, other."""
    sums: dict[str, float] = {}
    for worker in workers:
        for role, size_mb in worker.sample.pss_mb.items() if worker.sample else ():
            sums[role] = round(sums.get(role, 0.0) + size_mb, 1)
    return dict(sorted(sums.items()))


def _added(counts: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    told = [each for each in counts if each]
    return tuple(map(sum, zip(*told, strict=True)))


def _python_used_mb(worker: WorkerSnapshot) -> float:
    """The memory in use by Python's allocator; if the C library does not report it, the whole Python process."""
    if worker.sample is None:
        return 0.0
    used_mb = worker.sample.python.arena_used_mb
    return worker.sample.pss_mb.get("python", 0.0) if used_mb is None else used_mb


def _bytes(megabytes: float) -> int:
    return round(megabytes * _MIB)
