"""What others put on a worker's queues, or leave in RQ's registries: it runs nothing, ends nobody, and is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue, Retry
from rq.job import Job, JobStatus
from rq.serializers import DefaultSerializer, JSONSerializer

from pagemill.engine.runner import BatchOutcome
from pagemill.intake.batch_job import RUN_BATCH, open_queue, queue_name, to_arguments
from pagemill.model import Batch, Product
from tests.redis.test_batch_worker import (
    MAINTENANCE_LOCK,
    ToldEngine,
    engine,
    expire,
    job_of,
    leftovers,
    put,
    work_off,
    worker_for,
)

__all__ = ["engine"]

pytestmark = [pytest.mark.redis, pytest.mark.timeout(60, method="thread")]


def foreign_queue(client: Redis) -> Queue:
    """The worker's queue as RQ's own programs open it."""
    return Queue(queue_name("shop"), connection=client, serializer=JSONSerializer)


@pytest.mark.parametrize("function", ["os.system", "subprocess.check_output", "subprocess.run", "pagemill.worker.job"])
def test_no_other_function_is_run(redis_client: Redis, engine: ToldEngine, tmp_path: Path, function: str) -> None:
    """By whatever name; it is a failed job, with the reason, whatever retries it has."""
    trace = tmp_path / "trace"
    argument: Any = f"touch {trace}" if function == "os.system" else ["touch", str(trace)]
    job = foreign_queue(redis_client).enqueue(function, argument, retry=Retry(max=3))
    put(redis_client, "b1")
    work_off(worker_for(redis_client, engine))
    assert not trace.exists()
    assert engine.ran == ["b1"]
    assert job.get_status() is JobStatus.FAILED
    result = job.latest_result()
    assert result is not None
    assert "no batch of pagemill" in str(result.exc_string)
    assert foreign_queue(redis_client).failed_job_registry.get_job_ids() == [job.id]
    assert leftovers(redis_client) == []


def test_the_callbacks_of_a_batch_are_not_run(redis_client: Redis, engine: ToldEngine, tmp_path: Path) -> None:
    """Neither when it is done, nor when it fails, nor when its worker is found dead."""
    trace = tmp_path / "trace"
    for batch_id in ("b1", "b2"):
        batch = Batch("run", batch_id, "shop", (Product("p1", "https://shop.test/1"),))
        call = Callback(leave_a_trace)
        foreign_queue(redis_client).enqueue(RUN_BATCH, args=to_arguments(batch), on_success=call, on_failure=call)
    TRACES.append(trace)

    def fail(_batch: Batch) -> BatchOutcome:
        raise RuntimeError("x")

    engine.script["b2"] = [fail]
    work_off(worker_for(redis_client, engine))
    assert engine.ran == ["b1", "b2"]
    assert [batch for batch, _reason in engine.given_up] == ["b2"]
    assert not trace.exists()


def test_the_callback_of_a_dead_workers_job_is_not_run(redis_client: Redis, engine: ToldEngine, tmp_path: Path) -> None:
    """Maintenance calls it, in RQ; anybody can put a job into the registry of those at work."""
    trace = tmp_path / "trace"
    TRACES.append(trace)
    queue = foreign_queue(redis_client)
    job = queue.enqueue(RUN_BATCH, on_failure=Callback(leave_a_trace))
    redis_client.delete(queue.key)
    redis_client.zadd(queue.started_job_registry.key, {f"{job.id}:x": 1})
    work_off(worker_for(redis_client, engine))
    assert not trace.exists()
    assert redis_client.zcard(queue.started_job_registry.key) == 0
    assert job.get_status() is JobStatus.FAILED


TRACES: list[Path] = []


def leave_a_trace(*_arguments: Any) -> None:
    """What must never be called."""
    TRACES[-1].touch()


def _not_utf8(client: Redis, queue: Queue) -> None:
    client.rpush(queue.key, b"\xff\xfe")


def _damaged(client: Redis, queue: Queue) -> None:
    job = queue.enqueue(RUN_BATCH)
    client.hset(job.key, mapping={"created_at": b"\xff", "started_at": "yesterday"})


def _another_kind(client: Redis, queue: Queue) -> None:
    client.set("rq:job:list", "what is this")
    client.rpush(queue.key, "list")


def _pickled(client: Redis, _queue: Queue) -> None:
    Queue(queue_name("shop"), connection=client, serializer=DefaultSerializer).enqueue(print, "x")


def _not_json(client: Redis, queue: Queue) -> None:
    job = queue.enqueue(RUN_BATCH)
    client.hset(job.key, "data", b"\x00\xff")


def _a_strange_id(client: Redis, queue: Queue) -> None:
    client.rpush(queue.key, "../../etc/passwd\n\x1b[31m")


KINDS: list[Callable[[Redis, Queue], None]] = [_not_utf8, _damaged, _another_kind, _pickled, _not_json, _a_strange_id]


@pytest.mark.parametrize("put_it", KINDS)
def test_an_entry_that_cannot_be_read_ends_no_worker(
    redis_client: Redis, engine: ToldEngine, put_it: Callable[[Redis, Queue], None]
) -> None:
    """It waits between two batches; both are done, and nothing of it is left at work."""
    queue = foreign_queue(redis_client)
    put(redis_client, "b1")
    put_it(redis_client, queue)
    put(redis_client, "b2")
    work_off(worker_for(redis_client, engine))
    assert engine.ran == ["b1", "b2"]
    assert leftovers(redis_client) == []
    if put_it is not _a_strange_id:  # which is an id like any other, of a job that was deleted
        [failed] = queue.failed_job_registry.get_job_ids()
        result = Job.fetch(failed, connection=redis_client, serializer=JSONSerializer).latest_result()
        assert result is not None
        assert result.exc_string


@pytest.mark.parametrize("member", [b"\xff\xfe:x", b"damaged:x", b"list:x"])
def test_what_cannot_be_read_at_work_keeps_nobody_from_taking_over(
    redis_client: Redis, engine: ToldEngine, member: bytes
) -> None:
    """A dead worker's batch stands behind it in the registry."""
    put(redis_client, "b1", retries=2)
    dead = worker_for(redis_client, engine, name="dead")
    taken = dead._taker.take()
    assert taken is not None
    dead.prepare_execution(taken[0])
    dead.prepare_job_execution(taken[0], remove_from_intermediate_queue=True)
    redis_client.hset("rq:job:damaged", mapping={"data": "x", "created_at": b"\xff"})
    redis_client.set("rq:job:list", "what is this")
    expire(redis_client)
    redis_client.zadd(open_queue(redis_client, "shop").started_job_registry.key, {member: 0.5})
    work_off(worker_for(redis_client, engine, name="w1"))
    redis_client.delete(MAINTENANCE_LOCK)
    work_off(worker_for(redis_client, engine, name="w2"))
    assert engine.ran == ["b1"]
    assert job_of(redis_client, "b1").get_status() is JobStatus.FINISHED
    assert redis_client.zcard(open_queue(redis_client, "shop").started_job_registry.key) == 0


def test_safety_copies_that_cannot_be_read_go(redis_client: Redis, engine: ToldEngine) -> None:
    """And those that can are looked after, however many rounds that takes."""
    put(redis_client, "b1", retries=2)
    assert worker_for(redis_client, engine, name="dies")._taker.take() is not None
    intermediate = open_queue(redis_client, "shop").intermediate_queue
    redis_client.lpush(intermediate.key, b"\xff\xfe")
    for name in ("w1", "w2"):
        redis_client.delete(MAINTENANCE_LOCK)
        work_off(worker_for(redis_client, engine, name=name))
    redis_client.set(intermediate.get_first_seen_key("run_b1"), time.time() - 61)
    redis_client.delete(MAINTENANCE_LOCK)
    work_off(worker_for(redis_client, engine, name="w3"))
    assert engine.ran == ["b1"]
    assert leftovers(redis_client) == []
