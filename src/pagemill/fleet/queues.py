"""What the queues hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from redis import Redis

from pagemill.intake.batch_job import open_queues
from pagemill.model import Priority


@dataclass(frozen=True, slots=True)
class QueueState:
    """One platform's queues together, in batches."""

    platform: str
    waiting: int
    at_work: int
    failed: int


def queue_states(redis: Redis, platforms: Sequence[str]) -> list[QueueState]:
    """The queues of these platforms, in one step. Reads only: what dead workers left is for workers to take over."""
    with redis.pipeline() as pipeline:
        for platform in platforms:
            for queue in open_queues(redis, platform):
                pipeline.llen(queue.key)
                pipeline.zcard(queue.started_job_registry.key)
                pipeline.zcard(queue.failed_job_registry.key)
        counts = iter(pipeline.execute())
    rows = [list(islice(counts, 3 * len(Priority))) for _ in platforms]
    return [
        QueueState(platform, waiting=sum(row[0::3]), at_work=sum(row[1::3]), failed=sum(row[2::3]))
        for platform, row in zip(platforms, rows, strict=True)
    ]
