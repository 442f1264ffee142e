"""What the processes beside the workers say of themselves: scheduler, control API and supervisor."""

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
    """One process at one moment. What it uses is its own, without that of processes which it has started."""

    name: str
    role: str
    """`scheduler`, `api` or `supervisor`."""
    pid: int
    host: str
    started_at: datetime
    rss_mb: float
    pss_mb: float
    cpu_percent: float
    """Of all CPUs that it may use."""
    descriptors: int
    leads: bool | None = None
    """Whether it is the scheduler that fires; `None` for other roles."""
    silent_s: float = 0.0


_PROCESSES = Published(ProcessSnapshot, "process")
PREFIX = _PROCESSES.prefix
publish = _PROCESSES.publish
withdraw = _PROCESSES.withdraw


def read_processes(redis: Redis) -> list[ProcessSnapshot]:
    """Every process that published within the last ten minutes, dead or alive, by role and name."""
    return sorted(_PROCESSES.read(redis), key=lambda process: (process.role, process.name))
