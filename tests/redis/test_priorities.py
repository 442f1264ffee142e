"""Which of a platform's runs comes first, whatever happens to their batches; other platforms do not wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.command import send_stop_job_command
from rq.job import JobStatus

from pagemill.engine.runner import BatchOutcome
from pagemill.errors import BrowserUnavailable
from pagemill.intake.batch_job import open_queue, open_queues, queue_name
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import Batch, Priority, Product
from pagemill.results.store import ResultStore
from tests.redis.test_batch_worker import (
    DONE,
    MAINTENANCE_LOCK,
    ToldEngine,
    at_work,
    engine,
    eventually,
    fails,
    job_of,
    leftovers,
    put,
    work_off,
    worker_for,
)
from tests.redis.test_lost_batches import SETTINGS, SHOP, Place, look_twice
from tests.redis.test_queue_commands import ROWS, enqueue, store_in
from tests.redis.test_queue_commands import place as folder
from tests.redis.test_run_commands import command

__all__ = ["engine", "folder"]

pytestmark = [pytest.mark.redis, pytest.mark.timeout(60, method="thread")]

HIGH, NORMAL, LOW = Priority


@pytest.fixture
def place(redis_client: Redis, tmp_path: Path) -> Iterator[Place]:
    """An empty one."""
    with ResultStore(f"sqlite:///{tmp_path}/r.db") as store:
        yield Place(redis_client, store)


def queued(client: Redis) -> dict[str, list[str]]:
    """The batches that wait, by priority."""
    return {
        priority.value: [job.rpartition("_")[2] for job in open_queue(client, "shop", priority).job_ids]
        for priority in Priority
    }


def test_normal_runs_stand_where_they_always_stood() -> None:
    """Workers of before serve them, and those of now what workers of before put there."""
    assert [queue_name("shop", priority) for priority in Priority] == [
        "pagemill:shop:high",
        "pagemill:shop",
        "pagemill:shop:low",
    ]


def test_batches_are_taken_by_priority_and_in_their_order(redis_client: Redis, engine: ToldEngine) -> None:
    """Also one that comes while others wait."""
    for batch, priority in [("l1", LOW), ("n1", NORMAL), ("h1", HIGH), ("l2", LOW), ("n2", NORMAL), ("h2", HIGH)]:
        put(redis_client, batch, priority=priority)

    def another(_batch: Batch) -> BatchOutcome:
        put(redis_client, "h3", priority=HIGH)
        return DONE

    engine.script["n1"] = [another]
    work_off(worker_for(redis_client, engine))
    assert engine.ran == ["h1", "h2", "n1", "h3", "n2", "l1", "l2"]
    assert leftovers(redis_client) == []
    assert all(job_of(redis_client, batch).get_status() is JobStatus.FINISHED for batch in engine.ran)


def test_every_platform_gets_its_turn_whatever_its_priority(redis_client: Redis, engine: ToldEngine) -> None:
    """A high run comes before those of its own platform only."""
    for number in range(3):
        put(redis_client, f"a{number}", "a", priority=HIGH)
        put(redis_client, f"b{number}", "b", priority=NORMAL)
        put(redis_client, f"c{number}", "c", priority=LOW)
    worker = worker_for(redis_client, engine, ("a", "b", "c"))
    taken = [worker._taker.take() for _ in range(9)]
    assert [each and each[0].id for each in taken] == [f"run_{shop}{number}" for number in range(3) for shop in "abc"]
    assert worker._taker.take() is None


def test_a_platform_that_is_left_alone_keeps_all_of_them(redis_client: Redis, engine: ToldEngine) -> None:
    """However high."""
    for batch, priority in zip("hnl", Priority, strict=True):
        put(redis_client, batch, priority=priority)
    redis_client.hset("pagemill:pacing:shop", "pause_us", 2**60)
    worker = worker_for(redis_client, engine)
    assert worker._taker.take() is None
    assert worker._taker.held_back == 3


@pytest.mark.parametrize("priority", list(Priority))
def test_rq_sees_who_serves_a_queue(redis_client: Redis, engine: ToldEngine, priority: Priority) -> None:
    """Its registry has what is at work, its safety copy is gone by then, and `rq info` lists the worker at it."""
    put(redis_client, "b1", priority=priority)
    queue = open_queue(redis_client, "shop", priority)
    seen: list[object] = []

    def look(_batch: Batch) -> BatchOutcome:
        seen.append(queue.started_job_registry.get_job_ids(cleanup=False))
        seen.append(queue.intermediate_queue.get_job_ids())
        seen.append({worker.name for worker in SimpleWorker.all(queue=queue)})
        return DONE

    engine.script["b1"] = [look]
    work_off(worker_for(redis_client, engine))
    assert seen == [["run_b1"], [], {"w1", "w1.shop"}]
    assert queue.name in {each.name for each in Queue.all(connection=redis_client)}


@pytest.mark.parametrize("priority", list(Priority))
def test_what_is_put_back_keeps_its_priority(redis_client: Redis, engine: ToldEngine, priority: Priority) -> None:
    """By a worker that drains or is unfit: at the front of its own queue, with all its retries."""
    put(redis_client, "b1", retries=5, priority=priority)
    put(redis_client, "b2", priority=priority)
    engine.script["b1"] = [fails(BrowserUnavailable("no Chromium"))]
    worker_for(redis_client, engine).work(burst=True)
    assert queued(redis_client) == {each.value: ["b1", "b2"] if each is priority else [] for each in Priority}
    assert job_of(redis_client, "b1").retries_left == 5


@pytest.mark.parametrize("priority", list(Priority))
def test_what_a_dead_worker_had_keeps_its_priority(redis_client: Redis, engine: ToldEngine, priority: Priority) -> None:
    """Taken and not begun, or at work."""
    put(redis_client, "b1", retries=5, priority=priority)
    put(redis_client, "b2", retries=5, priority=priority)
    dead = worker_for(redis_client, engine, name="dead")
    queue = open_queue(redis_client, "shop", priority)
    assert dead._taker.take() is not None
    redis_client.set(queue.intermediate_queue.get_first_seen_key("run_b1"), 1)
    begun = dead._taker.take()
    assert begun is not None
    dead.prepare_execution(begun[0])
    dead.prepare_job_execution(begun[0])
    redis_client.zadd(queue.started_job_registry.key, dict.fromkeys(at_work(redis_client, queue.name[9:]), 1))
    redis_client.delete(MAINTENANCE_LOCK)
    worker_for(redis_client, engine).clean_registries()
    assert {name: sorted(batches) for name, batches in queued(redis_client).items()} == {
        each.value: ["b1", "b2"] if each is priority else [] for each in Priority
    }
    assert job_of(redis_client, "b1").retries_left == job_of(redis_client, "b2").retries_left == 4
    assert queue.intermediate_queue.get_job_ids() == []


def test_the_last_try_is_worked_off_alone_where_it_waits(redis_client: Redis, engine: ToldEngine) -> None:
    """A batch of its own platform that comes before it meanwhile does not take its place."""
    put(redis_client, "a1", "a", retries=1)
    put(redis_client, "b1", "b", retries=1, priority=LOW)
    job = job_of(redis_client, "b1")
    job.retries_left = 0
    job.save()
    worker = worker_for(redis_client, engine, ("a", "b"))

    def another(_batch: Batch) -> BatchOutcome:
        eventually(lambda: worker._taker._alone is not None)
        put(redis_client, "b2", "b", priority=HIGH)
        return DONE

    engine.script["a1"] = [another]
    work_off(worker)
    assert engine.ran == ["a1", "b1", "b2"]


def test_a_stopped_batch_of_any_priority_is_given_up(redis_client: Redis, engine: ToldEngine) -> None:
    """RQ's command reaches it."""
    job = put(redis_client, "b1", priority=LOW)

    def stop(_batch: Batch) -> BatchOutcome:
        send_stop_job_command(redis_client, job.id)
        assert engine.interrupted.wait(20)
        raise InterruptedError

    engine.script["b1"] = [stop]
    work_off(worker_for(redis_client, engine))
    assert engine.given_up == [("b1", "batch given up: stopped by a user")]
    assert at_work(redis_client) == {}


