"""Which runs have batches that are on the queue. Reads only; what other programs put there is not pagemill's."""

from __future__ import annotations

from redis import Redis

from pagemill.intake.batch_job import run_of
from pagemill.intake.queued_batches import job_ids_of


def runs_at_work(connection: Redis, platform: str) -> set[str]:
    """The runs of a platform that have a batch which waits, is taken, at work, or put off until later.

    Raises:
        RedisError: Redis does not answer.
    """
    return {run_of(job) for job in job_ids_of(connection, platform)}
