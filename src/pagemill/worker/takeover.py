"""Takes over the batches of dead workers: puts them back on their queues, and has RQ forget these workers.

One worker of the fleet at a time looks after a platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import redis
from rq import Queue
from rq import worker_registration as registration
from rq.registry import clean_registries

from pagemill.errors import ServiceUnavailable
from pagemill.intake.batch_job import queue_name
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger
from pagemill.worker import unreadable_jobs
from pagemill.worker.hand import MAINTENANCE_S, BatchEnder

log = get_logger("worker")


def take_over(worker: BatchEnder, queues: Mapping[str, Sequence[Queue]], handlers: list[Any]) -> None:
    """Takes over the batches of dead workers in these queues. If results cannot be written, `worker` ends and leaves
    the work to another one.

    Args:
        worker: the worker that does this.
        queues: by platform.
        handlers: its exception handlers; RQ calls them with each batch whose worker has died.

    Raises:
        RedisError: Redis does not answer, or refuses something.
    """
    for platform, its in queues.items():
        lock = f"pagemill:maintenance:{queue_name(platform)}"
        if worker.connection.set(lock, worker.name, nx=True, ex=MAINTENANCE_S):
            try:
                for queue in its:
                    _look_after(worker, queue, handlers)
            except ServiceUnavailable as error:
                worker.end_unfit(error)
                break


def _look_after(worker: BatchEnder, queue: Queue, handlers: list[Any]) -> None:
    try:
        clean_registries(queue, handlers)
        registration.clean_worker_registry(queue)
        queue.intermediate_queue.cleanup(worker, queue)
    except ServiceUnavailable:
        raise
    except redis.RedisError as error:
        if not str(error).startswith("WRONGTYPE") or not unreadable_jobs.clear(queue):
            raise
    except Exception:
        # RQ could not read something. The batches of dead workers must still be taken over.
        if not unreadable_jobs.clear(queue):
            log.exception(events.UNEXPECTED, where=f"looking after {queue.name}")
