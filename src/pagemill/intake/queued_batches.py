"""Finds batches that are missing from the queue, and counts batches on it. Reads only, a limited part at a time."""

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
"""With up to this many batches of a platform, each is looked up in the lists. With more, only its job is checked: it
must exist and be waiting or at work. An entry removed by hand is then noticed when the queue is shorter."""

_ALIVE = frozenset(
    status.value.encode() for status in (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.DEFERRED, JobStatus.SCHEDULED)
)


class QueuedBatches:
    """The queue at one moment; the lists of a short queue are read only once."""

    def __init__(self, client: redis.Redis) -> None:
        """`client` belongs to the queue's Redis."""
        self._client = client
        self._short: dict[str, frozenset[str] | None] = {}

    def lacking(self, batches: Sequence[Outstanding]) -> list[Outstanding]:
        """The batches that are missing: neither waiting, taken, at work nor scheduled for later.

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
        """All job ids of a short queue; `None` for a longer queue."""
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
    """The number of a platform's batches on the queue, in any state.

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
    """The ids of a platform's jobs that are waiting, taken, at work or scheduled for later.

    Read in one transaction, so that a job that moves between two lists is not missed.

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
    # Jobs at work are listed as `job:execution`.
    return frozenset(entry.decode("utf-8", "replace").partition(":")[0] for entry in chain.from_iterable(found))


def _lists(queues: Sequence[Queue]) -> Iterator[str]:
    for queue in queues:
        yield from (queue.key, queue.intermediate_queue_key)


def _registries(queues: Sequence[Queue]) -> Iterator[str]:
    for queue in queues:
        for registry in (queue.started_job_registry, queue.scheduled_job_registry, queue.deferred_job_registry):
            yield registry.key
