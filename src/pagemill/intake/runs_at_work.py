"""Which runs the queue still knows. Reads only."""

from __future__ import annotations

from itertools import chain
from typing import cast

from redis import Redis

from pagemill.intake.batch_job import open_queue, run_of


def runs_at_work(connection: Redis, platform: str) -> set[str]:
    """The runs of a platform that have a batch waiting, taken, at work, or put off until later.

    One step for Redis: a batch that goes from one place to another meanwhile is not overlooked.

    Raises:
        RedisError: Redis does not answer.
    """
    queue = open_queue(connection, platform)
    lists = (queue.key, queue.intermediate_queue_key)
    registries = (queue.started_job_registry, queue.scheduled_job_registry, queue.deferred_job_registry)
    with connection.pipeline() as pipeline:
        for key in lists:
            pipeline.lrange(key, 0, -1)
        for registry in registries:
            pipeline.zrange(registry.key, 0, -1)
        found = cast("list[list[bytes]]", pipeline.execute())
    # What is at work is noted as job:execution.
    return {run_of(entry.decode().partition(":")[0]) for entry in chain.from_iterable(found)}
