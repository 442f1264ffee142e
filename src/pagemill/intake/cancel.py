"""Cancels a run: waiting batches leave the queue, batches at work are stopped, existing results stay."""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis, RedisError
from rq.command import send_command
from rq.exceptions import NoSuchJobError

from pagemill.errors import RedisUnavailable
from pagemill.intake.batch_job import job_id, open_queue
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("queue")


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What was done with a run's batches."""

    taken_off: int
    """Batches that were waiting."""
    stopped: int
    """Batches that were at work; their current visits are interrupted."""


def cancel_run(run: str, redis: Redis, store: ResultStore) -> Cancelled:
    """Cancels a run. A second call cancels what the first one left, if anything.

    Products without a result get none. They stay in the database until the run is pruned, so that they can be queued
    again.

    Raises:
        UsageError: there is no such run.
        RedisUnavailable: the run is cancelled, and workers skip its waiting batches; call again to remove them.
    """
    store.cancel_run(run)  # first: from here on no worker begins a batch of this run
    log.info(events.RUN_CANCELLED, run=run)
    taken_off = stopped = 0
    try:
        for batch in AskedBatches(store).outstanding(run):
            queue = open_queue(redis, batch.platform, batch.priority)
            name = job_id(run, batch.batch)
            try:
                job = queue.job_class.fetch(name, connection=redis, serializer=queue.serializer)
            except NoSuchJobError:
                continue
            if redis.lrem(queue.key, 0, name):
                job.delete()
                taken_off += 1
            elif job.worker_name:
                send_command(redis, job.worker_name, "stop-job", job_id=name)
                stopped += 1
    except RedisError as error:
        raise RedisUnavailable.gone(error) from error
    return Cancelled(taken_off, stopped)
