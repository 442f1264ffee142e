"""The RQ worker on a real Redis, with an engine that does as it is told: nothing that was taken is ever lost.

It hears signals, so it runs in the main thread here and what happens to it comes from helper threads.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from redis import Redis
from rq import Retry, SimpleWorker
from rq.command import send_stop_job_command
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs

from pagemill.broker.connection import open_redis
from pagemill.broker.embedded import EmbeddedServer
from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.engine.runner import BatchOutcome
from pagemill.errors import (
    BatchInterrupted,
    BrowserUnavailable,
    DatabaseUnavailable,
    DeadlineExceeded,
    RedisUnavailable,
    WorkerWornOut,
)
from pagemill.intake.batch_job import RUN_BATCH, job_id, news_channel, open_queue, open_queues, to_arguments
from pagemill.intake.enqueue import EnqueuedRun, enqueue_run
from pagemill.intake.enqueue import put as put_on_queue
from pagemill.model import Batch, Priority, Product
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.worker import installed_engine
from pagemill.worker import worker as worker_module
from pagemill.worker.worker import BatchWorker
from tests.redis.conftest import UrlOf

pytestmark = [pytest.mark.redis, pytest.mark.timeout(60, method="thread")]

SETTINGS = QueueSettings(heartbeat_interval_s=1, heartbeat_ttl_s=30)
MAINTENANCE_LOCK = "pagemill:maintenance:pagemill:shop"
DONE = BatchOutcome(done=3, resumed=0, remaining=0)
Behaviour = Callable[[Batch], BatchOutcome]


class ToldEngine:
    """An engine that does for each batch what its script says, and is done with every other at once."""

    def __init__(self) -> None:
        self.script: dict[str, list[Behaviour]] = {}
        self.ran: list[str] = []
        self.timeouts_s: list[float] = []
        self.given_up: list[tuple[str, str]] = []
        self.drained = threading.Event()
        self.interrupted = threading.Event()
        self.halted = threading.Event()
        self.lively = True
        self.give_up_error: Exception | None = None

    def run_batch(self, batch: Batch, timeout_s: float) -> BatchOutcome:
        self.ran.append(batch.id)
        self.timeouts_s.append(timeout_s)
        behaviours = self.script.get(batch.id)
        if behaviours:
            return behaviours.pop(0)(batch)
        return BatchOutcome(done=len(batch.products), resumed=0, remaining=0)

    def give_up(self, batch: Batch, reason: str) -> int:
        if self.give_up_error is not None:
            raise self.give_up_error
        self.given_up.append((batch.id, reason))
        return len(batch.products)

    def drain(self) -> None:
        self.drained.set()

    def interrupt(self, platform: str) -> None:
        assert platform == "shop"
        self.interrupted.set()

    def halt(self) -> None:
        self.halted.set()

    def is_lively(self) -> bool:
        return self.lively


def fails(error: Exception) -> Behaviour:
    """A batch that ends in that error."""

    def fail(_batch: Batch) -> BatchOutcome:
        raise error

    return fail


def drained(_batch: Batch) -> BatchOutcome:
    """A batch of which two products remain."""
    return BatchOutcome(done=1, resumed=0, remaining=2)


@pytest.fixture
def engine() -> Iterator[ToldEngine]:
    """The process' engine; signal handlers are as before afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    told = ToldEngine()
    installed_engine.install(told)
    yield told
    installed_engine.install(None)
    for number, handler in before.items():
        signal.signal(number, handler)


def put(
    client: Redis,
    batch_id: str,
    platform: str = "shop",
    *,
    retries: int = 0,
    timeout_s: int = 60,
    products: int = 3,
    priority: Priority = Priority.NORMAL,
) -> Job:
    """Puts a batch on its platform's queue, as `enqueue` does."""
    batch = Batch("run", batch_id, platform, tuple(Product(f"p{n}", f"https://shop.test/{n}") for n in range(products)))
    return open_queue(client, platform, priority).enqueue(
        RUN_BATCH,
        args=to_arguments(batch),
        job_id=job_id("run", batch_id),
        job_timeout=timeout_s,
        retry=Retry(max=retries) if retries else None,
    )


def job_of(client: Redis, batch_id: str) -> Job:
    """A batch's job as it is in Redis now."""
    return Job.fetch(job_id("run", batch_id), connection=client, serializer=JSONSerializer)


def worker_for(
    client: Redis,
    engine: ToldEngine,
    platforms: Sequence[str] = ("shop",),
    name: str = "w1",
    brisk: Redis | None = None,
) -> BatchWorker:
    """A worker of these platforms."""
    queues = [queue for platform in platforms for queue in open_queues(client, platform)]
    return BatchWorker(queues, name, client, brisk or client, engine, SETTINGS)


def work_off(worker: BatchWorker) -> None:
    """Works until the queues are empty."""
    worker.work(burst=True)


@contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Does something on another thread while the main thread works; its failure is the test's."""
    failures: list[BaseException] = []

    def act() -> None:
        try:
            action()
        except BaseException as error:
            failures.append(error)
            os.kill(os.getpid(), signal.SIGTERM)  # ends the worker, and so the test

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        thread.join(30)
    if failures:
        raise failures[0]


