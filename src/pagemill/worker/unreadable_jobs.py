"""Entries in a queue that no worker can read: of another program, or damaged.

RQ does not expect them: an id that is not UTF-8, or a damaged job hash, would end one worker after another. Here each
such entry moves to the failed jobs, as a substitute job that says why.
"""

from __future__ import annotations

import hashlib

import redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus

from pagemill.intake.batch_job import RUN_BATCH
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("worker")

_KEPT_S = 7 * 24 * 3600
_SHOWN = 200


def fetch(queue: Queue, raw_id: bytes) -> Job | None:
    """The job that was taken from a queue. `None` if it was deleted while it waited, or cannot be read; then it is
    moved to the failed jobs, and its safety copy is removed.

    Raises:
        RedisError: Redis does not answer.
    """
    try:
        return queue.job_class.fetch(raw_id.decode(), connection=queue.connection, serializer=queue.serializer)
    except NoSuchJobError:
        queue.connection.lrem(queue.intermediate_queue.key, 1, raw_id)  # type: ignore[arg-type]
    except redis.ResponseError as error:
        if not str(error).startswith("WRONGTYPE"):
            raise
        set_aside(queue, raw_id, error)
    except redis.RedisError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever RQ's reading of it comes to
        set_aside(queue, raw_id, error)
    return None


def set_aside(queue: Queue, raw_id: bytes, error: Exception) -> None:
    """Removes an entry from the safety copies and the jobs at work, and adds a substitute to the failed jobs."""
    shown = raw_id.decode("ascii", "backslashreplace")[:_SHOWN]
    reason = f"job {shown} cannot be read: {type(error).__name__}: {error}"[: 2 * _SHOWN]
    name = f"unreadable-{hashlib.sha256(raw_id).hexdigest()[:16]}"
    stand_in = queue.job_class.create(
        RUN_BATCH, id=name, connection=queue.connection, serializer=queue.serializer, origin=queue.name
    )
    with queue.connection.pipeline() as pipeline:
        stand_in.set_status(JobStatus.FAILED, pipeline=pipeline)
        stand_in.save(pipeline=pipeline)
        stand_in._handle_failure(reason, pipeline=pipeline)
        pipeline.lrem(queue.intermediate_queue.key, 0, raw_id)  # type: ignore[arg-type]
        pipeline.expire(b"rq:job:" + raw_id, _KEPT_S)
        pipeline.execute()
    log.error(events.BATCH_GIVEN_UP, job=shown, reason="it cannot be read", products=0, unreadable=reason)


def clear(queue: Queue) -> int:
    """Moves every unreadable entry that was taken or is at work to the failed jobs; returns their number.

    Raises:
        RedisError: Redis does not answer.
    """
    connection, at_work = queue.connection, queue.started_job_registry.key
    count = 0
    members: list[bytes] = connection.zrange(at_work, 0, -1)  # type: ignore[assignment]
    for member in members:
        raw_id = member.partition(b":")[0]
        if not _is_readable(queue, raw_id):
            set_aside(queue, raw_id, ValueError("it was at work"))
            connection.zrem(at_work, member)
            count += 1
    taken: list[bytes] = connection.lrange(queue.intermediate_queue.key, 0, -1)  # type: ignore[assignment]
    for raw_id in taken:
        if not _is_readable(queue, raw_id):
            set_aside(queue, raw_id, ValueError("it was taken"))
            count += 1
    return count


def _is_readable(queue: Queue, raw_id: bytes) -> bool:
    """Whether RQ can read the entry; also true if its job was deleted."""
    try:
        queue.job_class.fetch(raw_id.decode(), connection=queue.connection, serializer=queue.serializer)
    except NoSuchJobError:
        return True
    except redis.ResponseError as error:
        return not str(error).startswith("WRONGTYPE")
    except redis.RedisError:
        raise
    except Exception:  # noqa: BLE001 - whatever RQ's reading of it comes to
        return False
    return True
