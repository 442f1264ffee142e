"""Which runs the queue still knows. Reads only."""

from __future__ import annotations

from redis import Redis

from pagemill.intake.batch_job import run_of
from pagemill.intake.whereabouts import ids_of


def runs_at_work(connection: Redis, platform: str) -> set[str]:
    """The runs of a platform that have a batch waiting, taken, at work, or put off until later.

    Raises:
        RedisError: Redis does not answer.
    """
    return {run_of(job) for job in ids_of(connection, platform)}
