"""Ends a run before its time: what waits is taken off the queue, what is at work is stopped, what is done stays."""

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
    """What became of a run's batches."""

    taken_off: int
    """They waited."""
    stopped: int
    """They were at work; the visits under way are broken off."""


def cancel_run(run: str, redis: Redis, store: ResultStore) -> Cancelled:
    """Cancels a run. Again, it cancels what is left of it, if anything is.

    The products that have no result keep none; they are in the database until the run is pruned, so that they can be
    asked for again.

    Raises:
        UsageError: there is no such run.
        RedisUnavailable: what waits is passed over by whoever takes it; to be done again.
    """
    store.cancel_run(run)  # first: from here on nobody begins a batch of it
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
