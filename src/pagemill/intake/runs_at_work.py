"""Which batches and runs the queue still knows. Reads only."""

from __future__ import annotations

from itertools import chain
from typing import cast

from redis import Redis

from pagemill.intake.batch_job import open_queues, run_of


def jobs_at_work(connection: Redis, platform: str) -> set[str]:
    """The jobs of a platform that wait, are taken, at work, or put off until later.

    One step for Redis: a batch that goes from one place to another meanwhile is not overlooked.

    Raises:
        RedisError: Redis does not answer.
    """
    with connection.pipeline() as pipeline:
        for queue in open_queues(connection, platform):
            for key in (queue.key, queue.intermediate_queue_key):
                pipeline.lrange(key, 0, -1)
            for registry in (queue.started_job_registry, queue.scheduled_job_registry, queue.deferred_job_registry):
                pipeline.zrange(registry.key, 0, -1)
        found = cast("list[list[bytes]]", pipeline.execute())
    # What is at work is noted as job:execution.
    return {entry.decode("utf-8", "replace").partition(":")[0] for entry in chain.from_iterable(found)}


def any_at_work(connection: Redis, platform: str) -> bool:
    """Whether a platform has a batch that waits, is at work, or put off until later.

    Raises:
        RedisError: Redis does not answer.
    """
    with connection.pipeline() as pipeline:
        for queue in open_queues(connection, platform):
            pipeline.llen(queue.key)
            pipeline.zcard(queue.started_job_registry.key)
            pipeline.zcard(queue.scheduled_job_registry.key)
        return any(pipeline.execute())


def runs_at_work(connection: Redis, platform: str) -> set[str]:
    """The runs of a platform that have such a batch.

    Raises:
        RedisError: Redis does not answer.
    """
    return {run_of(job) for job in jobs_at_work(connection, platform)}
