"""What each worker publishes about itself in Redis, and reading that back. A dead worker's entry expires by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from redis import Redis

_PREFIX = "pagemill:worker:"
_TTL_S = 60


@dataclass(frozen=True, slots=True)
class WorkerSnapshot:
    """One worker at one moment. Memory is PSS of its whole process tree."""

    name: str
    pid: int
    host: str
    platforms: tuple[str, ...]
    lanes: int
    size: int
    pss_mb: float
    peak_pss_mb: float
    leases: int
    rotations: Mapping[str, int] = field(default_factory=dict)
    pressure: str = "normal"


def publish(redis: Redis, snapshot: WorkerSnapshot) -> None:
    """Stores it for a minute."""
    redis.set(_PREFIX + snapshot.name, json.dumps(asdict(snapshot)), ex=_TTL_S)


def withdraw(redis: Redis, name: str) -> None:
    """Removes a worker that stops."""
    redis.delete(_PREFIX + name)


def read_fleet(redis: Redis) -> list[WorkerSnapshot]:
    """Every worker that published within the last minute, by name."""
    keys = sorted(set(redis.scan_iter(match=_PREFIX + "*", count=1000)))  # SCAN may name a key twice
    values = redis.mget(keys) if keys else []
    return [_decode(value) for value in values if value is not None]


def _decode(value: bytes | str) -> WorkerSnapshot:
    # While a fleet is renewed step by step, newer workers publish fields that are not known here yet.
    known = {each.name for each in fields(WorkerSnapshot)}
    published = {name: value for name, value in json.loads(value).items() if name in known}
    return WorkerSnapshot(**{**published, "platforms": tuple(published["platforms"])})