@pytest.mark.parametrize("priority", list(Priority))
def test_what_the_queue_lost_comes_back_with_its_priority(place: Place, priority: Priority) -> None:
    """The database knows it."""
    products = [Product(f"p{number}", f"https://shop.test/{number}") for number in range(3)]
    enqueue_run(
        products,
        SHOP,
        source="x.csv",
        batch_size=2,
        settings=SETTINGS,
        redis=place.client,
        store=place.store,
        priority=priority,
    )
    wanted = {each.value: ["b00001", "b00002"] if each is priority else [] for each in Priority}
    assert queued(place.client) == wanted
    assert look_twice(place, place.process()) == 0
    place.client.flushall()
    assert look_twice(place, place.process("w2")) == 2
    assert queued(place.client) == wanted


def test_the_command_says_the_priority(folder: Path, redis_server: str, redis_client: Redis) -> None:
    """The list of runs has it, and cancelling finds what waits."""
    said = enqueue(folder, redis_server, ROWS, "--priority", "high", "--batch-size", "2")
    assert said.code == 0, said.err
    assert [len(batches) for batches in queued(redis_client).values()] == [2, 0, 0]
    with store_in(folder) as store:
        (run,) = store.runs()
    assert run.priority is HIGH
    assert " high " in command(folder, redis_server, "runs").out
    assert "2 batches taken off" in command(folder, redis_server, "cancel", run.run).out
    assert [len(queue) for queue in open_queues(redis_client, "shop")] == [0, 0, 0]
    said = command(folder, redis_server, "enqueue", "--again", run.run, "--priority", "low")
    assert said.code == 0, said.err
    assert [len(batches) for batches in queued(redis_client).values()] == [0, 0, 1]


def test_an_unknown_priority_is_told(folder: Path, redis_server: str, redis_client: Redis) -> None:
    """With those that there are."""
    said = enqueue(folder, redis_server, ROWS, "--priority", "urgent")
    assert said.code == 2
    assert all(priority.value in said.err for priority in Priority)
