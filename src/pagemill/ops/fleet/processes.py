"""What the processes beside the workers say of themselves: scheduler, control API and supervisor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter
from redis import Redis

from pagemill.ops.fleet.published import ALIVE_S, publish_at, read_published

SCHEDULER = "scheduler"
API = "api"
SUPERVISOR = "supervisor"

PREFIX = "pagemill:process:"


@dataclass(frozen=True, slots=True)
class ProcessSnapshot:
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
    """How old this is; known when it is read."""

    @property
    def is_alive(self) -> bool:
        """Whether it has published lately."""
        return self.silent_s <= ALIVE_S


_ADAPTER = TypeAdapter(ProcessSnapshot)


def publish(redis: Redis, snapshot: ProcessSnapshot) -> None:
    """Stores it."""
    publish_at(redis, PREFIX + snapshot.name, _ADAPTER.dump_json(snapshot))


def withdraw(redis: Redis, name: str) -> None:
    """Removes a process that ends."""
    redis.delete(PREFIX + name)


def read_processes(redis: Redis) -> list[ProcessSnapshot]:
    """Every process that published within the last ten minutes, dead or alive, by role and name."""
    found = read_published(redis, PREFIX)
    processes = [replace(_ADAPTER.validate_json(body), silent_s=silent_s) for body, silent_s in found]
    return sorted(processes, key=lambda process: (process.role, process.name))
