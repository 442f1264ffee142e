"""Finds out which batches are missing from the queue, and how many it has. Reads only, and no more than a bounded part
at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import cast

import redis
from rq import Queue
from rq.job import Job, JobStatus

from pagemill.errors import RedisUnavailable
from pagemill.intake.batch_job import job_id, open_queues
from pagemill.results.asked_batches import Outstanding

SHORT = 10_000
"""Up to so many batches of a platform, each is looked for where it must stand. Of more, its job must be there and say
that it waits or is at work; an entry that somebody took out by hand is missed when the queue has become shorter."""

_ALIVE = frozenset(
    status.value.encode() for status in (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.DEFERRED, JobStatus.SCHEDULED)
)


class QueuedBatches:
    """As of one moment: what was read of a short queue is not read again."""

    def __init__(self, client: redis.Redis) -> None:
        """`client` is of the queue's Redis."""
        self._client = client
        self._short: dict[str, frozenset[str] | None] = {}

    def lacking(self, batches: Sequence[Outstanding]) -> list[Outstanding]:
        """Those that neither wait, nor are taken, at work or put off until later.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        nowhere, by_job = [], []
        try:
            for each in batches:
                jobs = self._jobs_of(each.platform)
                if jobs is None:
                    by_job.append(each)
                elif job_id(each.run, each.batch) not in jobs:
                    nowhere.append(each)
            return nowhere + self._without_job(by_job)
        except redis.RedisError as error:
            raise RedisUnavailable.gone(error) from error

    def _jobs_of(self, platform: str) -> frozenset[str] | None:
        """All jobs of a short queue; `None` for a longer one."""
        if platform not in self._short:
            is_short = count_of(self._client, platform) <= SHORT
            self._short[platform] = job_ids_of(self._client, platform) if is_short else None
        return self._short[platform]

    def _without_job(self, batches: list[Outstanding]) -> list[Outstanding]:
        with self._client.pipeline(transaction=False) as pipeline:
            for each in batches:
                pipeline.hget(Job.key_for(job_id(each.run, each.batch)), "status")
            answers = pipeline.execute()
        return [each for each, status in zip(batches, answers, strict=True) if status not in _ALIVE]


def count_of(client: redis.Redis, platform: str) -> int:
    """How many batches of a platform the queue has, wherever they stand.

    Raises:
        RedisError: Redis does not answer.
    """
    queues = open_queues(client, platform)
    with client.pipeline() as pipeline:
        for key in _lists(queues):
            pipeline.llen(key)
        for key in _registries(queues):
            pipeline.zcard(key)
        return sum(cast("list[int]", pipeline.execute()))


def job_ids_of(client: redis.Redis, platform: str) -> frozenset[str]:
    """The jobs of a platform that wait, are taken, at work, or put off until later.

    One step for Redis: none is overlooked on its way from one place to another.

    Raises:
        RedisError: Redis does not answer.
    """
    queues = open_queues(client, platform)
    with client.pipeline() as pipeline:
        for key in _lists(queues):
            pipeline.lrange(key, 0, -1)
        for key in _registries(queues):
            pipeline.zrange(key, 0, -1)
        found = cast("list[list[bytes]]", pipeline.execute())
    # What is at work is noted as job:execution.
    return frozenset(entry.decode("utf-8", "replace").partition(":")[0] for entry in chain.from_iterable(found))


def _lists(queues: Sequence[Queue]) -> Iterator[str]:
    for queue in queues:
        yield from (queue.key, queue.intermediate_queue_key)


def _registries(queues: Sequence[Queue]) -> Iterator[str]:
    for queue in queues:
        for registry in (queue.started_job_registry, queue.scheduled_job_registry, queue.deferred_job_registry):
            yield registry.key
