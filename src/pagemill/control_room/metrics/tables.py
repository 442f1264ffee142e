"""The metrics of each worker: their names, meanings, and where a snapshot has the value. Reads nothing.

Names end in their unit, or in `_total` if they only rise; shares are from 0 to 1. The `memory_*` names come from other
systems and keep those systems' units, although Prometheus would spell them differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from pagemill.browser.rotation import RotationLevel as RotationLevel
from pagemill.control_room.figures.memory_figures import MEANINGS, MemoryFigures
from pagemill.fleet.processes import ProcessSnapshot
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.guard.pressure import PressureLevel as PressureLevel
from pagemill.guard.pressure import PressureLimits
from pagemill.guard.probe import Sample

MIB = 1024 * 1024
_PRESSURE: Mapping[str, int] = MappingProxyType({level.word: int(level) for level in PressureLevel})

USUAL_ROTATIONS = tuple(
    f"{level.name.lower()} {reason}" for level in RotationLevel for reason in ("uses", "age", "size", "errors")
)
"""Published with 0 from the start: Prometheus sees no rise in a series that first appears with a count."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Series(Generic[S]):
    """One value of each worker or other process, taken from `S`."""

    name: str
    text: str
    value: Callable[[S], float | None]
    """`None` if there is no value; the worker then has no such series."""


@dataclass(frozen=True, slots=True)
class Spread(Generic[S]):
    """Several values of each worker, distinguished by one label."""

    name: str
    text: str
    label: str
    values: Callable[[S], Mapping[str, float]]


WORKER_COUNTERS: tuple[Series[WorkerSnapshot], ...] = (
    Series("pagemill_worker_leases_total", "Visits that were given a page.", lambda w: w.leases),
    Series("pagemill_worker_cleanings_total", "Times that the guard has cleaned up.", lambda w: w.cleanings),
)

WORKER_GAUGES: tuple[Series[WorkerSnapshot], ...] = (
    Series(
        "pagemill_worker_start_timestamp_seconds",
        "When the worker started, in seconds since 1970.",
        lambda w: w.started_at.timestamp() if w.started_at else None,
    ),
    Series("pagemill_worker_draining", "1 while the worker finishes what it has begun, to stop.", lambda w: w.draining),
    Series("pagemill_worker_busy", "1 while the worker has a batch in hand.", lambda w: w.at_work is not None),
    Series("pagemill_worker_places_taken", "Visits at work that hold a page.", lambda w: w.lanes),
    Series("pagemill_worker_places", "How many there may be under the present pressure.", lambda w: w.size),
    Series("pagemill_worker_lanes_busy", "As pagemill_worker_places_taken; goes in 0.3.", lambda w: w.lanes),
    Series("pagemill_worker_lanes_admitted", "As pagemill_worker_places; goes in 0.3.", lambda w: w.size),
    Series(
        "pagemill_worker_pressure_level",
        "How short memory, shm or heap is: 0 normal, 1 warning, 2 cleanup, 3 critical, 4 emergency.",
        lambda w: _PRESSURE.get(w.pressure),
    ),
    Series(
        "pagemill_worker_memory_peak_bytes",
        "Highest memory (PSS) of the worker's process tree since it started.",
        lambda w: w.peak_pss_mb * MIB,
    ),
    Series("pagemill_worker_cpu_ratio", "CPU time of the tree, of all CPUs it may use.", lambda w: w.cpu_percent / 100),
    Series(
        "pagemill_worker_gc_longest_pause_seconds",
        "Longest pause of Python's collector since the worker started.",
        lambda w: w.collector.longest_ms / 1000,
    ),
)

