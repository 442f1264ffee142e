"""Recent events of the fleet: log lines of its workers, in one Redis stream with limited entries and time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from pydantic import TypeAdapter
from redis import Redis

from pagemill.telemetry.event_buffer import BufferedEvent

_KEY = "pagemill:events"
_ENTRIES = 5000
_KEPT_S = 8 * 24 * 3600


@dataclass(frozen=True, slots=True)
class FleetEvent:
    """One log line of one worker."""

    worker: str
    event: str
    """One of `telemetry.events`."""
    level: str
    at: str
    """ISO 8601, UTC, by the worker's clock."""
    facts: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    id: str = ""
    """Rises with every event; set when the event is read."""


_ADAPTER = TypeAdapter(FleetEvent)


def write_events(redis: Redis, worker: str, told: Iterable[BufferedEvent]) -> None:
    """Adds log lines.

    Raises:
        RedisError: not all of them were written.
    """
    with redis.pipeline(transaction=False) as pipeline:
        for each in told:
            body = _ADAPTER.dump_json(FleetEvent(worker, each.event, each.level, each.at, each.facts))
            pipeline.xadd(_KEY, {"event": body}, maxlen=_ENTRIES, approximate=True)
        pipeline.expire(_KEY, _KEPT_S)
        pipeline.execute()


def read_events(redis: Redis, count: int = 200, span_s: float = _KEPT_S) -> list[FleetEvent]:
    """The latest events of the last `span_s` seconds, newest first.

    Raises:
        RedisError: Redis does not answer.
    """
    seconds, _ = redis.time()
    first = f"{round((seconds - span_s) * 1000)}-0"
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrevrange(_KEY, "+", first, count=count))
    return [replace(_ADAPTER.validate_json(values[b"event"]), id=entry.decode()) for entry, values in entries]
