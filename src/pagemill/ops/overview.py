"""Queues and workers at one moment, in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis, RedisError

from pagemill.errors import RedisUnavailable
from pagemill.ops.fleet import WorkerSnapshot, read_fleet
from pagemill.ops.queues import QueueState, queue_states


@dataclass(frozen=True, slots=True)
class Overview:
    """The fleet at one moment."""

    queues: tuple[QueueState, ...]
    workers: tuple[WorkerSnapshot, ...]


def read_overview(redis: Redis, platforms: Sequence[str]) -> Overview:
    """The queues of these platforms and every worker that published lately.

    Raises:
        RedisUnavailable: Redis went away.
    """
    try:
        return Overview(tuple(queue_states(redis, platforms)), tuple(read_fleet(redis)))
    except RedisError as error:
        raise RedisUnavailable(f"Redis went away: {error}. Start it again, or correct PAGEMILL_REDIS_URL") from error
