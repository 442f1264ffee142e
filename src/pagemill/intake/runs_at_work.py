"""Finds the runs that have batches on the queue. Reads only; entries of other programs are ignored."""

from __future__ import annotations

from redis import Redis

from pagemill.intake.batch_job import run_of
from pagemill.intake.queued_batches import job_ids_of


def runs_at_work(connection: Redis, platform: str) -> set[str]:
    """The runs of a platform with a batch that is waiting, taken, at work or scheduled for later.

    Raises:
        RedisError: Redis does not answer.
    """
    return {run_of(job) for job in job_ids_of(connection, platform)}
