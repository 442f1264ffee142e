"""The snapshots of the processes beside the workers: scheduler, control API and supervisor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from redis import Redis

from pagemill.fleet.published import Published, Snapshot

SCHEDULER = "scheduler"
API = "api"
SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class ProcessSnapshot(Snapshot):
    """One process at one moment. The figures are the process' own, without its child processes."""

    name: str
    role: str
    """`scheduler`, `api` or `supervisor`."""
    pid: int
    host: str
    started_at: datetime
    rss_mb: float
    pss_mb: float
    cpu_percent: float
    """Percentage of all CPUs that the process may use."""
    descriptors: int
    leads: bool | None = None
    """Whether it is the scheduler that fires entries; `None` for other roles."""
    silent_s: float = 0.0


_PROCESSES = Published(ProcessSnapshot, "process")
PREFIX = _PROCESSES.prefix
publish = _PROCESSES.publish
withdraw = _PROCESSES.withdraw


def read_processes(redis: Redis) -> list[ProcessSnapshot]:
    """Every process that has published in the last ten minutes, dead or alive, ordered by role and name."""
    return sorted(_PROCESSES.read(redis), key=lambda process: (process.role, process.name))
