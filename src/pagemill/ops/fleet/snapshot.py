"""What each worker publishes about itself in Redis, and reading that back.

A worker that stops well takes its entry away. That of a dead one stays for some minutes, so that it can be seen, and
then expires. Its age is told by Redis' own clock, whatever the machines' clocks say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import TypeAdapter
from redis import Redis

from pagemill.browser.visitor.proxies import ProxyState
from pagemill.guard.pressure import Limits
from pagemill.guard.probe import Sample
from pagemill.guard.python_memory import CollectorStats
from pagemill.model import ConnectionCounts
from pagemill.ops.fleet.overrides import GuardInForce
from pagemill.ops.fleet.tally import PlatformTally

PREFIX = "pagemill:worker:"
KEPT_S = 600
"""How long a dead worker's entry is kept."""
ALIVE_S = 30.0
"""A worker that has been silent for longer counts as dead."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """The batch that a worker has in hand."""

    run: str
    batch: str
    platform: str
    done: int
    products: int


@dataclass(frozen=True, slots=True)
class WorkerSnapshot:
    """One worker at one moment. Memory is PSS of its whole process tree."""

    name: str
    pid: int
    host: str
    platforms: tuple[str, ...]
    lanes: int
    """How many hold a page now."""
    size: int
    """How many may, under the present pressure."""
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
    at_work: AtWork | None = None
    proxies: tuple[ProxyState, ...] = ()
    """Of its platforms' visitors, by name."""
    sample: Sample | None = None
    cpu_percent: float = 0.0
    """Of all CPUs that it may use."""
    collector: CollectorStats = field(default_factory=CollectorStats)
    limits: Limits | None = None
    guard: GuardInForce | None = None
    """The guard's settings that are in force."""
    caches: Mapping[str, int] = field(default_factory=dict)
    cleanings: int = 0
    tally: Mapping[str, PlatformTally] = field(default_factory=dict)
    """By platform, since the worker started."""
    connections: Mapping[str, ConnectionCounts] = field(default_factory=dict)
    """By service: redis, database."""
    overrides: int = 0
    """The version of the fleet's changed settings that are in force."""
    allocated_mb: float = 0.0
    """By how much memory has risen from sample to sample, all rises together."""
    silent_s: float = 0.0
    """How old this is; known when it is read."""

    @property
    def is_alive(self) -> bool:
        """Whether it has published lately."""
        return self.silent_s <= ALIVE_S


_ADAPTER = TypeAdapter(WorkerSnapshot)


def publish(redis: Redis, snapshot: WorkerSnapshot) -> None:
    """Stores it."""
    redis.set(PREFIX + snapshot.name, _ADAPTER.dump_json(snapshot), ex=KEPT_S)


def withdraw(redis: Redis, name: str) -> None:
    """Removes a worker that stops."""
    redis.delete(PREFIX + name)


def read_workers(redis: Redis) -> list[WorkerSnapshot]:
    """Every worker that published within the last ten minutes, dead or alive, by name."""
    keys = sorted(set(redis.scan_iter(match=PREFIX + "*", count=1000)))  # SCAN may name a key twice
    with redis.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.get(key)
            pipeline.pttl(key)
        answers = pipeline.execute()
    pairs = zip(answers[::2], answers[1::2], strict=True)
    return [_decode(value, ttl_ms) for value, ttl_ms in pairs if value is not None and ttl_ms > 0]


def read_fleet(redis: Redis) -> list[WorkerSnapshot]:
    """Every worker that is alive, by name."""
    return [worker for worker in read_workers(redis) if worker.is_alive]


def _decode(value: bytes, ttl_ms: int) -> WorkerSnapshot:
    # While a fleet is renewed step by step, newer workers publish fields that are not known here yet; they are ignored.
    return replace(_ADAPTER.validate_json(value), silent_s=round(max(0.0, KEPT_S - ttl_ms / 1000), 1))
