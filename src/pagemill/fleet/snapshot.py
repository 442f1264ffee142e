"""What each worker publishes about itself in Redis, and how it is read.

A worker that stops properly removes its entry. A dead worker's entry stays for some minutes, so that it can be seen,
and then expires. Its age is measured by Redis' clock, because the machines' clocks may differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from redis import Redis

from pagemill.browser.visitor.proxies import ProxyState
from pagemill.config.changeable import CHANGEABLE, in_force
from pagemill.config.settings import GuardSettings
from pagemill.fleet.published import ALIVE_S, KEPT_S, Published, Snapshot
from pagemill.fleet.tally import PlatformTally
from pagemill.guard.pressure import PressureLimits
from pagemill.guard.probe import Sample
from pagemill.guard.python_memory import CollectorStats
from pagemill.model import ConnectionCounts

__all__ = [
    "ALIVE_S",
    "KEPT_S",
    "PREFIX",
    "AtWork",
    "WorkerSnapshot",
    "publish",
    "read_fleet",
    "read_workers",
    "withdraw",
]


@dataclass(frozen=True, slots=True)
class AtWork:
    """A batch that a worker is processing."""

    run: str
    batch: str
    platform: str
    done: int
    products: int


@dataclass(frozen=True, slots=True)
class WorkerSnapshot(Snapshot):
    """One worker at one moment. Memory is PSS of its whole process tree."""

    name: str
    pid: int
    host: str
    platforms: tuple[str, ...]
    lanes: int
    """Occupied places: visits at work that hold a page."""
    size: int
    """All places that the present memory pressure allows."""
    pss_mb: float
    peak_pss_mb: float
    leases: int
    rotations: Mapping[str, int] = field(default_factory=dict)
    """By level: page, context, browser, driver."""
    pressure: str = "normal"
    pressure_reason: str = ""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Rotations by level and reason, such as `page uses`."""
    started_at: datetime | None = None
    draining: bool = False
    batches: tuple[AtWork, ...] = ()
    """At most one for each platform."""
    proxies: tuple[ProxyState, ...] = ()
    """The proxies of its platforms' visitors, by name."""
    sample: Sample | None = None
    cpu_percent: float = 0.0
    """Percentage of all CPUs that the worker may use."""
    collector: CollectorStats = field(default_factory=CollectorStats)
    limits: PressureLimits | None = None
    guard: Mapping[str, Any] = field(default_factory=dict)
    """The guard's settings that are in force, by the keys of `config.changeable`."""
    caches: Mapping[str, int] = field(default_factory=dict)
    cleanings: int = 0
    tally: Mapping[str, PlatformTally] = field(default_factory=dict)
    """By platform, since the worker started."""
    connections: Mapping[str, ConnectionCounts] = field(default_factory=dict)
    """By service: redis, database."""
    overrides: int = 0
    """The version of the fleet's changed settings that the worker applies."""
    allocated_mb: float = 0.0
    """The sum of all rises of memory from one sample to the next."""
    silent_s: float = 0.0

    @property
    def at_work(self) -> AtWork | None:
        """One of the batches being processed; `None` without any."""
        return self.batches[0] if self.batches else None

    def guard_in_force(self, untold: GuardSettings) -> GuardSettings:
        """The guard's settings as they are in the worker; what it does not tell is as in `untold`."""
        return in_force(untold, {key: value for key, value in self.guard.items() if key in CHANGEABLE})


_WORKERS = Published(WorkerSnapshot, "worker")
PREFIX = _WORKERS.prefix
publish = _WORKERS.publish
withdraw = _WORKERS.withdraw
read_workers = _WORKERS.read


def read_fleet(redis: Redis) -> list[WorkerSnapshot]:
    """Every living worker, by name."""
    return [worker for worker in read_workers(redis) if worker.is_alive]