def eventually(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    """Waits for a condition."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def told(lines: Sequence[MutableMapping[str, Any]], event: str) -> int:
    """How often."""
    return [line["event"] for line in lines].count(event)


def stop_worker() -> None:
    """As Ctrl+C, `docker stop` and RQ's shutdown command do."""
    os.kill(os.getpid(), signal.SIGTERM)


def at_work(client: Any, platform: str = "shop") -> dict[str, float]:
    """Executions that a platform's registry knows, and until when each counts as alive."""
    key = open_queue(client, platform).started_job_registry.key
    return {member.decode(): score for member, score in client.zrange(key, 0, -1, withscores=True)}


def leftovers(client: Redis) -> list[str]:
    """Keys that tell of batches at work; none may outlast their batch."""
    kinds = ("rq:execution:*", "rq:executions:*", "*:intermediate", "rq:wip:*")
    return sorted(key.decode() for kind in kinds for key in client.scan_iter(match=kind))


# Being born


def test_a_birth_asks_nothing_of_all_connections(redis_client: Redis, engine: ToldEngine) -> None:
    """There are thousands of them in a large fleet; a worker's own one is enough."""
    redis_client.config_set("slowlog-max-len", "10000")
    redis_client.config_set("slowlog-log-slower-than", "0")
    redis_client.slowlog_reset()
    worker = worker_for(redis_client, engine)
    work_off(worker)
    redis_client.config_set("slowlog-log-slower-than", "10000")
    said = [entry["command"] for entry in redis_client.slowlog_get(10_000)]
    redis_client.slowlog_reset()
    assert any(command.startswith(b"CLIENT SETNAME") for command in said)
    assert not any(command.startswith(b"CLIENT LIST") for command in said)
    assert worker.ip_address == redis_client.client_info()["addr"]


# Taking batches


def test_a_batch_that_is_queued_while_the_worker_waits_is_taken_at_once(
    redis_client: Redis, engine: ToldEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever queues it tells; the worker does not wait for its next look, here half a minute away."""
    monkeypatch.setattr(worker_module, "_POLL_S", (30.0, 30.0))
    worker = worker_for(redis_client, engine, ["a", "b"])

    def queued(number: str, platform: str) -> float:
        """How long it took until it was begun."""
        began_s, batch = time.monotonic(), Batch("run", number, platform, (Product("p", "https://a.test/"),))
        put_on_queue(open_queue(redis_client, platform), [batch], None, QueueSettings())
        eventually(lambda: number in engine.ran)
        return time.monotonic() - began_s

    took_s: list[float] = []

    def act() -> None:
        eventually(lambda: redis_client.pubsub_numsub(news_channel("b"))[0][1] == 1)
        took_s.extend(queued(f"{number}", platform) for number, platform in enumerate("abba"))
        stop_worker()

    with meanwhile(act):
        worker.work()
    assert engine.ran == ["0", "1", "2", "3"]
    assert max(took_s) < 5


def test_platforms_are_served_at_once(redis_client: Redis, engine: ToldEngine) -> None:
    """One batch of each at a time; RQ lists a worker for each, and what it has at work."""
    for batch, platform in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("c1", "c")]:
        put(redis_client, batch, platform)
    together = threading.Barrier(4)
    at_work: list[int] = []

    def meet(_batch: Batch) -> BatchOutcome:
        together.wait(10)
        together.wait(10)
        return DONE

    def look() -> None:
        together.wait(10)
        for name in ("w1", "w1.a", "w1.b", "w1.c"):
            twin = SimpleWorker.find_by_key(f"rq:worker:{name}", connection=redis_client)
            assert twin is not None
            assert twin.get_state() == "busy"
            if name != "w1":
                assert twin.get_current_job_id() == f"run_{name[-1]}1"
        at_work.append(SimpleWorker.count(redis_client))
        assert "a2" not in engine.ran
        together.wait(10)

    engine.script = {batch: [meet] for batch in ("a1", "b1", "c1")}
    with meanwhile(look):
        work_off(worker_for(redis_client, engine, ("a", "b", "c")))
    assert sorted(engine.ran) == ["a1", "a2", "b1", "c1"]
    assert at_work == [4]
    assert SimpleWorker.count(redis_client) == 0
    assert leftovers(redis_client) == []


def test_a_batch_with_one_try_left_is_worked_off_alone(redis_client: Redis, engine: ToldEngine) -> None:
    """It may be what ends workers: no other must be given up for being beside it, nor it for being beside that one."""
    for batch, platform in [("a1", "a"), ("b1", "b"), ("b2", "b"), ("c1", "c")]:
        put(redis_client, batch, platform, retries=1)
    job = job_of(redis_client, "b1")
    job.retries_left = 0
    job.save()
    beside: dict[str, set[str]] = {}
    now: set[str] = set()
    lock = threading.Lock()

    def note(batch: Batch) -> BatchOutcome:
        with lock:
            now.add(batch.id)
            for each in now:
                beside.setdefault(each, set()).update(now - {each})
        time.sleep(0.3)
        with lock:
            now.discard(batch.id)
        return DONE

    engine.script = {batch: [note] for batch in ("a1", "b1", "b2", "c1")}
    work_off(worker_for(redis_client, engine, ("a", "b", "c")))
    assert sorted(engine.ran) == ["a1", "b1", "b2", "c1"]
    assert beside["b1"] == set()
    assert beside["a1"] | beside["b2"] | beside["c1"] != set()
    assert job_of(redis_client, "b1").get_status() is JobStatus.FINISHED
    assert leftovers(redis_client) == []


def test_one_that_waits_to_be_alone_and_is_gone_leaves_the_others(redis_client: Redis, engine: ToldEngine) -> None:
    """Another worker has taken it meanwhile; a burst is over only when all queues are empty."""
    for batch, platform in [("a1", "a"), ("b1", "b"), ("b2", "b")]:
        put(redis_client, batch, platform, retries=1)
    job = job_of(redis_client, "b1")
    job.retries_left = 0
    job.save()
    worker = worker_for(redis_client, engine, ("a", "b"))

    def take_it_away(_batch: Batch) -> BatchOutcome:
        eventually(lambda: worker._taker._alone is not None)
        redis_client.lrem(open_queue(redis_client, "b").key, 1, "run_b1")
        put(redis_client, "a2", "a")
        redis_client.delete(open_queue(redis_client, "b").key)
        return DONE

    engine.script["a1"] = [take_it_away]
    work_off(worker)
    assert engine.ran == ["a1", "a2"]


def test_a_batch_that_is_done_is_finished(redis_client: Redis, engine: ToldEngine) -> None:
    """Its outcome can be read for a while."""
    put(redis_client, "b1")
    work_off(worker_for(redis_client, engine))
    job = job_of(redis_client, "b1")
    assert job.get_status() is JobStatus.FINISHED
    assert job.return_value() == {"done": 3, "resumed": 0, "remaining": 0, "spared": 0}
    assert engine.given_up == []


def test_what_is_taken_leaves_a_safety_copy_until_it_is_at_work(redis_client: Redis, engine: ToldEngine) -> None:
    """A worker that dies between the two does not take the batch with it; RQ does this for a single queue only."""
    put(redis_client, "b1", "b")
    worker = worker_for(redis_client, engine, ("a", "b"))
    queue = open_queue(redis_client, "b")
    taken = worker._taker.take()
    assert taken is not None
    assert taken[0].id == "run_b1"
    assert queue.intermediate_queue.get_job_ids() == ["run_b1"]
    assert len(queue) == 0

    seen: list[list[str]] = []

    def look(_batch: Batch) -> BatchOutcome:
        seen.append(queue.intermediate_queue.get_job_ids())
        return DONE

    engine.script["b1"] = [look]
    worker._give(*taken)
    eventually(lambda: worker._is_at_rest)
    assert seen == [[]]


def test_a_safety_copy_that_nobody_works_on_is_tried_again(redis_client: Redis, engine: ToldEngine) -> None:
    """Seen a minute ago and still there: its worker died. That counts as one try."""
    put(redis_client, "b1", retries=5)
    assert worker_for(redis_client, engine, name="dies")._taker.take() is not None
    redis_client.delete(MAINTENANCE_LOCK)
    work_off(worker_for(redis_client, engine, name="sees"))
    assert engine.ran == []
    [first_seen] = redis_client.scan_iter(match="*first_seen*")
    redis_client.set(first_seen, time.time() - 61)
    redis_client.delete(MAINTENANCE_LOCK)
    work_off(worker_for(redis_client, engine, name="heir"))
    assert engine.ran == ["b1"]
    assert job_of(redis_client, "b1").retries_left == 4


def test_an_earlier_mark_does_not_make_a_new_safety_copy_look_stuck(redis_client: Redis, engine: ToldEngine) -> None:
    """RQ keeps the mark of a copy that was found once for a day; maintenance in the next moment would act on it."""
    put(redis_client, "b1", retries=5)
    redis_client.set(open_queue(redis_client, "shop").intermediate_queue.get_first_seen_key("run_b1"), time.time() - 61)
    assert worker_for(redis_client, engine, name="takes")._taker.take() is not None
    redis_client.delete(MAINTENANCE_LOCK)
    work_off(worker_for(redis_client, engine, name="maintains"))
    assert engine.ran == []
    assert job_of(redis_client, "b1").retries_left == 5


def test_batches_that_were_deleted_while_they_waited_are_passed_over(redis_client: Redis, engine: ToldEngine) -> None:
    """However many they are."""
    queue = open_queue(redis_client, "shop")
    redis_client.rpush(queue.key, *(f"deleted-{number}" for number in range(1500)))
    put(redis_client, "b1")
    work_off(worker_for(redis_client, engine))
    assert engine.ran == ["b1"]
    assert leftovers(redis_client) == []


# Ending batches


def test_a_platform_that_is_left_alone_keeps_its_batches(redis_client: Redis, engine: ToldEngine) -> None:
    """Others are served meanwhile; a burst is not over before that platform's turn has come, too."""
    put(redis_client, "b1", "shop")
    put(redis_client, "b2", "other")
    moment_us = round((time.time() + 1) * 1_000_000)
    redis_client.hset("pagemill:pacing:shop", "pause_us", moment_us)
    begun_s = time.monotonic()
    work_off(worker_for(redis_client, engine, ["shop", "other"]))
    assert engine.ran == ["b2", "b1"]
    assert time.monotonic() - begun_s > 0.9

    put(redis_client, "b3", "shop")
    redis_client.hset("pagemill:pacing:shop", "open_us", round((time.time() + 0.5) * 1_000_000))
    worker = worker_for(redis_client, engine, ["shop"], name="w2")
    assert worker._taker.take() is None
    assert leftovers(redis_client) == []
    work_off(worker_for(redis_client, engine, ["shop"], name="w3"))
    assert engine.ran == ["b2", "b1", "b3"]


def test_a_drained_batch_goes_to_the_front_and_counts_neither_way(redis_client: Redis, engine: ToldEngine) -> None:
    """It is the next one that somebody takes, and has all its retries."""
    put(redis_client, "b1", retries=5)
    put(redis_client, "b2")
    states: list[tuple[int, int, int, int | None]] = []

    def look(_batch: Batch) -> BatchOutcome:
        twin = SimpleWorker.find_by_key("rq:worker:w1.shop", connection=redis_client)
        assert twin is not None
        registries = (queue.failed_job_registry.count, twin.failed_job_count, twin.successful_job_count)
        states.append((*registries, job_of(redis_client, "b1").retries_left))
        return DONE

    engine.script["b1"] = [drained, look]
    worker = worker_for(redis_client, engine)
    queue = open_queue(redis_client, "shop")
    with capture_logs() as lines:
        work_off(worker)
    assert engine.ran == ["b1", "b1", "b2"]
    assert states == [(0, 0, 0, 5)]
    assert [(line["job"], line["remaining"]) for line in lines if line["event"] == events.BATCH_RETURNED] == [
        ("run_b1", 2)
    ]
    assert job_of(redis_client, "b1").get_status() is JobStatus.FINISHED
    assert leftovers(redis_client) == []


def test_a_batch_that_fails_is_tried_again(redis_client: Redis, engine: ToldEngine) -> None:
    """As often as it may; nobody gives it up before."""
    put(redis_client, "b1", retries=2)
    engine.script["b1"] = [fails(RuntimeError("first")), fails(RuntimeError("second"))]
    work_off(worker_for(redis_client, engine))
    assert engine.ran == ["b1", "b1", "b1"]
    assert engine.given_up == []
    job = job_of(redis_client, "b1")
    assert (job.get_status(), job.retries_left) == (JobStatus.FINISHED, 0)
    assert leftovers(redis_client) == []


def test_the_last_failure_gives_the_batch_up(redis_client: Redis, engine: ToldEngine) -> None:
    """Every product gets a result, whose reason is the error's last line; the worker goes on with the next batch."""
    put(redis_client, "b1", retries=1)
    put(redis_client, "b2")
    engine.script["b1"] = [fails(RuntimeError("first")), fails(RuntimeError("second\n\n"))]
    with capture_logs() as lines:
        work_off(worker_for(redis_client, engine))
    assert engine.ran == ["b1", "b2", "b1"]
    assert engine.given_up == [("b1", "batch given up: RuntimeError: second")]
    assert job_of(redis_client, "b1").get_status() is JobStatus.FAILED
    [line] = [line for line in lines if line["event"] == events.BATCH_GIVEN_UP]
    assert (line["job"], line["products"]) == ("run_b1", 3)
    assert leftovers(redis_client) == []


def test_a_jobs_time_out_is_a_failure_like_others(redis_client: Redis, engine: ToldEngine) -> None:
    """The engine ends the batch, which resumes with its next try."""
    put(redis_client, "b1", retries=1, timeout_s=7)
    engine.script["b1"] = [fails(DeadlineExceeded("the batch", 7))]
    work_off(worker_for(redis_client, engine))
    assert engine.timeouts_s == [7, 7]
    job = job_of(redis_client, "b1")
    assert (job.get_status(), job.retries_left) == (JobStatus.FINISHED, 0)


def test_the_last_time_out_says_so(redis_client: Redis, engine: ToldEngine) -> None:
    """In RQ's own words."""
    put(redis_client, "b1", timeout_s=7)
    engine.script["b1"] = [fails(DeadlineExceeded("the batch", 7))]
    work_off(worker_for(redis_client, engine))
    [(_batch, reason)] = engine.given_up
    assert reason.endswith("JobTimeoutException: Task exceeded maximum timeout value (7 seconds)")


def test_a_worker_without_its_browser_gives_the_batch_back_and_stops(redis_client: Redis, engine: ToldEngine) -> None:
    """The batch is not to blame: it keeps its retries, and a fit worker finds it at the front."""
    put(redis_client, "b1", retries=5)
    put(redis_client, "b2")
    engine.script["b1"] = [fails(BrowserUnavailable("no Chromium"))]
    worker = worker_for(redis_client, engine)
    worker.work(burst=True)
    assert engine.ran == ["b1"]
    assert isinstance(installed_engine.unfit(), BrowserUnavailable)
    assert open_queue(redis_client, "shop").job_ids == ["run_b1", "run_b2"]
    assert job_of(redis_client, "b1").retries_left == 5
    assert engine.given_up == []
    assert leftovers(redis_client) == []


@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize(
    "arguments", [(), ("run", "b1"), ("run", "b1", "shop", [["only an id"]]), ("run", "b1", "shop", [], "more")]
)
def test_a_job_that_is_no_batch_ends_no_worker(
    redis_client: Redis, engine: ToldEngine, arguments: tuple[Any, ...], retries: int
) -> None:
    """Another version or another program put it there. It fails, and the next batch is worked on."""
    stranger = open_queue(redis_client, "shop").enqueue(
        RUN_BATCH, args=arguments, retry=Retry(max=retries) if retries else None
    )
    put(redis_client, "b2")
    with capture_logs() as lines:
        work_off(worker_for(redis_client, engine))
    assert engine.ran == ["b2"]
    assert engine.given_up == []
    assert stranger.get_status() is JobStatus.FAILED
    assert [line["job"] for line in lines if line["event"] == events.BATCH_GIVEN_UP] == [stranger.id]
    assert leftovers(redis_client) == []


# What dead workers leave, and what cannot be given up


def expire(client: Redis) -> None:
    """What is at work counts as dead from now on, and the next worker looks after it at once."""
    client.zadd(open_queue(client, "shop").started_job_registry.key, dict.fromkeys(at_work(client), 1))
    client.delete(MAINTENANCE_LOCK)


def abandon(client: Redis, engine: ToldEngine) -> BatchWorker:
    """A worker that began a batch and died; its time to live has run out."""
    dead = worker_for(client, engine, name="dead")
    taken = dead._taker.take()
    assert taken is not None
    dead.prepare_execution(taken[0])
    dead.prepare_job_execution(taken[0])
    expire(client)
    return dead


def test_a_dead_workers_batch_is_taken_over(redis_client: Redis, engine: ToldEngine) -> None:
    """By whoever looks next; that counts as one try."""
    put(redis_client, "b1", retries=5)
    abandon(redis_client, engine)
    work_off(worker_for(redis_client, engine))
    assert engine.ran == ["b1"]
    assert engine.given_up == []
    job = job_of(redis_client, "b1")
    assert (job.get_status(), job.retries_left) == (JobStatus.FINISHED, 4)
    assert redis_client.zcard(open_queue(redis_client, "shop").started_job_registry.key) == 0


def test_a_batch_whose_workers_always_die_is_given_up(redis_client: Redis, engine: ToldEngine) -> None:
    """When its retries are spent it is failed by a worker that outlives it, with a result for every product."""
    put(redis_client, "b1", retries=0)
    put(redis_client, "b2")
    abandon(redis_client, engine)
    work_off(worker_for(redis_client, engine))
    assert engine.ran == ["b2"]
    assert engine.given_up == [("b1", "batch given up: its workers died again and again")]
    assert job_of(redis_client, "b1").get_status() is JobStatus.FAILED


def test_a_dead_workers_job_that_is_no_batch_ends_no_worker(redis_client: Redis, engine: ToldEngine) -> None:
    """Otherwise it would end one worker after another."""
    open_queue(redis_client, "shop").enqueue(RUN_BATCH, "what", "is", "this")
    abandon(redis_client, engine)
    put(redis_client, "b2")
    work_off(worker_for(redis_client, engine))
    assert engine.ran == ["b2"]


def test_looking_after_the_dead_is_one_workers_task_for_a_few_seconds(redis_client: Redis, engine: ToldEngine) -> None:
    """A worker that dies while doing it holds the others up no longer than that."""
    put(redis_client, "b1", retries=5)
    abandon(redis_client, engine)
    redis_client.set(MAINTENANCE_LOCK, "another", ex=10)
    work_off(worker_for(redis_client, engine))
    assert engine.ran == []
    redis_client.delete(MAINTENANCE_LOCK)
    work_off(worker_for(redis_client, engine, name="w2"))
    assert engine.ran == ["b1"]
    assert 0 < redis_client.ttl(MAINTENANCE_LOCK) <= 10


def test_a_batch_that_cannot_be_given_up_waits_for_a_worker_that_can(redis_client: Redis, engine: ToldEngine) -> None:
    """Without a database its products would have no result: the worker ends, and another one finds the batch."""
    put(redis_client, "b1")
    put(redis_client, "b2")
    engine.script["b1"] = [fails(RuntimeError("the last failure"))]
    engine.give_up_error = DatabaseUnavailable("the database is away")
    unfit = worker_for(redis_client, engine, name="unfit")
    unfit.work(burst=True)
    assert engine.ran == ["b1"]
    assert isinstance(installed_engine.unfit(), DatabaseUnavailable)
    assert len(at_work(redis_client)) == 1

    expire(redis_client)
    installed_engine.install(engine)
    worker_for(redis_client, engine, name="unfit2").work(burst=True)
    assert isinstance(installed_engine.unfit(), DatabaseUnavailable)
    assert engine.ran == ["b1"]
    assert len(at_work(redis_client)) == 1

    expire(redis_client)
    installed_engine.install(engine)
    engine.give_up_error = None
    work_off(worker_for(redis_client, engine, name="fit"))
    assert [batch for batch, _reason in engine.given_up] == ["b1"]
    assert engine.ran == ["b1", "b2"]
    assert job_of(redis_client, "b1").get_status() is JobStatus.FAILED


def test_a_safety_copy_that_cannot_be_given_up_is_kept(redis_client: Redis, engine: ToldEngine) -> None:
    """It is the only trace of its batch."""
    put(redis_client, "b1")
    assert worker_for(redis_client, engine, name="dies")._taker.take() is not None
    intermediate = open_queue(redis_client, "shop").intermediate_queue
    redis_client.set(intermediate.get_first_seen_key("run_b1"), time.time() - 61)
    redis_client.delete(MAINTENANCE_LOCK)
    engine.give_up_error = DatabaseUnavailable("the database is away")
    worker_for(redis_client, engine, name="unfit").work(burst=True)
    assert isinstance(installed_engine.unfit(), DatabaseUnavailable)
    assert intermediate.get_job_ids() == ["run_b1"]

    redis_client.delete(MAINTENANCE_LOCK)
    installed_engine.install(engine)
    engine.give_up_error = None
    work_off(worker_for(redis_client, engine, name="fit"))
    assert [batch for batch, _reason in engine.given_up] == ["b1"]
    assert leftovers(redis_client) == []


# The beat


def test_a_beat_keeps_worker_and_batch_alive(redis_client: Redis, engine: ToldEngine) -> None:
    """While the engine makes progress, and only then: a stuck worker's batch must be taken over."""
    put(redis_client, "b1")
    worker = worker_for(redis_client, engine)
    registry = open_queue(redis_client, "shop").started_job_registry
    kept: list[tuple[bool, bool, bool]] = []

    def beat_once(_batch: Batch) -> BatchOutcome:
        [execution] = at_work(redis_client)
        for lively in (False, True):
            redis_client.zadd(registry.key, {execution: time.time() + 3})
            redis_client.expire(worker.key, 3)
            redis_client.expire(f"rq:execution:{execution}", 3)
            engine.lively = lively
            worker.beat()
            kept.append(
                (
                    at_work(redis_client)[execution] > time.time() + 20,
                    redis_client.ttl(worker.key) > 20,
                    redis_client.ttl(f"rq:execution:{execution}") > 20,
                )
            )
        return DONE

    engine.script["b1"] = [beat_once]
    work_off(worker)
    assert kept == [(False, False, False), (True, True, True)]


def test_a_batch_at_work_has_a_short_life_from_its_first_moment(redis_client: Redis, engine: ToldEngine) -> None:
    """RQ would let a dead worker's batch wait for its whole time-out."""
    put(redis_client, "b1", timeout_s=14_400)
    lives_s: list[float] = []

    def look(_batch: Batch) -> BatchOutcome:
        [alive_until_s] = at_work(redis_client).values()
        lives_s.append(alive_until_s - time.time())
        lives_s.append(redis_client.ttl(worker.key))
        lives_s.append(redis_client.ttl(f"{worker.key}.shop"))
        return DONE

    engine.script["b1"] = [look]
    worker = worker_for(redis_client, engine)
    work_off(worker)
    assert all(20 < life_s <= 31 for life_s in lives_s)


def test_a_beat_never_revives_a_batch_that_has_ended(redis_client: Redis, engine: ToldEngine) -> None:
    """A thousand beats a second while forty batches succeed, fail and drain: nothing stays at work."""
    scripts: list[list[Behaviour]] = [[drained], [fails(RuntimeError("x"))], [], []]
    for number in range(40):
        put(redis_client, f"b{number}", retries=number % 2)
        engine.script[f"b{number}"] = list(scripts[number % 4])
    worker = worker_for(redis_client, engine)
    over = threading.Event()
    beats = 0

    def beat() -> None:
        nonlocal beats
        while not over.wait(0.001):
            worker.beat()
            beats += 1

    with meanwhile(beat):
        try:
            work_off(worker)
        finally:
            over.set()
    worker.beat()
    assert beats > 20
    assert len(engine.ran) == 60
    assert leftovers(redis_client) == []


def test_a_beat_after_a_long_outage_introduces_the_worker_again(redis_client: Redis, engine: ToldEngine) -> None:
    """Its key ran out meanwhile; RQ must list it and be able to stop its batch."""
    put(redis_client, "b1")
    worker = worker_for(redis_client, engine)
    seen: list[tuple[int, str | None, str | None, str | None]] = []

    def forget_and_beat(_batch: Batch) -> BatchOutcome:
        for key in (worker.key, f"{worker.key}.shop"):
            redis_client.delete(key)
            redis_client.srem("rq:workers", key)
        worker.beat()
        twin = SimpleWorker.find_by_key(worker.key, connection=redis_client)
        hand = SimpleWorker.find_by_key(f"{worker.key}.shop", connection=redis_client)
        assert twin is not None
        assert hand is not None
        seen.append((worker.count(redis_client), hand.get_current_job_id(), hand.get_state(), twin.get_state()))
        return DONE

    engine.script["b1"] = [forget_and_beat]
    work_off(worker)
    assert seen == [(2, "run_b1", "busy", "busy")]


def test_a_beat_before_the_worker_is_born_does_not_prevent_its_birth(redis_client: Redis, engine: ToldEngine) -> None:
    """The sidecar beats as soon as it runs; RQ refuses a worker whose key is there already."""
    put(redis_client, "b1")
    worker = worker_for(redis_client, engine)
    worker.beat()
    work_off(worker)
    assert engine.ran == ["b1"]


def test_a_beat_does_not_take_a_batch_back_that_was_taken_over(redis_client: Redis, engine: ToldEngine) -> None:
    """A worker that was stuck for too long must not keep the batch from the one that has it now."""
    put(redis_client, "b1")
    registry = open_queue(redis_client, "shop").started_job_registry
    after_beat: list[int] = []

    def lose_it(_batch: Batch) -> BatchOutcome:
        redis_client.delete(registry.key)
        worker.beat()
        after_beat.append(redis_client.zcard(registry.key))
        return DONE

    engine.script["b1"] = [lose_it]
    worker = worker_for(redis_client, engine)
    work_off(worker)
    assert after_beat == [0]


# Stopping


def test_an_idle_worker_stops_at_once(redis_client: Redis, engine: ToldEngine) -> None:
    """And takes nothing any more; RQ would wait in Redis, or raise out of the signal handler."""
    worker = worker_for(redis_client, engine)
    asked_s: list[float] = []

    def stop() -> None:
        eventually(lambda: redis_client.hget(worker.key, "state") == b"idle")
        time.sleep(0.15)  # well into its wait
        asked_s.append(time.monotonic())
        stop_worker()

    with meanwhile(stop):
        worker.work()
    assert time.monotonic() - asked_s[0] < 3
    assert engine.drained.is_set()
    put(redis_client, "b1")
    assert open_queue(redis_client, "shop").job_ids == ["run_b1"]
    assert BatchWorker.count(connection=redis_client) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_working_worker_drains_and_stops(redis_client: Redis, engine: ToldEngine, number: signal.Signals) -> None:
    """The engine is told; what it leaves goes back, and the next batch stays where it is."""
    put(redis_client, "b1")
    put(redis_client, "b2")
    begun = threading.Event()

    def until_drained(_batch: Batch) -> BatchOutcome:
        begun.set()
        eventually(engine.drained.is_set)
        return BatchOutcome(done=1, resumed=0, remaining=2)

    engine.script["b1"] = [until_drained]
    worker = worker_for(redis_client, engine)

    def stop() -> None:
        assert begun.wait(20)
        os.kill(os.getpid(), number)

    with meanwhile(stop):
        worker.work()
    assert engine.ran == ["b1"]
    assert open_queue(redis_client, "shop").job_ids == ["run_b1", "run_b2"]
    assert leftovers(redis_client) == []


def test_a_batch_that_a_user_stops_is_given_up_for_good(redis_client: Redis, engine: ToldEngine) -> None:
    """By RQ's own command: the job ends as stopped, whatever retries it has, and every product has a result."""
    put(redis_client, "b1", retries=5)
    put(redis_client, "b2")
    begun = threading.Event()

    def until_interrupted(_batch: Batch) -> BatchOutcome:
        begun.set()
        eventually(engine.interrupted.is_set)
        raise BatchInterrupted("the batch was interrupted")

    engine.script["b1"] = [until_interrupted]

    def stop_batch() -> None:
        assert begun.wait(20)
        send_stop_job_command(redis_client, "run_b1", serializer=JSONSerializer)

    with meanwhile(stop_batch):
        work_off(worker_for(redis_client, engine))
    assert engine.ran == ["b1", "b2"]
    assert engine.given_up == [("b1", "batch given up: stopped by a user")]
    job = job_of(redis_client, "b1")
    assert (job.get_status(), job.retries_left) == (JobStatus.STOPPED, 5)
    assert leftovers(redis_client) == []


# Redis away


def test_a_restart_of_redis_in_mid_wait_is_survived(tmp_path: Path, engine: ToldEngine) -> None:
    """The worker waits for it and goes on, commands included; the outage is logged once, and its end too."""
    with open_redis("", tmp_path) as client, open_redis("", tmp_path, patience_s=0.2) as brisk:
        worker = worker_for(client, engine, brisk=brisk)
        again = EmbeddedServer(tmp_path)
        begun = threading.Event()

        def until_interrupted(_batch: Batch) -> BatchOutcome:
            begun.set()
            eventually(engine.interrupted.is_set)
            raise BatchInterrupted("the batch was interrupted")

        engine.script["b2"] = [until_interrupted]

        def restart() -> None:
            put(client, "b1")
            eventually(lambda: engine.ran == ["b1"] and client.hget(worker.key, "state") == b"idle")
            os.kill(client.info("server")["process_id"], signal.SIGKILL)
            time.sleep(1.5)
            again.open()
            put(client, "b2")
            assert begun.wait(20)
            eventually(lambda: client.pubsub_numsub(worker.pubsub_channel_name)[0][1] == 1)
            send_stop_job_command(client, "run_b2", serializer=JSONSerializer)
            assert engine.interrupted.wait(20)
            put(client, "b3")
            eventually(lambda: engine.ran[-1] == "b3")
            stop_worker()

        with capture_logs() as lines, meanwhile(restart):
            worker.work()
        assert engine.ran == ["b1", "b2", "b3"]
        assert [line["event"] for line in lines].count(events.REDIS_AWAY) == 1
        again.close()


def test_a_redis_that_hangs_is_waited_for(tmp_path: Path, engine: ToldEngine) -> None:
    """It accepts commands and does not answer, for longer than the brisk client waits."""
    with (
        open_redis("", tmp_path) as client,
        open_redis("", tmp_path, socket_timeout_s=0.2, patience_s=0.1) as brisk,
    ):
        worker = worker_for(client, engine, brisk=brisk)
        server = client.info("server")["process_id"]

        def hang() -> None:
            eventually(lambda: client.hget(worker.key, "state") == b"idle")
            os.kill(server, signal.SIGSTOP)
            try:
                eventually(lambda: any(line["event"] == events.REDIS_AWAY for line in lines))
            finally:
                os.kill(server, signal.SIGCONT)
            put(client, "b1")
            eventually(lambda: engine.ran == ["b1"])
            stop_worker()

        with capture_logs() as lines, meanwhile(hang):
            worker.work()


def test_a_full_redis_is_waited_for(redis_server: str, redis_client: Redis, tmp_path: Path, engine: ToldEngine) -> None:
    """It answers and keeps nothing any more, first while a batch ends and then while the worker idles: it is told
    once each time, with what to do, and every batch is done once."""
    with open_redis(redis_server, tmp_path) as client, open_redis(redis_server, tmp_path, patience_s=0.2) as brisk:
        worker = worker_for(client, engine, brisk=brisk)
        beat = worker.outage.watch(worker.beat)

        def fill_up(_batch: Batch) -> BatchOutcome:
            redis_client.config_set("maxmemory", "1")
            return DONE

        def make_room() -> None:
            eventually(lambda: engine.ran == ["b1"])
            beat()
            beat()
            redis_client.config_set("maxmemory", "0")
            eventually(lambda: engine.ran == ["b1", "b2"] and client.hget(worker.key, "state") == b"idle")
            put(client, "b3")
            redis_client.config_set("maxmemory", "1")
            beat()
            eventually(lambda: told(lines, events.REDIS_AWAY) == 2)
            redis_client.config_set("maxmemory", "0")
            eventually(lambda: job_of(redis_client, "b3").get_status() is JobStatus.FINISHED)
            stop_worker()

        engine.script["b1"] = [fill_up]
        put(redis_client, "b1")
        put(redis_client, "b2")
        with capture_logs() as lines, meanwhile(make_room):
            worker.work()
        assert engine.ran == ["b1", "b2", "b3"]
        assert [job_of(redis_client, batch).get_status() for batch in engine.ran] == [JobStatus.FINISHED] * 3
        assert leftovers(redis_client) == []
        away = [line["error"] for line in lines if line["event"] == events.REDIS_AWAY]
        assert len(away) == told(lines, events.REDIS_BACK) == 2
        assert all("it is full. Give it more memory (maxmemory)" in error for error in away)


def test_a_queue_that_has_filled_redis_up_is_worked_off(
    redis_server: str, redis_client: Redis, tmp_path: Path, engine: ToldEngine
) -> None:
    """Queueing leaves workers the room that taking and ending batches needs; then there is room for the next run."""
    shop = Platform.model_validate({"platform": "shop", "hosts": ["shop.test"], "extract": {"fields": {"name": "h1"}}})
    used = int(redis_client.info("memory")["used_memory"])
    redis_client.config_set("maxmemory", str(used + 1_500_000))

    def enqueue(count: int) -> EnqueuedRun:
        with ResultStore(f"sqlite:///{tmp_path}/r.db") as store:
            return enqueue_run(
                (Product(f"p{n}", f"https://shop.test/{n}", {"name": secrets.token_hex(20)}) for n in range(count)),
                shop,
                source="x.csv",
                batch_size=50,
                settings=QueueSettings(result_ttl_s=0),
                redis=client,
                store=store,
            )

    with open_redis(redis_server, tmp_path, patience_s=0.5) as client:
        with pytest.raises(
            RedisUnavailable, match=r"it is full: \d+ of \d+ MB are taken .*\. Let workers work some off"
        ):
            enqueue(100_000)
        queued = open_queue(client, "shop").count
        assert queued > 40
        with pytest.raises(RedisUnavailable, match="takes no run"):
            enqueue(1)

        work_off(worker_for(client, engine))

        assert sorted(set(engine.ran)) == [f"b{number:05}" for number in range(1, queued + 1)]
        assert len(engine.ran) == queued
        assert leftovers(redis_client) == []
        assert enqueue(1000).batches == 20


def test_a_stop_while_redis_is_away_does_not_wait_for_it(tmp_path: Path, engine: ToldEngine) -> None:
    """Only for as long as its patience with the farewell lasts."""
    with (
        open_redis("", tmp_path, patience_s=0.5) as client,
        open_redis("", tmp_path, patience_s=0.1) as brisk,
    ):
        worker = worker_for(client, engine, brisk=brisk)

        def away() -> None:
            eventually(lambda: client.hget(worker.key, "state") == b"idle")
            os.kill(client.info("server")["process_id"], signal.SIGKILL)
            time.sleep(0.3)
            stop_worker()

        with meanwhile(away), pytest.raises(redis.ConnectionError):
            worker.work()
        assert engine.drained.is_set()


def test_a_worn_out_worker_gives_its_batch_back_and_leaves(redis_client: Redis, engine: ToldEngine) -> None:
    """Its error says that a fresh process is wanted; the batch counts neither as done nor as tried."""
    job = put(redis_client, "b1", retries=3)
    put(redis_client, "b2")
    worker = worker_for(redis_client, engine)

    def worn_out(batch: Batch) -> BatchOutcome:
        worker.leave(WorkerWornOut("memory stayed at 97 % of its limit"))
        assert engine.drained.is_set()
        return drained(batch)

    engine.script["b1"] = [worn_out]
    with capture_logs() as lines:
        worker.work(burst=True)
    assert engine.ran == ["b1"]
    assert isinstance(installed_engine.unfit(), WorkerWornOut)
    job.refresh()  # type: ignore[no-untyped-call]
    assert (job.get_status(), job.retries_left) == (JobStatus.QUEUED, 3)
    assert events.WORKER_WORN_OUT in [line["event"] for line in lines]
    assert events.WORKER_UNFIT not in [line["event"] for line in lines]


def test_a_batch_that_made_the_loop_stand_still_counts_as_tried(redis_client: Redis, engine: ToldEngine) -> None:
    """Else one product that blocks every worker would go round for ever."""
    job = put(redis_client, "b1", retries=3)
    worker = worker_for(redis_client, engine)

    def stuck(_batch: Batch) -> BatchOutcome:
        worker.leave(WorkerWornOut("the event loop stood still"))
        raise WorkerWornOut("the event loop stood still")

    engine.script["b1"] = [stuck]
    worker.work(burst=True)
    job.refresh()  # type: ignore[no-untyped-call]
    assert (job.get_status(), job.retries_left) == (JobStatus.QUEUED, 2)
    assert engine.given_up == []


def test_a_batch_that_used_up_the_descriptors_counts_as_tried_and_the_worker_leaves(
    redis_client: Redis, engine: ToldEngine
) -> None:
    """A fresh process tries it again; the next batch is not begun in this one."""
    job = put(redis_client, "b1", retries=3)
    put(redis_client, "b2")
    engine.script["b1"] = [fails(WorkerWornOut("descriptors are used up"))]
    worker_for(redis_client, engine).work(burst=True)
    job.refresh()  # type: ignore[no-untyped-call]
    assert (job.get_status(), job.retries_left) == (JobStatus.QUEUED, 2)
    assert (engine.ran, engine.given_up) == (["b1"], [])
    assert isinstance(installed_engine.unfit(), WorkerWornOut)


def test_an_idle_worker_can_be_told_to_leave(redis_client: Redis, engine: ToldEngine) -> None:
    """It ends within a second although its queues stay empty."""
    worker = worker_for(redis_client, engine)
    timer = threading.Timer(0.5, worker.leave, [WorkerWornOut("memory")])
    timer.start()
    worker.work(burst=False)
    timer.join()
    assert isinstance(installed_engine.unfit(), WorkerWornOut)


def test_the_named_rights_are_enough_for_a_worker(url_of: UrlOf, tmp_path: Path, engine: ToldEngine) -> None:
    """The whole way of a batch, RQ's maintenance too, without any of Redis' dangerous commands."""
    with open_redis(url_of("limited"), tmp_path, patience_s=1) as client:
        put(client, "b1")
        work_off(worker_for(client, engine))
        assert engine.ran == ["b1"]
        assert job_of(client, "b1").get_status() is JobStatus.FINISHED


def test_a_worker_that_may_not_do_its_work_ends_with_the_cause(
    url_of: UrlOf, tmp_path: Path, engine: ToldEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """RQ's loop would end by a traceback in the log, and the command by a line that names nothing."""
    with open_redis(url_of("narrow"), tmp_path, patience_s=1) as client:
        work_off(worker_for(client, engine))
    assert isinstance(installed_engine.unfit(), RedisUnavailable)
    assert "no permissions" in str(installed_engine.unfit())
    assert "unhandled exception" not in caplog.text
