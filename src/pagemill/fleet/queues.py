"""The number of batches in the queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from redis import Redis

from pagemill.intake.batch_job import open_queues
from pagemill.model import Priority


@dataclass(frozen=True, slots=True)
class QueueState:
    """The batches in all queues of one platform."""

    platform: str
    waiting: int
    at_work: int
    failed: int


def queue_states(redis: Redis, platforms: Sequence[str]) -> list[QueueState]:
    """The state of these platforms' queues, read in one step. Does not take over batches of dead workers."""
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