SAMPLE_GAUGES: tuple[Series[Sample], ...] = (
    Series(
        "pagemill_worker_memory_ratio",
        "Memory (PSS) of the worker's process tree, of what it may use.",
        lambda s: _share(s.memory_percent),
    ),
    Series(
        "pagemill_worker_container_memory_ratio",
        "The container's working set, without page cache that can be dropped, of its tightest limit.",
        lambda s: _share(s.cgroup_percent),
    ),
    Series(
        "pagemill_worker_machine_memory_ratio",
        "What of the machine's memory is not available.",
        lambda s: _share(s.machine_percent),
    ),
    Series("pagemill_worker_shm_ratio", "What of /dev/shm is taken.", lambda s: _share(s.shm_percent)),
    Series("pagemill_worker_js_heap_bytes", "JavaScript heaps of live pages.", lambda s: _bytes(s.js_heap_mb)),
    Series(
        "pagemill_worker_js_heap_largest_bytes",
        "JavaScript heap of the largest live page.",
        lambda s: _bytes(s.largest_js_heap_mb),
    ),
    Series("pagemill_worker_python_rss_bytes", "RSS of the Python process alone.", lambda s: _bytes(s.rss_mb)),
    Series(
        "pagemill_worker_python_free_bytes",
        "What the C library keeps of the Python process' memory for later.",
        lambda s: _bytes(s.python.arena_free_mb),
    ),
    Series("pagemill_worker_swap_bytes", "What of the tree was swapped out.", lambda s: _bytes(s.swap_mb)),
    Series("pagemill_worker_temporary_bytes", "Temporary files on disk.", lambda s: _bytes(s.temporary_mb)),
    Series(
        "pagemill_worker_loop_lag_seconds",
        "The event loop's longest delay between the last two measurements.",
        lambda s: s.loop_lag_s,
    ),
    Series("pagemill_worker_open_descriptors", "Open files of the Python process.", lambda s: s.descriptors),
    Series("pagemill_worker_max_descriptors", "How many it may open.", lambda s: s.descriptor_limit),
    Series("pagemill_worker_zombies", "Ended processes that nobody has waited for.", lambda s: s.zombies),
)

LIMIT_GAUGES: tuple[Series[PressureLimits], ...] = (
    # A limit of 0 would make every share of it infinite.
    Series("memory_max_memory_mb", "What the worker's process tree may use, in MB.", lambda x: x.memory_mb or None),
    Series(
        "pagemill_worker_js_heap_limit_bytes",
        "What the JavaScript heap of one page may use.",
        lambda x: x.js_heap_mb * MIB or None,
    ),
)

PROCESS_GAUGES: tuple[Series[ProcessSnapshot], ...] = (
    Series("pagemill_process_rss_bytes", "RSS of the process alone.", lambda p: _bytes(p.rss_mb)),
    Series("pagemill_process_pss_bytes", "PSS of the process alone.", lambda p: _bytes(p.pss_mb)),
    Series("pagemill_process_cpu_ratio", "CPU time, of all CPUs it may use.", lambda p: p.cpu_percent / 100),
    Series("pagemill_process_open_descriptors", "Open files.", lambda p: p.descriptors),
    Series(
        "pagemill_process_start_timestamp_seconds",
        "When it started, in seconds since 1970.",
        lambda p: p.started_at.timestamp(),
    ),
    Series("pagemill_process_leads", "1 for the scheduler that fires, 0 for one that stands by.", lambda p: p.leads),
)

MEMORY_GAUGES: tuple[Series[MemoryFigures], ...] = (
    Series("memory_alloc_bytes", MEANINGS["alloc_bytes"], lambda f: f.alloc_bytes),
    Series("memory_total_alloc_bytes", MEANINGS["total_alloc_bytes"], lambda f: f.total_alloc_bytes),
    Series("memory_sys_bytes", MEANINGS["sys_bytes"], lambda f: f.sys_bytes),
    Series("memory_heap_alloc_bytes", MEANINGS["heap_alloc_bytes"], lambda f: f.heap_alloc_bytes),
    Series("memory_heap_sys_bytes", MEANINGS["heap_sys_bytes"], lambda f: f.heap_sys_bytes),
    Series("memory_heap_idle_bytes", MEANINGS["heap_idle_bytes"], lambda f: f.heap_idle_bytes),
    Series("memory_heap_inuse_bytes", MEANINGS["heap_inuse_bytes"], lambda f: f.heap_inuse_bytes),
    Series("memory_heap_objects", MEANINGS["heap_objects"], lambda f: f.heap_objects),
    Series("memory_gc_cpu_fraction", MEANINGS["gc_cpu_fraction"], lambda f: f.gc_cpu_fraction),
)

SPREADS: tuple[Spread[WorkerSnapshot], ...] = (
    Spread(
        "pagemill_worker_memory_bytes",
        "Memory (PSS) of the worker's process tree by role.",
        "role",
        lambda w: {role: megabytes * MIB for role, megabytes in w.sample.pss_mb.items()} if w.sample else {},
    ),
    Spread(
        "pagemill_worker_processes",
        "Living processes of the worker's tree by role.",
        "role",
        lambda w: w.sample.processes if w.sample else {},
    ),
    Spread("pagemill_worker_cache_entries", "Entries of caches that the guard cleans.", "cache", lambda w: w.caches),
    Spread(
        "pagemill_worker_pressure_reason",
        "1 for what the pressure is about; nothing under normal pressure.",
        "reason",
        lambda w: {w.pressure_reason: 1} if w.pressure_reason else {},
    ),
)


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _bytes(megabytes: float | None) -> float | None:
    return None if megabytes is None else megabytes * MIB
