"""What the queues hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis

from pagemill.intake.batch_job import open_queue


@dataclass(frozen=True, slots=True)
class QueueState:
    """One platform's queue, in batches."""

    platform: str
    waiting: int
    at_work: int
    failed: int


def queue_states(redis: Redis, platforms: Sequence[str]) -> list[QueueState]:
    """The queues of these platforms. Reads only: what dead workers left is for workers to take over."""
    return [_state(redis, platform) for platform in platforms]


def _state(redis: Redis, platform: str) -> QueueState:
    queue = open_queue(redis, platform)
    return QueueState(
        platform=platform,
        waiting=queue.count,
        at_work=queue.started_job_registry.get_job_count(cleanup=False),
        failed=queue.failed_job_registry.get_job_count(cleanup=False),
    )
